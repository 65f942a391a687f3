#include "commands/import_properties.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "base/errors.hpp"
#include "config/config.hpp"
#include "config/keys.hpp"

namespace holdfast::relay::commands {
namespace {

using config::debezium_property;
using config::DebeziumProperty;
using config::PropertyOwner;
using config::PropertyVerdict;
using Weight = ImportFinding::Weight;

/// The one property that may name groups of an expression, as ${group}.
constexpr std::string_view kGroups = "route.topic.replacement";

/// A value that Debezium has given another name: end of the property's name, before, now.
constexpr std::array<std::array<std::string_view, 3>, 4> kRenamedValues = {{
    {"snapshot.mode", "never", "no_data"},
    {"snapshot.mode", "schema_only", "no_data"},
    {"snapshot.mode", "exported", "initial"},
    {".converter", "io.debezium.converters.ByteBufferConverter",
     "io.debezium.converters.BinaryDataConverter"},
}};

std::string choices_text(const config::Key& known) {
    std::string text = ": ";
    if (known.type == "boolean") {
        return text + "true or false";
    }
    for (const std::string_view choice : known.choices) {
        text += (text.size() == 2 ? "" : ", ") + quoted(choice);
    }
    return text;
}

bool is_number(const config::Key& known, const std::string& value) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    return error == std::errc() && end == value.data() + value.size() && number >= known.min &&
           number <= known.max;
}

std::string suggestion(std::string_view name, PropertyOwner owner, std::size_t distance) {
    const auto near = config::nearest_property(owner, name, distance);
    return near ? "; is " + quoted(*near) + " meant?" : std::string();
}

}  // namespace

std::string lower_case(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return result;
}

bool is_reference(std::string_view value) {
    const std::size_t begin = value.find("${");
    return begin != std::string_view::npos && value.find('}', begin) != std::string_view::npos;
}

std::string reference_text(const std::string& value) {
    return "its value " + value +
           " is for a config provider or a template to find: write what it stands for";
}

std::string ImportProperties::own(std::string_view name) const {
    const auto found = connector_.find(name);
    return found == connector_.end() ? std::string() : found->second;
}

std::string ImportProperties::own_or(std::string_view name, std::string_view otherwise) const {
    const std::string value = own(name);
    return value.empty() ? std::string(otherwise) : value;
}

std::string ImportProperties::value_or(std::string_view name, std::string_view otherwise) {
    const auto found = connector_.find(name);
    if (found == connector_.end()) {
        return std::string(otherwise);
    }
    deal_with(found->first);
    if (is_reference(found->second)) {
        find(found->first, reference_text(found->second), Weight::kOtherMessages);
        return std::string(otherwise);
    }
    return found->second;
}

std::optional<std::string> ImportProperties::effective(const std::string& name) const {
    if (const auto found = connector_.find(name); found != connector_.end()) {
        return found->second;
    }
    if (worker_) {
        if (const auto found = worker_->find(name); found != worker_->end()) {
            return found->second;
        }
    }
    return std::nullopt;
}

void ImportProperties::find(const std::string& property, std::string text, Weight weight) {
    findings_.push_back({property, std::move(text), weight});
}

void ImportProperties::find_entry(const std::string& property, const std::string& name,
                                  const std::string& value, const DebeziumProperty* entry,
                                  PropertyOwner owner) {
    if (entry == nullptr) {
        find(property, "nothing is known of it" + suggestion(name, owner, name.size()),
             Weight::kOtherMessages);
        return;
    }
    if (value.empty() || config::is_harmless(*entry, value)) {
        return;
    }
    const Weight weight = entry->changes_messages                           ? Weight::kOtherMessages
                          : entry->verdict == PropertyVerdict::kUnsupported ? Weight::kDifference
                                                                            : Weight::kNote;
    // What a wildcard takes may be a slip of the pen.
    const bool known = entry->pattern.find('*') == std::string_view::npos;
    find(property,
         std::string(entry->advice) + (known ? std::string() : suggestion(name, owner, 2)), weight);
}

void ImportProperties::find_advice(const std::string& property, Weight weight) {
    find(property, std::string(debezium_property(PropertyOwner::kConnector, property)->advice),
         weight);
}

void ImportProperties::put(TomlSection& section, std::string_view which, const std::string& name,
                           std::string value, const std::string& property) {
    const config::Key* known = config::find_key(which, name);
    if (known == nullptr) {
        find(property, config::bracketed(which) + " has no such key in this version",
             Weight::kOtherMessages);
        return;
    }
    if (is_reference(value) && (name != kGroups || value.find(':') != std::string::npos)) {
        find(property, reference_text(value), Weight::kOtherMessages);
        return;
    }
    value = current_name(name, value, property);
    if (!known->choices.empty() || known->type == "boolean") {
        const auto same = std::ranges::find_if(known->choices, [&](std::string_view choice) {
            return lower_case(choice) == lower_case(value);
        });
        if (same != known->choices.end()) {
            value = *same;
        } else if (known->type == "boolean" &&
                   (lower_case(value) == "true" || lower_case(value) == "false")) {
            value = lower_case(value);
        } else {
            find(property,
                 "its value " + quoted(value) + " is not to be had here" + choices_text(*known),
                 Weight::kOtherMessages);
            return;
        }
    }
    if (known->type == "integer" && !is_number(*known, value)) {
        find(property,
             "its value " + quoted(value) + " is no number from " + std::to_string(known->min) +
                 " to " + std::to_string(known->max),
             Weight::kOtherMessages);
        return;
    }
    section.add(name,
                known->type == "string" || known->type == "path" ? toml_string(value) : value);
}

void ImportProperties::put_converter(TomlSection& section, std::string_view which,
                                     const std::string& name) {
    const auto converter = effective(name);
    if (!converter) {
        return;
    }
    put(section, which, name, *converter, name);
    for (const ConnectProperties* properties : {worker_ ? &*worker_ : nullptr, &connector_}) {
        if (properties == nullptr) {
            continue;
        }
        for (const auto& [option, value] : *properties) {
            // Its options belong to the converter: the worker's count only with the worker's.
            const bool overridden = properties != &connector_ &&
                                    (connector_.contains(name) || connector_.contains(option));
            const auto* entry = debezium_property(PropertyOwner::kConnector, option);
            if (!overridden && option.starts_with(name + ".") && entry != nullptr &&
                entry->verdict == PropertyVerdict::kSupported) {
                put(section, which, option, value, option);
            }
        }
    }
}

/// What Debezium calls the value today, with a finding if it had another name.
std::string ImportProperties::current_name(std::string_view name, const std::string& value,
                                           const std::string& property) {
    for (const auto& [suffix, old, now] : kRenamedValues) {
        if (name.ends_with(suffix) && lower_case(value) == lower_case(old)) {
            find(property, quoted(value) + " is called " + quoted(now) + " since Debezium 2",
                 Weight::kNote);
            return std::string(now);
        }
    }
    return value;
}

std::vector<ImportFinding> ImportProperties::findings() const {
    std::vector<ImportFinding> sorted = findings_;
    std::ranges::stable_sort(sorted, [](const auto& a, const auto& b) {
        return a.weight != b.weight ? a.weight > b.weight : a.property < b.property;
    });
    return sorted;
}

}  // namespace holdfast::relay::commands
