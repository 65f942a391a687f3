// The properties of a connector and of its worker while they are imported: each goes into a section
// of our configuration, or there is a finding that says why not.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "commands/connector_file.hpp"
#include "commands/toml_section.hpp"
#include "config/debezium_properties.hpp"

namespace holdfast::relay::commands {

/// A property that was not carried over, or not whole.
struct ImportFinding {
    std::string property;
    std::string text;  ///< what to use instead, or why it does not matter; no full stop
    enum class Weight {
        kNote,           ///< nothing is lost
        kDifference,     ///< something else is, but messages stay the same
        kOtherMessages,  ///< messages differ, or may
    };
    Weight weight = Weight::kNote;
};

inline constexpr std::array<std::string_view, 3> kConverters = {"key.converter", "value.converter",
                                                                "header.converter"};

[[nodiscard]] std::string lower_case(std::string_view text);

/// Whether the value stands elsewhere: "${file:/path:key}" with one of Connect's config providers,
/// "${NAME}" with whatever fills in a template.  No expression and no name has "${" otherwise, but
/// the groups in route.topic.replacement.
[[nodiscard]] bool is_reference(std::string_view value);
/// What a finding says of one.
[[nodiscard]] std::string reference_text(const std::string& value);

class ImportProperties {
 public:
    /// Both live longer.
    ImportProperties(const ConnectProperties& connector,
                     const std::optional<ConnectProperties>& worker)
        : connector_(connector), worker_(worker) {}

    [[nodiscard]] const ConnectProperties& connector() const noexcept { return connector_; }
    [[nodiscard]] const std::optional<ConnectProperties>& worker() const noexcept {
        return worker_;
    }

    /// The connector's value, "" when it has none.
    [[nodiscard]] std::string own(std::string_view name) const;
    /// As own(), `otherwise` when it has none or an empty one.
    [[nodiscard]] std::string own_or(std::string_view name, std::string_view otherwise) const;
    /// The connector's value, noted as dealt with; a reference to elsewhere counts as no value.
    std::string value_or(std::string_view name, std::string_view otherwise);
    /// As the converters are found: the connector's own, else the worker's.
    [[nodiscard]] std::optional<std::string> effective(const std::string& name) const;

    /// A property of the connector's that needs no more attention.
    void deal_with(const std::string& name) { done_.insert(name); }
    [[nodiscard]] bool is_dealt_with(const std::string& name) const { return done_.contains(name); }

    /// Writes a property of Debezium's into a section (called `which` in our configuration) that
    /// has it by the same name, or finds why it cannot.  `property` is its name in the connector's
    /// configuration.
    void put(TomlSection& section, std::string_view which, const std::string& name,
             std::string value, const std::string& property);
    /// A converter with its options, as far as the section has keys for them.
    void put_converter(TomlSection& section, std::string_view which, const std::string& name);

    void find(const std::string& property, std::string text, ImportFinding::Weight weight);
    /// Says of a property that is not carried over what the table says.  `name` is what its owner
    /// calls it.
    void find_entry(const std::string& property, const std::string& name, const std::string& value,
                    const config::DebeziumProperty* entry, config::PropertyOwner owner);
    /// The table's advice about one of the connector's properties that it knows.
    void find_advice(const std::string& property, ImportFinding::Weight weight);

    /// Heaviest first, then by name.
    [[nodiscard]] std::vector<ImportFinding> findings() const;

 private:
    std::string current_name(std::string_view name, const std::string& value,
                             const std::string& property);

    const ConnectProperties& connector_;
    const std::optional<ConnectProperties>& worker_;
    std::set<std::string, std::less<>> done_;
    std::vector<ImportFinding> findings_;
};

}  // namespace holdfast::relay::commands
