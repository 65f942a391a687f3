#include "config/connector_config.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace holdfast::relay::config {

const std::string& ConnectorConfig::text(std::string_view name) const {
    const auto found = values.find(name);
    if (found == values.end()) {
        throw std::out_of_range("no property \"" + std::string(name) + "\" in [connector]");
    }
    return found->second;
}

std::int64_t ConnectorConfig::integer(std::string_view name) const {
    const std::string& digits = text(name);
    std::int64_t number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}

std::vector<std::string> ConnectorConfig::list(std::string_view name) const {
    return comma_separated(text(name));
}

std::vector<std::string> comma_separated(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    std::vector<std::string> parts;
    while (!text.empty()) {
        std::string_view part = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        const std::size_t first = part.find_first_not_of(kSpace);
        if (first != std::string_view::npos) {
            parts.emplace_back(part.substr(first, part.find_last_not_of(kSpace) - first + 1));
        }
    }
    return parts;
}

}  // namespace holdfast::relay::config
