#include "debezium/header_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "base/errors.hpp"
#include "debezium/json_unescape.hpp"

namespace holdfast::relay::debezium {

namespace {

constexpr std::int64_t kMillisecondsPerDay = 86'400'000;

[[noreturn]] void unexpected(const char* what) {
    throw FatalError(ExitCode::kInternal,
                     std::string("a key's JSON does not match its schema: ") + what);
}

unsigned base64_value(char digit) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t value = kDigits.find(digit);
    if (value == std::string_view::npos) {
        unexpected("base64");
    }
    return static_cast<unsigned>(value);
}

/// Big-endian bytes.
std::vector<std::uint8_t> from_base64(std::string_view digits) {
    std::vector<std::uint8_t> bytes;
    std::uint32_t bits = 0;
    unsigned count = 0;
    while (!digits.empty() && digits.back() == '=') {
        digits.remove_suffix(1);
    }
    for (const char digit : digits) {
        bits = (bits << 6U) | base64_value(digit);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes.push_back(static_cast<std::uint8_t>((bits >> count) & 0xFFU));
        }
    }
    return bytes;
}

/// Decimal digits of a two's complement number, without its sign, which goes to `negative`.
std::string to_decimal(std::vector<std::uint8_t> bytes, bool& negative) {
    negative = !bytes.empty() && bytes.front() >= 0x80;
    if (negative) {
        for (std::uint8_t& byte : bytes) {
            byte = static_cast<std::uint8_t>(~byte & 0xFF);
        }
        bool carries = true;
        for (std::size_t i = bytes.size(); carries && i > 0; --i) {
            ++bytes[i - 1];
            carries = bytes[i - 1] == 0;
        }
    }
    std::string digits;
    while (std::any_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte != 0; })) {
        unsigned rest = 0;
        for (std::uint8_t& byte : bytes) {
            const unsigned value = (rest << 8U) | byte;
            byte = static_cast<std::uint8_t>(value / 10);
            rest = value % 10;
        }
        digits += static_cast<char>('0' + rest);
    }
    std::reverse(digits.begin(), digits.end());
    return digits.empty() ? "0" : digits;
}

/// BigDecimal.toString()
void append_decimal(std::string_view base64, std::int32_t scale, std::string& text) {
    constexpr std::int64_t kSmallestPlain = -6;
    bool negative = false;
    const std::string digits = to_decimal(from_base64(base64), negative);
    if (negative) {
        text += '-';
    }
    const auto count = static_cast<std::int64_t>(digits.size());
    const std::int64_t exponent = count - 1 - scale;
    if (scale == 0) {
        text += digits;
    } else if (scale > 0 && exponent >= kSmallestPlain) {
        if (count > scale) {
            text.append(digits, 0, static_cast<std::size_t>(count - scale));
            text += '.';
            text.append(digits, static_cast<std::size_t>(count - scale));
        } else {
            text += "0.";
            text.append(static_cast<std::size_t>(scale - count), '0');
            text += digits;
        }
    } else {
        text += digits.front();
        if (count > 1) {
            text += '.';
            text.append(digits, 1);
        }
        if (exponent != 0) {
            text += exponent > 0 ? "E+" : "E";
            text += std::to_string(exponent);
        }
    }
}

/// Civil date of a day since 1970-01-01.
struct Date {
    std::int64_t year;
    unsigned month;
    unsigned day;
};
Date civil(std::int64_t days) {
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
    days += 719'468;
    const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
    const auto of_era = static_cast<unsigned>(days - (era * 146'097));
    const unsigned year = (of_era - (of_era / 1460) + (of_era / 36'524) - (of_era / 146'096)) / 365;
    const unsigned of_year = of_era - ((365 * year) + (year / 4) - (year / 100));
    const unsigned month = ((5 * of_year) + 2) / 153;
    return {static_cast<std::int64_t>(year) + (era * 400) + (month >= 10 ? 1 : 0),
            month < 10 ? month + 3 : month - 9, of_year - (((153 * month) + 2) / 5) + 1};
}

/// java.util.Date as Values.dateFormatFor() has it: what is before the second day of 1970 is a
/// time, a whole day a date, all else both.
void append_date(std::int64_t milliseconds, std::string& text) {
    const std::int64_t rest =
        ((milliseconds % kMillisecondsPerDay) + kMillisecondsPerDay) % kMillisecondsPerDay;
    const Date date = civil((milliseconds - rest) / kMillisecondsPerDay);
    std::array<char, 64> buffer{};
    if (milliseconds >= kMillisecondsPerDay) {
        const int size = std::snprintf(buffer.data(), buffer.size(), "%04lld-%02u-%02u",
                                       static_cast<long long>(date.year), date.month, date.day);
        text.append(buffer.data(), static_cast<std::size_t>(size));
        if (rest == 0) {
            return;
        }
        text += 'T';
    }
    const int size =
        std::snprintf(buffer.data(), buffer.size(), "%02d:%02d:%02d.%03dZ",
                      static_cast<int>(rest / 3'600'000), static_cast<int>(rest / 60'000 % 60),
                      static_cast<int>(rest / 1000 % 60), static_cast<int>(rest % 1000));
    text.append(buffer.data(), static_cast<std::size_t>(size));
}

/// Reads the JSON once, from front to back.
class Writer {
 public:
    Writer(std::string_view json, std::string& text) : json_(json), text_(text) {}

    void value(const ConnectSchema& schema) {
        if (json_.substr(at_).starts_with("null")) {
            at_ += 4;
            if (schema.default_json) {
                Writer(*schema.default_json, text_).value(schema);
            } else {
                text_ += "null";
            }
        } else if (schema.type == "struct") {
            structure(schema);
        } else if (schema.type == "array") {
            list(schema.items.front());
        } else if (schema.type == "map") {
            map(schema);
        } else if (schema.type == "string") {
            string();
        } else {
            scalar(schema);
        }
    }

 private:
    char peek() const { return at_ < json_.size() ? json_[at_] : '\0'; }
    void expect(char c) {
        if (peek() != c) {
            unexpected("punctuation");
        }
        ++at_;
    }

    /// The string that begins here, quotes included.
    std::string_view raw_string() {
        const std::size_t start = at_;
        expect('"');
        while (peek() != '"') {
            at_ += peek() == '\\' ? 2 : 1;
            if (at_ >= json_.size()) {
                unexpected("string");
            }
        }
        ++at_;
        return json_.substr(start, at_ - start);
    }
    void string() {
        unescaped_.clear();
        append_unescaped_json(raw_string(), unescaped_);
        text_ += '"';
        for (const char c : unescaped_) {
            if (c == '"' || c == '\\') {
                text_ += '\\';
            }
            text_ += c;
        }
        text_ += '"';
    }

    void scalar(const ConnectSchema& schema) {
        if (peek() == '"') {
            const std::string_view quoted = raw_string();
            const std::string_view inner = quoted.substr(1, quoted.size() - 2);
            if (schema.type != "bytes") {
                text_ += inner;  // a number that is not finite
            } else if (schema.name == "org.apache.kafka.connect.data.Decimal") {
                append_decimal(inner, scale_of(schema), text_);
            } else {
                text_ += quoted;
            }
            return;
        }
        const std::size_t end = std::min(json_.find_first_of(",}]", at_), json_.size());
        const std::string_view token = json_.substr(at_, end - at_);
        at_ = end;
        if (token.empty()) {
            unexpected("scalar");
        }
        const bool is_day = schema.name == "org.apache.kafka.connect.data.Date";
        if (is_day || schema.name == "org.apache.kafka.connect.data.Time" ||
            schema.name == "org.apache.kafka.connect.data.Timestamp") {
            std::int64_t number = 0;
            std::from_chars(token.data(), token.data() + token.size(), number);
            append_date(is_day ? number * kMillisecondsPerDay : number, text_);
            return;
        }
        text_ += token;
    }

    static std::int32_t scale_of(const ConnectSchema& schema) {
        for (const auto& [name, value] : schema.parameters) {
            std::int32_t scale = 0;
            if (name == "scale" &&
                std::from_chars(value.data(), value.data() + value.size(), scale).ec ==
                    std::errc{}) {
                return scale;
            }
        }
        unexpected("a decimal without scale");
    }

    void structure(const ConnectSchema& schema) {
        expect('{');
        text_ += '{';
        for (const ConnectField& field : schema.fields) {
            if (&field != schema.fields.data()) {
                expect(',');
                text_ += ',';
            }
            string();
            expect(':');
            text_ += ':';
            value(field.schema);
        }
        expect('}');
        text_ += '}';
    }

    void list(const ConnectSchema& item) {
        expect('[');
        text_ += '[';
        for (bool first = true; peek() != ']'; first = false) {
            if (!first) {
                expect(',');
                text_ += ',';
            }
            value(item);
        }
        expect(']');
        text_ += ']';
    }

    /// {"key":value}, or [[key,value]] when keys are no strings.
    void map(const ConnectSchema& schema) {
        const bool is_object = schema.items.front().type == "string";
        const char close = is_object ? '}' : ']';
        expect(is_object ? '{' : '[');
        text_ += '{';
        for (bool first = true; peek() != close; first = false) {
            if (!first) {
                expect(',');
                text_ += ',';
            }
            if (!is_object) {
                expect('[');
            }
            value(schema.items.front());
            expect(is_object ? ':' : ',');
            text_ += ':';
            value(schema.items.back());
            if (!is_object) {
                expect(']');
            }
        }
        expect(close);
        text_ += '}';
    }

    std::string_view json_;
    std::string& text_;
    std::size_t at_ = 0;
    std::string unescaped_;
};

}  // namespace

void append_header_text(std::string_view json, const ConnectSchema& schema, std::string& text) {
    Writer(json, text).value(schema);
}

}  // namespace holdfast::relay::debezium
