#include "debezium/java_string.hpp"

namespace holdfast::relay::debezium {

char32_t next_code_point(std::string_view utf8, std::size_t& at) {
    constexpr char32_t kReplacement = 0xFFFD;
    const auto first = static_cast<unsigned char>(utf8[at]);
    ++at;
    if (first < 0x80) {
        return first;
    }
    std::size_t more = 0;
    char32_t point = 0;
    if ((first & 0xE0U) == 0xC0U) {
        more = 1;
        point = first & 0x1FU;
    } else if ((first & 0xF0U) == 0xE0U) {
        more = 2;
        point = first & 0x0FU;
    } else if ((first & 0xF8U) == 0xF0U) {
        more = 3;
        point = first & 0x07U;
    } else {
        return kReplacement;
    }
    if (more > utf8.size() - at) {
        return kReplacement;
    }
    for (std::size_t i = 0; i < more; ++i) {
        const auto next = static_cast<unsigned char>(utf8[at + i]);
        if ((next & 0xC0U) != 0x80U) {
            return kReplacement;
        }
        point = (point << 6U) | (next & 0x3FU);
    }
    at += more;
    return point;
}

void append_java_serialized(std::string_view utf8, std::string& bytes) {
    constexpr std::string_view kStreamHeader("\xAC\xED\x00\x05", 4);
    constexpr char kString = 0x74;
    constexpr char kLongString = 0x7C;
    constexpr std::size_t kMaxShort = 0xFFFF;
    const auto byte = [&bytes](std::size_t value) { bytes += static_cast<char>(value & 0xFFU); };

    std::size_t length = 0;
    for_each_utf16_unit(utf8, [&length](char16_t unit) {
        length += unit != 0 && unit < 0x80 ? 1U : (unit < 0x800 ? 2U : 3U);
    });
    bytes += kStreamHeader;
    bytes += length > kMaxShort ? kLongString : kString;
    for (unsigned shift = length > kMaxShort ? 64 : 16; shift > 0; shift -= 8) {
        byte(length >> (shift - 8));
    }
    for_each_utf16_unit(utf8, [&](char16_t unit) {
        if (unit != 0 && unit < 0x80) {
            byte(unit);
        } else if (unit < 0x800) {
            byte(0xC0U | (unit >> 6U));
            byte(0x80U | (unit & 0x3FU));
        } else {
            byte(0xE0U | (unit >> 12U));
            byte(0x80U | ((unit >> 6U) & 0x3FU));
            byte(0x80U | (unit & 0x3FU));
        }
    });
}

}  // namespace holdfast::relay::debezium
