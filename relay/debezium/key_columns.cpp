#include "debezium/key_columns.hpp"

#include <algorithm>
#include <array>

#include "base/errors.hpp"

namespace holdfast::relay::debezium {

namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\n\r\f\v";
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t start = 0; start <= text.size();) {
        const std::size_t end = std::min(text.find(separator, start), text.size());
        parts.push_back(trimmed(text.substr(start, end - start)));
        start = end + 1;
    }
    return parts;
}

PatternList one_pattern(const std::string& pattern) {
    return PatternList(std::array{pattern});
}

}  // namespace

KeyColumns::KeyColumns(std::string_view message_key_columns) {
    std::vector<std::string_view> entries = split(message_key_columns, ';');
    while (!entries.empty() && entries.back().empty()) {
        entries.pop_back();
    }
    for (const std::string_view entry : entries) {
        const std::size_t colon = entry.find(':');
        const std::string table(trimmed(entry.substr(0, colon)));
        if (colon == std::string_view::npos || table.empty() ||
            entry.find(':', colon + 1) != std::string_view::npos) {
            throw JavaPatternError("\"" + std::string(entry) +
                                   "\" is not of the form schema.table:column,column");
        }
        for (const std::string_view column : split(entry.substr(colon + 1), ',')) {
            if (column.empty()) {
                throw JavaPatternError("\"" + std::string(entry) + "\" names an empty column");
            }
            rules_.push_back({one_pattern(table), one_pattern(table + "." + std::string(column)),
                              std::string(column)});
        }
    }
}

std::vector<std::size_t> KeyColumns::find(std::string_view schema, std::string_view table,
                                          std::span<const std::string> columns,
                                          std::span<const std::string> default_key) const {
    std::string name(schema);
    name += '.';
    name += table;
    std::vector<std::size_t> key;
    for (const Rule& rule : rules_) {
        bool found = false;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (rule.column.matches(name + "." + columns[i])) {
                key.push_back(i);
                found = true;
            }
        }
        if (!found && rule.table.matches(name)) {
            throw FatalError(
                ExitCode::kConfig,
                "message.key.columns: table " + name + " publishes no column " + rule.text,
                "Correct message.key.columns, or the publication's column list.");
        }
    }
    if (!key.empty()) {
        return key;
    }
    for (const std::string& column : default_key) {
        const auto found = std::find(columns.begin(), columns.end(), column);
        if (found != columns.end()) {
            key.push_back(static_cast<std::size_t>(found - columns.begin()));
        }
    }
    return key;
}

}  // namespace holdfast::relay::debezium
