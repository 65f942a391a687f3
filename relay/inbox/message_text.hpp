// Kafka messages are bytes, PostgreSQL's text is UTF-8 without NUL.  This turns one into the other
// without losing a byte: what is not such text travels as base64 and says so.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "inbox/procedure_caller.hpp"
#include "inbox/record_source.hpp"

namespace holdfast::relay::inbox {

/// Whether PostgreSQL takes the bytes as text: well-formed UTF-8 (no surrogates, nothing overlong,
/// nothing above U+10FFFF) without U+0000.
[[nodiscard]] bool is_database_text(std::string_view bytes);

/// RFC 4648 with padding.
[[nodiscard]] std::string to_base64(std::string_view bytes);

/// What to_base64() made; nullopt for anything else.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// {"name":"value",...}; a header without a value is null.  A value that is no database text is
/// given as base64 under "<name>;base64".  Of several headers of one name the last counts, as in
/// jsonb.
void append_headers_json(const Message& message, std::string& json);

/// Owns the converted text that a PreparedMessage points to.
struct MessageText {
    std::string headers;
    std::string key;    ///< used only when the key had to be converted
    std::string value;  ///< used only when the value had to be converted

    /// Views into `message` and into this; both must stay as long as the result is used.
    /// When key or value is no text, encoding is "base64" and the value, if there is one, is
    /// base64; the key is converted only when it is no text itself.
    [[nodiscard]] PreparedMessage prepare(const Message& message);
};

}  // namespace holdfast::relay::inbox
