#include "inbox/message_text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace holdfast::relay::inbox {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool is_continuation(unsigned char byte) {
    return (byte & 0xC0U) == 0x80U;
}

/// Length of the well-formed sequence that begins at `at`; 0 when there is none.  Table 3-7 of the
/// Unicode standard; U+0000 is not text for PostgreSQL.
std::size_t sequence_length(std::string_view bytes, std::size_t at) {
    const auto byte = [&](std::size_t i) -> unsigned char {
        return at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0;
    };
    const unsigned char first = byte(0);
    if (first != 0 && first < 0x80) {
        return 1;
    }
    const unsigned char second = byte(1);
    if (first >= 0xC2 && first <= 0xDF) {
        return is_continuation(second) ? 2 : 0;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        const unsigned char low = first == 0xE0 ? 0xA0 : 0x80;
        const unsigned char high = first == 0xED ? 0x9F : 0xBF;
        return second >= low && second <= high && is_continuation(byte(2)) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const unsigned char low = first == 0xF0 ? 0x90 : 0x80;
        const unsigned char high = first == 0xF4 ? 0x8F : 0xBF;
        return second >= low && second <= high && is_continuation(byte(2)) &&
                       is_continuation(byte(3))
                   ? 4
                   : 0;
    }
    return 0;
}

/// Whether eight bytes are all ASCII and none is zero.
bool is_plain(const char* bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    constexpr std::uint64_t kHigh = 0x8080808080808080;
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    return ((word | (word - kOnes)) & kHigh) == 0;
}

void append_json_string(std::string_view text, std::string& json) {
    constexpr std::string_view kHex = "0123456789abcdef";
    json += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            json += '\\';
            json += c;
        } else if (byte < 0x20) {
            json += "\\u00";
            json += kHex[byte >> 4U];
            json += kHex[byte & 0xFU];
        } else {
            json += c;
        }
    }
    json += '"';
}

}  // namespace

bool is_database_text(std::string_view bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        if (at + sizeof(std::uint64_t) <= bytes.size() && is_plain(bytes.data() + at)) {
            at += sizeof(std::uint64_t);
            continue;
        }
        const std::size_t length = sequence_length(bytes, at);
        if (length == 0) {
            return false;
        }
        at += length;
    }
    return true;
}

std::string to_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            const auto byte =
                at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0U;
            group = (group << 8U) | byte;
        }
        text += kAlphabet[(group >> 18U) & 63U];
        text += kAlphabet[(group >> 12U) & 63U];
        text += at + 1 < bytes.size() ? kAlphabet[(group >> 6U) & 63U] : '=';
        text += at + 2 < bytes.size() ? kAlphabet[group & 63U] : '=';
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) {
        return std::nullopt;
    }
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    for (std::size_t at = 0; at < text.size(); at += 4) {
        const std::size_t filler = at + 4 == text.size() ? padding : 0;
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            const std::size_t digit = i < 4 - filler ? kAlphabet.find(text[at + i]) : 0;
            if (digit == std::string_view::npos) {
                return std::nullopt;
            }
            group = (group << 6U) | static_cast<std::uint32_t>(digit);
        }
        for (std::size_t i = 0; i < 3 - filler; ++i) {
            bytes += static_cast<char>((group >> (16U - 8U * i)) & 0xFFU);
        }
    }
    return bytes;
}

void append_headers_json(const Message& message, std::string& json) {
    json += '{';
    bool first = true;
    for (const auto& [name, value] : message.headers) {
        json += first ? "" : ",";
        first = false;
        const bool text = !value || is_database_text(*value);
        std::string label = is_database_text(name) ? name : to_base64(name);
        label += text ? "" : ";base64";
        append_json_string(label, json);
        json += ':';
        if (!value) {
            json += "null";
        } else {
            append_json_string(text ? *value : to_base64(*value), json);
        }
    }
    json += '}';
}

PreparedMessage MessageText::prepare(const Message& message) {
    headers.clear();
    append_headers_json(message, headers);
    PreparedMessage prepared{.offset = message.offset,
                             .key = message.key,
                             .value = message.value,
                             .encoding = "utf8",
                             .headers = headers,
                             .source = &message};
    const bool key_is_text = !message.key || is_database_text(*message.key);
    if (key_is_text && (!message.value || is_database_text(*message.value))) {
        return prepared;
    }
    prepared.encoding = "base64";
    if (!key_is_text) {
        key = to_base64(*message.key);
        prepared.key = key;
    }
    if (message.value) {
        value = to_base64(*message.value);
        prepared.value = value;
    }
    return prepared;
}

}  // namespace holdfast::relay::inbox
