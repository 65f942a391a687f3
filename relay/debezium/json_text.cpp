#include "debezium/json_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

namespace holdfast::relay::debezium {
namespace {

/// What follows the backslash; 'u' = four digits follow; 's' = a character beyond U+FFFF begins; 0
/// = the byte stands for itself.
constexpr std::array<char, 256> kEscapes = [] {
    std::array<char, 256> escapes{};
    for (std::size_t control = 0; control < 0x20; ++control) {
        escapes[control] = 'u';
    }
    for (std::size_t lead = 0xF0; lead < 0x100; ++lead) {
        escapes[lead] = 's';
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
constexpr std::string_view kLowerHexDigits = "0123456789abcdef";

void append_unit(std::uint32_t utf16_unit, std::string& json) {
    json += "\\u";
    for (unsigned shift = 16; shift > 0; shift -= 4) {
        json += kHexDigits[(utf16_unit >> (shift - 4)) & 0xFU];
    }
}

/// Whether eight bytes hold one that kEscapes knows: each test raises the top bit of a byte that it
/// is true for (and maybe of those above it, which is why this may only say that there is one).
bool has_escape(const char* bytes) {
    constexpr std::uint64_t kOnes = 0x0101010101010101U;
    constexpr std::uint64_t kTops = 0x8080808080808080U;
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    const auto below = [](std::uint64_t x, std::uint64_t n) { return (x - kOnes * n) & ~x; };
    const std::uint64_t quote = word ^ (kOnes * static_cast<unsigned char>('"'));
    const std::uint64_t backslash = word ^ (kOnes * static_cast<unsigned char>('\\'));
    const std::uint64_t four_bytes = word & (word << 1U) & (word << 2U) & (word << 3U);  // 1111xxxx
    return ((below(word, 0x20) | below(quote, 1) | below(backslash, 1) | four_bytes) & kTops) != 0;
}

/// The character beyond U+FFFF at the front of `text`; 0 = there is none.
std::uint32_t supplementary_character(std::string_view text) {
    if (text.size() < 4) {
        return 0;
    }
    std::uint32_t character = static_cast<unsigned char>(text[0]) & 7U;
    for (std::size_t i = 1; i < 4; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0U) != 0x80U) {
            return 0;
        }
        character = (character << 6U) | (byte & 0x3FU);
    }
    const bool is_one =
        static_cast<unsigned char>(text[0]) < 0xF8 && character >= 0x10000 && character <= 0x10FFFF;
    return is_one ? character : 0;
}

/// Appends what `text` begins with, a character beyond U+FFFF or what looks like one; returns its
/// bytes.
std::size_t append_supplementary(std::string_view text, std::string& json, bool as_escapes) {
    const std::uint32_t character = supplementary_character(text);
    if (character == 0) {
        json += "\xEF\xBF\xBD";
        return 1;
    }
    if (as_escapes) {
        append_unit(0xD800U + ((character - 0x10000U) >> 10U), json);
        append_unit(0xDC00U + ((character - 0x10000U) & 0x3FFU), json);
    } else {
        json += text.substr(0, 4);
    }
    return 4;
}

/// Appends `text`, in which there is something to escape, piece by piece over a buffer.
void append_escaped(std::string_view text, std::string& json, bool supplementary_as_escapes) {
    constexpr std::size_t kLongest = 6;  // of what one byte becomes
    std::array<char, 256> piece{};
    std::size_t size = 0;
    std::size_t i = 0;
    while (i < text.size()) {
        if (size + kLongest > piece.size()) {
            json.append(piece.data(), size);
            size = 0;
        }
        const auto byte = static_cast<unsigned char>(text[i]);
        const char escape = kEscapes[byte];
        if (escape == 0) {
            piece[size++] = text[i++];
            continue;
        }
        if (escape != 's' && escape != 'u') {
            piece[size++] = '\\';
            piece[size++] = escape;
            ++i;
            continue;
        }
        json.append(piece.data(), size);
        size = 0;
        if (escape == 's') {
            i += append_supplementary(text.substr(i), json, supplementary_as_escapes);
        } else {
            append_unit(byte, json);
            ++i;
        }
    }
    json.append(piece.data(), size);
}

void append_string(std::string_view text, std::string& json, bool supplementary_as_escapes) {
    json += '"';
    std::size_t plain = 0;
    while (plain + sizeof(std::uint64_t) <= text.size() && !has_escape(text.data() + plain)) {
        plain += sizeof(std::uint64_t);
    }
    json.append(text, 0, plain);
    append_escaped(text.substr(plain), json, supplementary_as_escapes);
    json += '"';
}

/// The nearest decimal of two digits, if it means the same number; returns how many there are.
template <typename Number>
std::size_t two_digits(Number number, std::array<char, 24>& digits, int& exponent) {
    std::array<char, 32> scientific{};
    const auto [end, error] =
        std::to_chars(scientific.data(), scientific.data() + scientific.size(), std::fabs(number),
                      std::chars_format::scientific, 1);
    Number same = 0;
    std::from_chars(scientific.data(), end, same);
    if (same != std::fabs(number) || number == 0 || scientific[2] == '0') {
        return 1;
    }
    digits[0] = scientific[0];
    digits[1] = scientific[2];
    std::from_chars(scientific.data() + 4, end, exponent);
    return 2;
}

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
    // Of numbers with so few bits that many decimals of two digits mean them, Java takes the
    // nearest.
    if (count == 1 && std::fabs(number) < std::numeric_limits<Number>::min()) {
        count = two_digits(number, digits, exponent);
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

void append_base64_with(std::string_view digits, std::string_view bytes, std::string& text) {
    const auto at = [&](std::size_t index) -> std::uint32_t {
        return static_cast<unsigned char>(bytes[index]);
    };
    const std::size_t start = text.size();
    text.resize(start + (bytes.size() + 2) / 3 * 4);
    char* place = text.data() + start;
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const std::uint32_t group = (at(i) << 16U) | (at(i + 1) << 8U) | at(i + 2);
        *place++ = digits[group >> 18U];
        *place++ = digits[(group >> 12U) & 63U];
        *place++ = digits[(group >> 6U) & 63U];
        *place++ = digits[group & 63U];
    }
    if (i < bytes.size()) {
        const bool two = i + 1 < bytes.size();
        const std::uint32_t group = (at(i) << 16U) | (two ? at(i + 1) << 8U : 0U);
        *place++ = digits[group >> 18U];
        *place++ = digits[(group >> 12U) & 63U];
        *place++ = two ? digits[(group >> 6U) & 63U] : '=';
        *place++ = '=';
    }
}

}  // namespace

void append_json_string(std::string_view text, std::string& json) {
    append_string(text, json, true);
}

void append_inner_json_string(std::string_view text, std::string& json) {
    append_string(text, json, false);
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
    append_base64_with(kDigits, bytes, text);
}

void append_base64_url_safe(std::string_view bytes, std::string& text) {
    static constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    append_base64_with(kDigits, bytes, text);
}

void append_hex(std::string_view bytes, std::string& text) {
    const std::size_t start = text.size();
    text.resize(start + bytes.size() * 2);
    char* place = text.data() + start;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        *place++ = kLowerHexDigits[byte >> 4U];
        *place++ = kLowerHexDigits[byte & 0xFU];
    }
}

}  // namespace holdfast::relay::debezium
