#include "debezium/trace_context.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "debezium/column_encoding.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr std::string_view kBlank = " \t\f";

std::string_view trim_left(std::string_view text) {
    return text.substr(std::min(text.find_first_not_of(kBlank), text.size()));
}

bool ends_with_continuation(std::string_view line) {
    std::size_t backslashes = 0;
    while (line.ends_with('\\')) {
        line.remove_suffix(1);
        ++backslashes;
    }
    return backslashes % 2 == 1;
}

std::string_view next_natural_line(std::string_view& text) {
    const std::size_t end = text.find_first_of("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(line.size());
    if (text.starts_with("\r\n")) {
        text.remove_prefix(2);
    } else if (!text.empty()) {
        text.remove_prefix(1);
    }
    return line;
}

/// The next line that is neither blank nor comment, with those that it goes on in.
std::string next_logical_line(std::string_view& text) {
    std::string line;
    while (line.empty() && !text.empty()) {
        std::string_view natural = trim_left(next_natural_line(text));
        if (natural.starts_with('#') || natural.starts_with('!')) {
            continue;
        }
        while (ends_with_continuation(natural)) {
            line += natural.substr(0, natural.size() - 1);
            if (text.empty()) {
                return line;
            }
            natural = trim_left(next_natural_line(text));
        }
        line += natural;
    }
    return line;
}

std::uint32_t code_unit(std::string_view digits) {
    std::uint32_t unit = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    if (digits.size() != 4 || error != std::errc() || end != digits.data() + digits.size()) {
        throw ConversionError("the trace context has \\u without four hexadecimal digits");
    }
    return unit;
}

/// What keys and values of a trace context are made of is ASCII (W3C Trace Context, 3.2 and 3.3).
void append_unescaped(std::string_view text, std::string& plain) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            plain += text[i];
            continue;
        }
        if (++i == text.size()) {
            return;
        }
        switch (text[i]) {
            case 't':
                plain += '\t';
                break;
            case 'n':
                plain += '\n';
                break;
            case 'r':
                plain += '\r';
                break;
            case 'f':
                plain += '\f';
                break;
            case 'u': {
                constexpr std::uint32_t kAsciiEnd = 0x80;
                const std::uint32_t unit = code_unit(text.substr(i + 1, 4));
                if (unit >= kAsciiEnd) {
                    throw ConversionError("the trace context is not ASCII");
                }
                plain += static_cast<char>(unit);
                i += 4;
                break;
            }
            default:
                plain += text[i];
        }
    }
}

/// Where the key of a line ends.
std::size_t end_of_key(std::string_view line) {
    std::size_t at = 0;
    while (at < line.size() &&
           std::string_view(" \t\f=:").find(line[at]) == std::string_view::npos) {
        at += line[at] == '\\' ? 2 : 1;
    }
    return std::min(at, line.size());
}

}  // namespace

TraceContext parse_trace_context(std::string_view properties) {
    TraceContext context;
    while (!properties.empty()) {
        const std::string line = next_logical_line(properties);
        const std::size_t end = end_of_key(line);
        std::string key;
        append_unescaped(std::string_view(line).substr(0, end), key);
        std::string_view rest = trim_left(std::string_view(line).substr(end));
        if (rest.starts_with('=') || rest.starts_with(':')) {
            rest = trim_left(rest.substr(1));
        }
        std::string value;
        append_unescaped(rest, value);
        if (key == "traceparent") {
            context.traceparent = std::move(value);
        } else if (key == "tracestate") {
            context.tracestate = std::move(value);
        }
    }
    return context;
}

}  // namespace holdfast::relay::debezium
