// The options of the outbox event router: Debezium's, by their names without `transforms.outbox.`,
// and some of our own.
//
// Source: Debezium documentation, "Outbox Event Router", configuration options.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "debezium/connector_options.hpp"

namespace holdfast::relay::debezium {

/// Column names are compared as they are in the catalogue: unquoted, case matters.
struct EventRouterOptions {
    /// The outbox, "schema.table" (ours).
    std::string table = "holdfast.outbox";
    /// Prefix of the logical messages that are events (ours); "" = none are.
    std::string message_prefix = "outbox";

    std::string table_field_event_id = "id";            ///< table.field.event.id
    std::string table_field_event_key = "aggregateid";  ///< table.field.event.key
    /// table.field.event.type: for CloudEvents; else unused, there too.
    std::string table_field_event_type = "type";
    std::string table_field_event_payload = "payload";  ///< table.field.event.payload
    /// table.field.event.timestamp: a timestamp or timestamptz column; "" = the time of commit.
    std::string table_field_event_timestamp;
    /// table.field.event.schema.version: an int column, the version of the envelope's schema.
    std::string table_field_event_schema_version;
    /// A json column whose members become headers (ours).  May be missing from the table.
    std::string table_field_event_headers = "headers";
    /// table.fields.additional.placement: "column:placement[:alias]", separated by commas; header,
    /// envelope or partition.
    std::string table_fields_additional_placement = "type:header:eventType";
    std::string table_field_additional_missing = "error";  ///< table.field.additional.missing
    bool table_expand_json_payload = false;                ///< table.expand.json.payload
    /// lossless: the payload is the JSON value itself; debezium: as upstream infers a schema for
    /// it, which loses nulls, empty arrays and whatever has no schema (ours).
    std::string table_json_payload_compatibility = "lossless";
    std::string table_json_payload_null_behavior = "ignore";         ///< or optional_bytes
    std::string table_json_payload_empty_array_behavior = "ignore";  ///< or optional_string
    std::string route_by_field = "aggregatetype";                    ///< route.by.field
    std::string route_topic_regex = "(?<routedByValue>.*)";          ///< route.topic.regex
    std::string route_topic_replacement = "${routedByValue}";        ///< route.topic.replacement
    bool route_tombstone_on_empty_payload = false;   ///< route.tombstone.on.empty.payload
    std::string table_op_invalid_behavior = "warn";  ///< table.op.invalid.behavior
    /// tracing.span.context.field: a text column with traceparent and tracestate; "" = none.  May
    /// be missing from the table.
    std::string tracing_span_context_field;

    /// key.converter, value.converter, header.converter: upstream they are the connector's.
    ConverterOptions key_converter{.converter = Converter::kString};
    ConverterOptions value_converter{.converter = Converter::kString};
    ConverterOptions header_converter{.converter = Converter::kSimpleHeader};
    /// extended.headers.enabled: the names and values of __debezium.context.*, in front of all
    /// other headers; empty = none.
    std::vector<std::pair<std::string, std::string>> context_headers{};
    /// topic.prefix, for the name of the envelope's schema; "" = none.
    std::string topic_prefix;
    /// decimal.handling.mode and the like, for columns that are not text: the connector's.
    TypeOptions types{};

    /// cloudevents.source (ours): every event gets the headers of a CloudEvent of this source, a
    /// URI reference; "" = none.
    std::string cloudevents_source;
};

/// table.op.invalid.behavior: what happens to an update of an outbox row, which is not an event.
enum class InvalidOperation { kWarn, kError, kFatal };

/// One entry of table.fields.additional.placement.
struct AdditionalPlacement {
    enum class Place { kHeader, kEnvelope, kPartition };
    std::string column;
    Place place = Place::kHeader;
    std::string alias;  ///< the column's name unless another is given
};

/// Everything that is wrong with the options, each naming its option; empty = fine.
[[nodiscard]] std::vector<std::string> find_problems(const EventRouterOptions& options);

/// The entries of table.fields.additional.placement; wrong ones are added to `problems`.
[[nodiscard]] std::vector<AdditionalPlacement> parse_placements(const std::string& option,
                                                                std::vector<std::string>& problems);

/// Throws FatalError(kConfig) with all problems of the options.
void require_good(const EventRouterOptions& options);

/// Whether what is not bytes is written as JSON, and that with its schema.
[[nodiscard]] bool writes_json(const ConverterOptions& converter);
[[nodiscard]] bool writes_schema(const ConverterOptions& converter);

/// "schema.table" in two; an empty half when it is not that.
[[nodiscard]] std::pair<std::string, std::string> split_table(const std::string& table);

/// Of table.op.invalid.behavior, which find_problems() has let through.
[[nodiscard]] InvalidOperation invalid_operation(const EventRouterOptions& options);

}  // namespace holdfast::relay::debezium
