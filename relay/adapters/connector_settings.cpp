#include "adapters/connector_settings.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.hpp"
#include "debezium/change_events.hpp"

namespace holdfast::relay::adapters {
namespace {

using namespace debezium;  // the options' types, a dozen of them

template <typename Enum>
using Choice = std::pair<std::string_view, Enum>;

/// The table of keys has let through only these.
template <typename Enum, std::size_t count>
Enum choose(std::string_view text, const std::array<Choice<Enum>, count>& choices) {
    return std::ranges::find(choices, text, &Choice<Enum>::first)->second;
}

constexpr std::array kVersions{Choice<CompatVersion>{"3.6", CompatVersion::k36},
                               Choice<CompatVersion>{"3.7", CompatVersion::k37}};
constexpr std::array kDecimalModes{Choice<DecimalHandling>{"precise", DecimalHandling::kPrecise},
                                   Choice<DecimalHandling>{"double", DecimalHandling::kDouble},
                                   Choice<DecimalHandling>{"string", DecimalHandling::kString}};
constexpr std::array kTimeModes{
    Choice<TimePrecision>{"adaptive", TimePrecision::kAdaptive},
    Choice<TimePrecision>{"adaptive_time_microseconds", TimePrecision::kAdaptiveTimeMicroseconds},
    Choice<TimePrecision>{"connect", TimePrecision::kConnect},
    Choice<TimePrecision>{"isostring", TimePrecision::kIsostring},
    Choice<TimePrecision>{"microseconds", TimePrecision::kMicroseconds},
    Choice<TimePrecision>{"nanoseconds", TimePrecision::kNanoseconds},
    Choice<TimePrecision>{"structured", TimePrecision::kStructured}};
constexpr std::array kIntervalModes{Choice<IntervalHandling>{"numeric", IntervalHandling::kNumeric},
                                    Choice<IntervalHandling>{"string", IntervalHandling::kString}};
constexpr std::array kHstoreModes{Choice<HstoreHandling>{"json", HstoreHandling::kJson},
                                  Choice<HstoreHandling>{"map", HstoreHandling::kMap}};
constexpr std::array kBinaryModes{
    Choice<BinaryHandling>{"bytes", BinaryHandling::kBytes},
    Choice<BinaryHandling>{"base64", BinaryHandling::kBase64},
    Choice<BinaryHandling>{"base64-url-safe", BinaryHandling::kBase64UrlSafe},
    Choice<BinaryHandling>{"hex", BinaryHandling::kHex}};
constexpr std::array kFailureModes{Choice<ConversionFailure>{"warn", ConversionFailure::kWarn},
                                   Choice<ConversionFailure>{"skip", ConversionFailure::kSkip},
                                   Choice<ConversionFailure>{"fail", ConversionFailure::kFail}};
constexpr std::array kAdjustments{
    Choice<NameAdjustment>{"none", NameAdjustment::kNone},
    Choice<NameAdjustment>{"avro", NameAdjustment::kAvro},
    Choice<NameAdjustment>{"avro_unicode", NameAdjustment::kAvroUnicode}};
constexpr std::array kConverters{
    Choice<Converter>{"org.apache.kafka.connect.json.JsonConverter", Converter::kJson},
    Choice<Converter>{"org.apache.kafka.connect.storage.StringConverter", Converter::kString},
    Choice<Converter>{"org.apache.kafka.connect.converters.ByteArrayConverter",
                      Converter::kByteArray},
    Choice<Converter>{"io.debezium.converters.BinaryDataConverter", Converter::kBinaryData},
    Choice<Converter>{"org.apache.kafka.connect.storage.SimpleHeaderConverter",
                      Converter::kSimpleHeader}};

/// "hex:" and digits stand for those bytes.
std::optional<std::string> placeholder_bytes(const std::string& text) {
    constexpr std::string_view kHex = "hex:";
    if (!text.starts_with(kHex)) {
        return text;
    }
    const auto digit = [](char c) -> int {
        constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
        const std::size_t at = kDigits.find(c);
        return at == std::string_view::npos ? -1 : static_cast<int>(at < 16 ? at : at - 6);
    };
    std::string bytes;
    for (std::size_t i = kHex.size(); i < text.size(); i += 2) {
        const int high = digit(text[i]);
        const int low = i + 1 < text.size() ? digit(text[i + 1]) : -1;
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        bytes += static_cast<char>((high << 4) | low);
    }
    return bytes;
}

/// The part of a name between what stands before and after its argument.
std::optional<std::string> between(std::string_view name, std::string_view before,
                                   std::string_view after) {
    if (!name.starts_with(before) || !name.ends_with(after) ||
        name.size() <= before.size() + after.size()) {
        return std::nullopt;
    }
    return std::string(name.substr(before.size(), name.size() - before.size() - after.size()));
}

/// A property whose name carries an argument, put where it belongs.
void add_rule(const config::NamedProperty& property, ConnectorOptions& options) {
    constexpr std::string_view kSalt = ".with.salt.";
    ColumnRule rule{.property = property.name,
                    .argument = {},
                    .salt = {},
                    .columns = config::comma_separated(property.value)};
    if (const auto chars = between(property.name, "column.mask.with.", ".chars")) {
        rule.argument = *chars;
        options.mask_with_chars.push_back(std::move(rule));
        return;
    }
    if (const auto chars = between(property.name, "column.truncate.to.", ".chars")) {
        rule.argument = *chars;
        options.truncate_to_chars.push_back(std::move(rule));
        return;
    }
    const bool second = property.name.starts_with("column.mask.hash.v2.");
    const std::string_view before = second ? "column.mask.hash.v2." : "column.mask.hash.";
    const std::string_view rest = std::string_view(property.name).substr(before.size());
    const std::size_t salt = rest.find(kSalt);
    rule.argument = rest.substr(0, salt);
    rule.salt = rest.substr(salt + kSalt.size());
    (second ? options.mask_hash_v2 : options.mask_hash).push_back(std::move(rule));
}

ConverterOptions converter_options(const config::ConnectorConfig& connector,
                                   const std::string& which) {
    return {.converter = choose(connector.text(which), kConverters),
            .schemas_enable = connector.flag(which + ".schemas.enable"),
            .replace_null_with_default = connector.flag(which + ".replace.null.with.default"),
            .decimal_format_numeric = connector.text(which + ".decimal.format") == "NUMERIC"};
}

}  // namespace

Converter converter_of(std::string_view class_name) {
    return choose(class_name, kConverters);
}

ConnectorOptions connector_options(const config::ConnectorConfig& connector,
                                   std::string database_name) {
    std::vector<config::Problem> problems;
    ConnectorOptions options;
    options.topic_prefix = connector.text("topic.prefix");
    options.database_name = std::move(database_name);
    options.compat_version = choose(connector.text("compat.version"), kVersions);

    options.types = {
        .compat_version = options.compat_version,
        .decimal_handling_mode = choose(connector.text("decimal.handling.mode"), kDecimalModes),
        .time_precision_mode = choose(connector.text("time.precision.mode"), kTimeModes),
        .interval_handling_mode = choose(connector.text("interval.handling.mode"), kIntervalModes),
        .hstore_handling_mode = choose(connector.text("hstore.handling.mode"), kHstoreModes),
        .binary_handling_mode = choose(connector.text("binary.handling.mode"), kBinaryModes),
        .money_fraction_digits = static_cast<int>(connector.integer("money.fraction.digits")),
        .include_unknown_datatypes = connector.flag("include.unknown.datatypes"),
        .unavailable_value_placeholder = {},
        .decimal_format_numeric = connector.text("value.converter.decimal.format") == "NUMERIC"};
    const std::string& placeholder = connector.text("unavailable.value.placeholder");
    if (auto bytes = placeholder_bytes(placeholder)) {
        options.types.unavailable_value_placeholder = std::move(*bytes);
    } else {
        problems.push_back(
            {"[connector]",
             "unavailable.value.placeholder: \"hex:\" is followed by pairs of hexadecimal digits"});
    }

    options.key_converter = converter_options(connector, "key.converter");
    options.value_converter = converter_options(connector, "value.converter");
    options.header_converter = {
        .converter = choose(connector.text("header.converter"), kConverters),
        .schemas_enable = connector.flag("header.converter.schemas.enable")};

    options.schema_include_list = connector.list("schema.include.list");
    options.schema_exclude_list = connector.list("schema.exclude.list");
    options.table_include_list = connector.list("table.include.list");
    options.table_exclude_list = connector.list("table.exclude.list");
    options.column_include_list = connector.list("column.include.list");
    options.column_exclude_list = connector.list("column.exclude.list");
    options.message_key_columns = connector.text("message.key.columns");
    options.message_prefix_include_list = connector.list("message.prefix.include.list");
    options.message_prefix_exclude_list = connector.list("message.prefix.exclude.list");
    options.skipped_operations = connector.text("skipped.operations");
    options.skip_messages_without_change = connector.flag("skip.messages.without.change");

    for (const config::NamedProperty& property : connector.named) {
        add_rule(property, options);
    }
    options.column_propagate_source_type = connector.list("column.propagate.source.type");
    options.datatype_propagate_source_type = connector.list("datatype.propagate.source.type");

    options.tombstones_on_delete = connector.flag("tombstones.on.delete");
    options.extended_headers_enabled = connector.flag("extended.headers.enabled");
    options.provide_transaction_metadata = connector.flag("provide.transaction.metadata");
    options.event_converting_failure_handling_mode =
        choose(connector.text("event.converting.failure.handling.mode"), kFailureModes);
    options.schema_name_adjustment_mode =
        choose(connector.text("schema.name.adjustment.mode"), kAdjustments);
    options.field_name_adjustment_mode =
        choose(connector.text("field.name.adjustment.mode"), kAdjustments);

    options.topic_delimiter = connector.text("topic.delimiter");
    options.topic_transaction = connector.text("topic.transaction");
    options.topic_heartbeat_prefix = connector.text("topic.heartbeat.prefix");
    options.topic_heartbeat_name = connector.text("topic.heartbeat.name");

    for (const std::string& problem : debezium::find_problems(options)) {
        problems.push_back({"[connector]", problem});
    }
    if (!problems.empty()) {
        throw config::ConfigError(std::move(problems));
    }
    return options;
}

}  // namespace holdfast::relay::adapters
