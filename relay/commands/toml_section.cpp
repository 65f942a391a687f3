#include "commands/toml_section.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace holdfast::relay::commands {

std::string toml_string(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string result = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (byte < 0x20 || byte == 0x7F) {
            result += "\\u00";
            result += kDigits[byte >> 4U];
            result += kDigits[byte & 0xFU];
        } else {
            result += c;
        }
    }
    return result + '"';
}

TomlSection::TomlSection(std::string header) : header_(std::move(header)) {}

void TomlSection::add(std::string_view key, const std::string& value) {
    const bool bare = std::ranges::all_of(key, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
    });
    lines_ += (bare ? std::string(key) : toml_string(key)) + " = " + value + "\n";
}

void TomlSection::comment(const std::string& text) {
    lines_ += "# " + text + "\n";
}

std::string TomlSection::text() const {
    return lines_.empty() ? std::string() : "\n" + header_ + "\n" + lines_;
}

}  // namespace holdfast::relay::commands
