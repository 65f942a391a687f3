#include "debezium/json_unescape.hpp"

#include <charconv>
#include <cstddef>

#include "base/errors.hpp"

namespace holdfast::relay::debezium {

namespace {

[[noreturn]] void not_a_string() {
    throw FatalError(ExitCode::kInternal, "a value is not the JSON string that it should be");
}

unsigned read_code(std::string_view digits) {
    unsigned code = 0;
    const char* const end = digits.data() + 4;
    if (digits.size() < 4 || std::from_chars(digits.data(), end, code, 16).ptr != end) {
        not_a_string();
    }
    return code;
}

/// What is behind a `\u`: a control character, or both halves of one beyond U+FFFF.  The number of
/// digits and what is between them.
std::size_t append_code(std::string_view digits, std::string& text) {
    constexpr std::size_t kOne = 4;
    constexpr std::size_t kPair = 10;
    const unsigned first = read_code(digits);
    if (first < 0x20) {
        text += static_cast<char>(first);
        return kOne;
    }
    if (digits.substr(kOne, 2) != "\\u") {
        not_a_string();
    }
    const unsigned second = read_code(digits.substr(kOne + 2));
    if ((first & 0xFC00U) != 0xD800U || (second & 0xFC00U) != 0xDC00U) {
        not_a_string();
    }
    const unsigned point = 0x10000U + ((first & 0x3FFU) << 10U) + (second & 0x3FFU);
    text += static_cast<char>(0xF0U | (point >> 18U));
    for (const unsigned shift : {12U, 6U, 0U}) {
        text += static_cast<char>(0x80U | ((point >> shift) & 0x3FU));
    }
    return kPair;
}

}  // namespace

void append_unescaped_json(std::string_view json, std::string& text) {
    if (json.size() < 2 || json.front() != '"' || json.back() != '"') {
        not_a_string();
    }
    const std::string_view inner = json.substr(1, json.size() - 2);
    for (std::size_t at = 0; at < inner.size(); ++at) {
        if (inner[at] != '\\') {
            text += inner[at];
            continue;
        }
        if (++at == inner.size()) {
            not_a_string();
        }
        switch (inner[at]) {
            case 'b':
                text += '\b';
                break;
            case 't':
                text += '\t';
                break;
            case 'n':
                text += '\n';
                break;
            case 'f':
                text += '\f';
                break;
            case 'r':
                text += '\r';
                break;
            case '"':
            case '\\':
                text += inner[at];
                break;
            case 'u':
                at += append_code(inner.substr(at + 1), text);
                break;
            default:
                not_a_string();
        }
    }
}

}  // namespace holdfast::relay::debezium
