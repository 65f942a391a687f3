#include "debezium/json_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

namespace holdfast::relay::debezium {
namespace {

/// What follows the backslash; 'u' = four digits follow; 0 = the byte stands for itself.
constexpr std::array<char, 256> kEscapes = [] {
    std::array<char, 256> escapes{};
    for (std::size_t control = 0; control < 0x20; ++control) {
        escapes[control] = 'u';
    }
    escapes['\b'] = 'b';
    escapes['\t'] = 't';
    escapes['\n'] = 'n';
    escapes['\f'] = 'f';
    escapes['\r'] = 'r';
    escapes['"'] = '"';
    escapes['\\'] = '\\';
    return escapes;
}();

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

/// Java's form of a number whose shortest digits are d.ddd x 10^exponent.
template <typename Number>
void append_finite(Number number, std::string& json) {
    std::array<char, 32> scientific{};
    const auto [end, error] =
        std::to_chars(scientific.data(), scientific.data() + scientific.size(), number,
                      std::chars_format::scientific);
    std::string_view text(scientific.data(), static_cast<std::size_t>(end - scientific.data()));
    if (text.front() == '-') {
        json += '-';
        text.remove_prefix(1);
    }
    const std::size_t mark = text.find('e');
    int exponent = 0;
    const char* digits_of_exponent = text.data() + mark + (text[mark + 1] == '+' ? 2 : 1);
    std::from_chars(digits_of_exponent, text.data() + text.size(), exponent);
    std::array<char, 24> digits{};
    std::size_t count = 0;
    for (const char c : text.substr(0, mark)) {
        if (c != '.') {
            digits[count++] = c;
        }
    }
    const std::string_view all(digits.data(), count);
    constexpr int kFirstLarge = 7;
    constexpr int kLastSmall = -3;
    if (exponent >= kFirstLarge || exponent < kLastSmall) {
        if (number == 0) {
            json += "0.0";
            return;
        }
        json += all.front();
        json += '.';
        json += count > 1 ? all.substr(1) : std::string_view("0");
        json += 'E';
        append_json_int(exponent, json);
        return;
    }
    if (exponent < 0) {
        json += "0.";
        json.append(static_cast<std::size_t>(-exponent - 1), '0');
        json += all;
        return;
    }
    const auto whole = static_cast<std::size_t>(exponent) + 1;
    if (count <= whole) {
        json += all;
        json.append(whole - count, '0');
        json += ".0";
        return;
    }
    json += all.substr(0, whole);
    json += '.';
    json += all.substr(whole);
}

template <typename Number>
void append_number(Number number, std::string& json) {
    if (std::isnan(number)) {
        json += "\"NaN\"";
    } else if (std::isinf(number)) {
        json += number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    } else {
        append_finite(number, json);
    }
}

}  // namespace

void append_json_string(std::string_view text, std::string& json) {
    json += '"';
    std::size_t run = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const char escape = kEscapes[byte];
        if (escape == 0) {
            continue;
        }
        json.append(text, run, i - run);
        run = i + 1;
        json += '\\';
        json += escape;
        if (escape == 'u') {
            json += "00";
            json += kHexDigits[byte >> 4U];
            json += kHexDigits[byte & 0xFU];
        }
    }
    json.append(text, run);
    json += '"';
}

void append_json_int(std::int64_t number, std::string& json) {
    std::array<char, 24> text{};
    const auto result = std::to_chars(text.data(), text.data() + text.size(), number);
    json.append(text.data(), static_cast<std::size_t>(result.ptr - text.data()));
}

void append_json_double(double number, std::string& json) {
    append_number(number, json);
}

void append_json_float(float number, std::string& json) {
    append_number(number, json);
}

void append_base64(std::string_view bytes, std::string& text) {
    static constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto at = [&](std::size_t index) -> std::uint32_t {
        return index < bytes.size() ? static_cast<unsigned char>(bytes[index]) : 0U;
    };
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::uint32_t group = (at(i) << 16U) | (at(i + 1) << 8U) | at(i + 2);
        text += kDigits[(group >> 18U) & 63U];
        text += kDigits[(group >> 12U) & 63U];
        text += i + 1 < bytes.size() ? kDigits[(group >> 6U) & 63U] : '=';
        text += i + 2 < bytes.size() ? kDigits[group & 63U] : '=';
    }
}

}  // namespace holdfast::relay::debezium
