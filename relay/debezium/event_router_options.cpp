#include "debezium/event_router_options.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "base/errors.hpp"
#include "debezium/cloud_events.hpp"
#include "debezium/topic_router.hpp"

namespace holdfast::relay::debezium {
namespace {

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kSpace);
    return first == std::string_view::npos
               ? std::string_view()
               : text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// The parts of a text between separators, trimmed.
std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(trim(text.substr(0, end)));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

/// Debezium's name of an option that holds a column's name, and the value.
using NamedColumn = std::pair<const char*, const std::string*>;

void find_wrong_choice(std::vector<std::string>& problems, std::string_view option,
                       const std::string& value, std::initializer_list<std::string_view> choices) {
    if (std::ranges::find(choices, value) != choices.end()) {
        return;
    }
    std::string list;
    for (const std::string_view choice : choices) {
        list += (list.empty() ? "" : ", ") + std::string(choice);
    }
    problems.push_back(std::string(option) + ": \"" + value + "\" is none of " + list);
}

void find_expansion_problems(const EventRouterOptions& options,
                             std::vector<std::string>& problems) {
    find_wrong_choice(problems, "table.json.payload.compatibility",
                      options.table_json_payload_compatibility, {"lossless", "debezium"});
    find_wrong_choice(problems, "table.json.payload.null.behavior",
                      options.table_json_payload_null_behavior, {"ignore", "optional_bytes"});
    find_wrong_choice(problems, "table.json.payload.empty.array.behavior",
                      options.table_json_payload_empty_array_behavior,
                      {"ignore", "optional_string"});
    const bool lossless = options.table_json_payload_compatibility == "lossless";
    if (lossless && options.table_json_payload_null_behavior != "ignore") {
        problems.emplace_back(
            "table.json.payload.null.behavior: nothing is dropped unless "
            "table.json.payload.compatibility = \"debezium\"");
    }
    if (lossless && options.table_json_payload_empty_array_behavior != "ignore") {
        problems.emplace_back(
            "table.json.payload.empty.array.behavior: nothing is dropped unless "
            "table.json.payload.compatibility = \"debezium\"");
    }
    if (!options.table_expand_json_payload) {
        return;
    }
    const ConverterOptions& converter = options.value_converter;
    if (converter.converter == Converter::kByteArray ||
        (converter.converter == Converter::kString && !lossless)) {
        problems.emplace_back(
            "table.expand.json.payload: the payload becomes a struct, which needs "
            "value.converter = org.apache.kafka.connect.json.JsonConverter");
    } else if (lossless && writes_schema(converter)) {
        problems.emplace_back(
            std::string("table.expand.json.payload: not every JSON value has a schema; set ") +
            (converter.converter == Converter::kJson
                 ? "value.converter.schemas.enable"
                 : "value.converter.delegate.converter.type.schemas.enable") +
            " = false, or table.json.payload.compatibility = \"debezium\"");
    }
}

void find_converter_problems(const EventRouterOptions& options,
                             const std::vector<AdditionalPlacement>& placements,
                             std::vector<std::string>& problems) {
    const bool envelope = std::ranges::any_of(placements, [](const auto& placement) {
        return placement.place == AdditionalPlacement::Place::kEnvelope;
    });
    if (envelope && (options.value_converter.converter == Converter::kString ||
                     options.value_converter.converter == Converter::kByteArray)) {
        problems.emplace_back(
            "table.fields.additional.placement: an envelope is a struct, which needs "
            "value.converter = org.apache.kafka.connect.json.JsonConverter");
    }
    if (!options.table_field_event_schema_version.empty() && !envelope) {
        problems.emplace_back(
            "table.field.event.schema.version: only an envelope has a version, and "
            "table.fields.additional.placement has no envelope");
    }
}

}  // namespace

std::vector<AdditionalPlacement> parse_placements(const std::string& option,
                                                  std::vector<std::string>& problems) {
    const auto problem = [&](const std::string& text) {
        problems.push_back("table.fields.additional.placement: " + text);
    };
    std::vector<AdditionalPlacement> placements;
    if (trim(option).empty()) {
        return placements;
    }
    using Place = AdditionalPlacement::Place;
    for (const std::string& entry : split(option, ',')) {
        const auto parts = split(entry, ':');
        if (parts.size() < 2 || parts.size() > 3 || parts.front().empty() || parts.back().empty()) {
            problem("\"" + entry + "\" is not column:placement[:alias]");
        } else if (parts[1] == "header" || parts[1] == "envelope" || parts[1] == "partition") {
            placements.push_back({.column = parts.front(),
                                  .place = parts[1] == "header"     ? Place::kHeader
                                           : parts[1] == "envelope" ? Place::kEnvelope
                                                                    : Place::kPartition,
                                  .alias = parts.size() == 3 ? parts[2] : parts[0]});
        } else {
            problem("\"" + parts[1] + "\" is no placement: header, envelope and partition are");
        }
    }
    const auto partitions =
        std::ranges::count(placements, Place::kPartition, &AdditionalPlacement::place);
    if (partitions > 1) {
        problem("only one column can be the partition");
    }
    return placements;
}

std::pair<std::string, std::string> split_table(const std::string& table) {
    const std::size_t dot = table.find('.');
    if (dot == std::string::npos) {
        return {};
    }
    return {table.substr(0, dot), table.substr(dot + 1)};
}

bool writes_json(const ConverterOptions& converter) {
    return converter.converter == Converter::kJson || converter.converter == Converter::kBinaryData;
}

bool writes_schema(const ConverterOptions& converter) {
    return writes_json(converter) &&
           (converter.converter == Converter::kJson ? converter.schemas_enable
                                                    : converter.delegate_schemas_enable);
}

InvalidOperation invalid_operation(const EventRouterOptions& options) {
    if (options.table_op_invalid_behavior == "fatal") {
        return InvalidOperation::kFatal;
    }
    return options.table_op_invalid_behavior == "error" ? InvalidOperation::kError
                                                        : InvalidOperation::kWarn;
}

std::vector<std::string> find_problems(const EventRouterOptions& options) {
    std::vector<std::string> problems;
    const auto [schema, table] = split_table(options.table);
    if (schema.empty() || table.empty()) {
        problems.push_back("table: \"" + options.table + "\" is not schema.table");
    }
    for (const auto& [name, column] :
         {NamedColumn{"table.field.event.id", &options.table_field_event_id},
          NamedColumn{"table.field.event.key", &options.table_field_event_key},
          NamedColumn{"table.field.event.payload", &options.table_field_event_payload},
          NamedColumn{"route.by.field", &options.route_by_field}}) {
        if (column->empty()) {
            problems.push_back(std::string(name) + ": a column is needed");
        }
    }
    const auto placements = parse_placements(options.table_fields_additional_placement, problems);
    try {
        const TopicRouter router(options.route_topic_regex, options.route_topic_replacement);
    } catch (const TopicRouterError& error) {
        problems.emplace_back(error.what());
    }
    find_wrong_choice(problems, "table.field.additional.missing",
                      options.table_field_additional_missing, {"error", "ignore"});
    if (options.table_op_invalid_behavior != "warn" &&
        options.table_op_invalid_behavior != "error" &&
        options.table_op_invalid_behavior != "fatal") {
        problems.push_back("table.op.invalid.behavior: \"" + options.table_op_invalid_behavior +
                           "\" is not warn, error or fatal");
    }
    find_expansion_problems(options, problems);
    find_converter_problems(options, placements, problems);
    if (!options.cloudevents_source.empty()) {
        if (!is_uri_reference(options.cloudevents_source)) {
            problems.push_back("cloudevents.source: \"" + options.cloudevents_source +
                               "\" is not a URI reference");
        }
        if (options.table_field_event_type.empty()) {
            problems.emplace_back("table.field.event.type: a column is needed for CloudEvents");
        }
    }
    return problems;
}

void require_good(const EventRouterOptions& options) {
    const auto problems = find_problems(options);
    if (problems.empty()) {
        return;
    }
    std::string all = "[outbox] " + problems.front();
    for (std::size_t i = 1; i < problems.size(); ++i) {
        all += "; " + problems[i];
    }
    throw FatalError(ExitCode::kConfig, all);
}

}  // namespace holdfast::relay::debezium
