#include "adapters/settings.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "adapters/connector_settings.hpp"
#include "adapters/snapshot_settings.hpp"
#include "debezium/context_headers.hpp"

namespace holdfast::relay::adapters {
namespace {

/// Soon enough that a table is not missed for long, and a query over the catalogues only.
constexpr std::chrono::seconds kDriftInterval{10};

/// Its outbox, its inbox, or a table that the relay writes to, as the progress of a snapshot.
bool needs_extension(const config::Config& config) {
    const auto keeps = [](const config::TooLargeRule& rule) { return rule.policy != "halt"; };
    return std::ranges::find(config.outboxes, "holdfast.outbox", &config::OutboxConfig::table) !=
               config.outboxes.end() ||
           !config.inbox.empty() || !config.notify.empty() || config.capture.record_offsets ||
           snapshot_mode(config) != snapshot::Mode::kNoData ||
           std::ranges::any_of(config.too_large, keeps);
}

debezium::ConverterOptions converter_options(const config::ConverterConfig& converter) {
    return {.converter = converter_of(converter.converter),
            .schemas_enable = converter.schemas_enable,
            .replace_null_with_default = converter.replace_null_with_default,
            .decimal_format_numeric = false,
            .delegate = debezium::Converter::kJson,
            .delegate_schemas_enable = converter.delegate_schemas_enable};
}

/// "" = no CloudEvents.
std::string cloudevents_source(const config::OutboxConfig& outbox, const std::string& slot) {
    if (outbox.cloudevents_mode == "off") {
        return "";
    }
    return outbox.cloudevents_source.empty() ? "/holdfast/" + slot : outbox.cloudevents_source;
}

/// The columns that the event router needs.
std::vector<std::string> outbox_columns(const config::OutboxConfig& outbox,
                                        const std::string& slot) {
    std::vector<std::string> wanted{outbox.table_field_event_id, outbox.table_field_event_key,
                                    outbox.route_by_field, outbox.table_field_event_payload};
    std::vector<std::string> told_elsewhere;
    for (const auto& placement :
         debezium::parse_placements(outbox.table_fields_additional_placement, told_elsewhere)) {
        if (outbox.table_field_additional_missing != "ignore") {
            wanted.push_back(placement.column);
        }
    }
    for (const std::string& column :
         {outbox.table_field_event_timestamp, outbox.table_field_event_schema_version}) {
        if (!column.empty()) {
            wanted.push_back(column);
        }
    }
    if (!cloudevents_source(outbox, slot).empty()) {
        wanted.push_back(outbox.table_field_event_type);
    }
    std::vector<std::string> columns;
    for (std::string& column : wanted) {
        if (std::ranges::find(columns, column) == columns.end()) {
            columns.push_back(std::move(column));
        }
    }
    return columns;
}

}  // namespace

postgres::ConnectOptions connect_options(const config::Config& config, std::string_view part) {
    return {.dsn = config.postgres.dsn,
            .password = config.postgres.password,
            .passfile = config.postgres.passfile,
            .application_name = "holdfast-relay " + std::string(part)};
}

kafka::Properties kafka_properties(const config::Config& config) {
    kafka::Properties properties;
    for (const config::KafkaProperty& property : config.kafka) {
        properties.emplace_back(property.name, property.value);
    }
    return properties;
}

debezium::EventRouterOptions router_options(const config::OutboxConfig& outbox,
                                            const std::string& slot) {
    debezium::EventRouterOptions options;
    options.table = outbox.table;
    options.message_prefix = outbox.message_prefix;
    options.table_field_event_id = outbox.table_field_event_id;
    options.table_field_event_key = outbox.table_field_event_key;
    options.table_field_event_type = outbox.table_field_event_type;
    options.table_field_event_payload = outbox.table_field_event_payload;
    options.table_field_event_timestamp = outbox.table_field_event_timestamp;
    options.table_field_event_schema_version = outbox.table_field_event_schema_version;
    options.table_field_event_headers = outbox.table_field_event_headers;
    options.table_fields_additional_placement = outbox.table_fields_additional_placement;
    options.table_field_additional_missing = outbox.table_field_additional_missing;
    options.table_expand_json_payload = outbox.table_expand_json_payload;
    options.table_json_payload_compatibility = outbox.table_json_payload_compatibility;
    options.table_json_payload_null_behavior = outbox.table_json_payload_null_behavior;
    options.table_json_payload_empty_array_behavior =
        outbox.table_json_payload_empty_array_behavior;
    options.route_by_field = outbox.route_by_field;
    options.route_topic_regex = outbox.route_topic_regex;
    options.route_topic_replacement = outbox.route_topic_replacement;
    options.route_tombstone_on_empty_payload = outbox.route_tombstone_on_empty_payload;
    options.table_op_invalid_behavior = outbox.table_op_invalid_behavior;
    options.tracing_span_context_field = outbox.tracing_span_context_field;
    options.key_converter = converter_options(outbox.key_converter);
    options.value_converter = converter_options(outbox.value_converter);
    options.header_converter = converter_options(outbox.header_converter);
    options.cloudevents_source = cloudevents_source(outbox, slot);
    return options;
}

capture::TranslatorOptions translator_options(const config::Config& config,
                                              std::string database_name, std::string run_id) {
    capture::TranslatorOptions options;
    options.run_id = std::move(run_id);
    for (const config::OutboxConfig& outbox : config.outboxes) {
        options.outboxes.push_back(router_options(outbox, config.postgres.slot));
        debezium::EventRouterOptions& router = options.outboxes.back();
        router.topic_prefix = config.connector.text("topic.prefix");
        if (outbox.extended_headers_enabled) {
            router.context_headers = debezium::context_headers(router.topic_prefix, options.run_id);
        }
    }
    if (!config.capture.resume_after.empty()) {
        options.resume_after = capture::ResumePosition::parse(config.capture.resume_after);
        if (!options.resume_after) {
            throw config::ConfigError(
                {{"[capture]", "resume_after is not a position: \"" + config.capture.resume_after +
                                   "\"; copy the whole line from what `import-debezium "
                                   "--take-over` has written"}});
        }
    }
    if (config.connector.has_change_events()) {
        options.connector = connector_options(config.connector, std::move(database_name));
        for (debezium::EventRouterOptions& outbox : options.outboxes) {
            outbox.types = options.connector->types;
        }
    }
    return options;
}

std::string heartbeat_action_query(const config::Config& config) {
    return config.connector.has_change_events() ? config.connector.text("heartbeat.action.query")
                                                : std::string();
}

capture::PipelineOptions pipeline_options(const config::Config& config) {
    capture::PipelineOptions options;
    options.max_in_flight_bytes = config.capture.max_in_flight_bytes;
    options.status_interval = std::chrono::milliseconds(config.capture.status_interval_ms);
    if (config.connector.has_change_events()) {
        options.heartbeat_interval =
            std::chrono::milliseconds(config.connector.integer("heartbeat.interval.ms"));
    }
    return options;
}

ChunkSourceOptions chunk_source_options(const config::Config& config) {
    return {.slot = config.postgres.slot,
            .publication = config.postgres.publication,
            .chunk_rows = config.connector.integer("incremental.snapshot.chunk.size")};
}

capture::TooLargeOptions too_large_options(const config::Config& config) {
    using capture::TooLargePolicy;
    capture::TooLargeOptions options;
    for (const config::TooLargeRule& rule : config.too_large) {
        options.rules.push_back(
            {rule.topic, rule.policy == "claim-check"   ? TooLargePolicy::kClaimCheck
                         : rule.policy == "dead-letter" ? TooLargePolicy::kDeadLetter
                                                        : TooLargePolicy::kHalt});
    }
    for (const char* name : {"compression.codec", "compression.type"}) {
        const std::optional<std::string> codec = config::kafka_property(config, name);
        options.compressed = options.compressed || (codec && *codec != "none");
    }
    return options;
}

upkeep::UpkeepOptions upkeep_options(const config::Config& config) {
    const config::MaintenanceConfig& maintenance = config.maintenance;
    upkeep::UpkeepOptions options;
    if (config.connector.has_change_events()) {
        options.drift_interval = kDriftInterval;
        options.snapshots_interval = options.verify_interval;
    }
    if (!heartbeat_action_query(config).empty()) {
        options.heartbeat_interval = pipeline_options(config).heartbeat_interval;
    }
    options.maintain_interval = std::chrono::seconds(maintenance.interval_s);
    options.expire_holds_interval = std::chrono::milliseconds(maintenance.expire_holds_interval_ms);
    options.expire_holds_limit = maintenance.expire_holds_limit;
    options.saga_sweep_interval = std::chrono::milliseconds(maintenance.saga_sweep_interval_ms);
    options.saga_sweep_limit = maintenance.saga_sweep_limit;
    return options;
}

postgres::StreamRequirements stream_requirements(const config::Config& config) {
    postgres::StreamRequirements required{.slot = config.postgres.slot,
                                          .publication = config.postgres.publication,
                                          .plugin = config.postgres.plugin,
                                          .outboxes = {},
                                          .system_identifier = config.postgres.system_identifier,
                                          .extension = needs_extension(config)};
    for (const config::OutboxConfig& outbox : config.outboxes) {
        required.outboxes.push_back(
            {.table = outbox.table, .columns = outbox_columns(outbox, config.postgres.slot)});
    }
    return required;
}

}  // namespace holdfast::relay::adapters
