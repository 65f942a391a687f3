// JSON written straight into a text, byte for byte as Jackson does it under Connect's
// JsonConverter: no white space, `/` and non-ASCII raw up to U+FFFF, a pair of \uXXXX beyond,
// control characters as \b \t \n \f \r or \u00XX.
//
// Source: docs/message-format.md; RFC 8259; Jackson's UTF8JsonGenerator.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::relay::debezium {

/// Appends `text` (UTF-8) in quotes.  What begins a character beyond U+FFFF and is none becomes
/// U+FFFD, as in Java.
void append_json_string(std::string_view text, std::string& json);

/// The same for JSON that will be the text of a string: Jackson writes that as characters and
/// leaves those beyond U+FFFF alone.
void append_inner_json_string(std::string_view text, std::string& json);

/// Appends a decimal number.
void append_json_int(std::int64_t number, std::string& json);

/// Appends a number as Java's Double.toString / Float.toString: 1.0, 9.99E-4, 1.0E10; those that
/// are not finite in quotes ("NaN", "Infinity", "-Infinity").
void append_json_double(double number, std::string& json);
void append_json_float(float number, std::string& json);

/// Appends base64 with padding, without quotes: RFC 4648 section 4, and section 5 with `-` and `_`.
void append_base64(std::string_view bytes, std::string& text);
void append_base64_url_safe(std::string_view bytes, std::string& text);

/// Appends two lower-case hexadecimal digits per byte.
void append_hex(std::string_view bytes, std::string& text);

}  // namespace holdfast::relay::debezium
