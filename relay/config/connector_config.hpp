// [connector]: Debezium's connector properties under their own names, checked against the table of
// keys and otherwise as they were written.  What they mean is debezium::ConnectorOptions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::relay::config {

/// A property whose name carries an argument, as column.mask.with.10.chars.
struct NamedProperty {
    std::string name;  ///< whole, argument included
    std::string value;
    std::string origin;  ///< "file:line" or the environment variable
};

class ConnectorConfig {
 public:
    /// Value of a property of the table; its default when it was not given.  Throws
    /// std::out_of_range for a name that is not in the table.
    [[nodiscard]] const std::string& text(std::string_view name) const;
    [[nodiscard]] bool flag(std::string_view name) const { return text(name) == "true"; }
    [[nodiscard]] std::int64_t integer(std::string_view name) const;
    /// The parts between commas, trimmed, empty ones left out.
    [[nodiscard]] std::vector<std::string> list(std::string_view name) const;

    /// Whether tables become change events: "topic.prefix" is set.
    [[nodiscard]] bool has_change_events() const { return !text("topic.prefix").empty(); }

    /// By name.
    std::map<std::string, std::string, std::less<>> values;
    std::vector<NamedProperty> named;
};

/// As ConnectorConfig::list(), for any text.
[[nodiscard]] std::vector<std::string> comma_separated(std::string_view text);

}  // namespace holdfast::relay::config
