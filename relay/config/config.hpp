// The relay's configuration as plain values, and what may be wrong with it.
//
// Not here: what a value means to PostgreSQL or Kafka.  This module links neither client library,
// so [kafka] properties are passed on as text and validated by kafka::validate_properties().
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.hpp"
#include "config/connector_config.hpp"

namespace holdfast::relay::config {

/// [postgres].  `dsn` and `password` may hold secrets: log them only through redact().
struct PostgresConfig {
    std::string dsn;                ///< libpq keywords or URI; "" = libpq's environment variables
    std::string password;           ///< kept apart from the dsn; "" = none
    std::string passfile;           ///< path of a libpq password file; "" = libpq's default
    std::string slot;               ///< logical replication slot
    std::string publication;        ///< publication that the slot decodes
    std::string plugin;             ///< output plugin of the slot: auto | holdfast | pgoutput
    std::string system_identifier;  ///< refuse any other cluster; "" = any
};

/// One [kafka] line.  `origin` is "file:line" or the environment variable, for messages.
struct KafkaProperty {
    std::string name;
    std::string value;
    std::string origin;
};

/// [capture]
struct CaptureConfig {
    std::string delivery;                ///< always "at-least-once" in this version
    std::int64_t max_in_flight_bytes{};  ///< handed to Kafka and not yet acknowledged
    std::int64_t status_interval_ms{};   ///< standby status updates to PostgreSQL
    bool record_offsets{};               ///< write Kafka offsets back into outbox_position
    std::string resume_after;            ///< where Debezium left the slot; "" = nowhere
};

/// One of an outbox' converters: a class of Kafka Connect's, by its name, and its options.
struct ConverterConfig {
    std::string converter;
    bool schemas_enable{};
    bool replace_null_with_default{};
    std::string delegate;  ///< delegate.converter.type, of BinaryDataConverter
    bool delegate_schemas_enable{};
};

/// [outbox], or each [[outbox]]: Debezium's event router options by their names, and some of our
/// own (`table`, `message.prefix`, `table.field.event.headers`, `cloudevents.*`).
struct OutboxConfig {
    std::string table;
    std::string message_prefix;
    std::string table_field_event_id;
    std::string table_field_event_key;
    std::string table_field_event_type;
    std::string table_field_event_payload;
    std::string table_field_event_timestamp;
    std::string table_field_event_headers;
    std::string table_fields_additional_placement;
    std::string route_by_field;
    std::string route_topic_regex;
    std::string route_topic_replacement;
    bool route_tombstone_on_empty_payload{};
    std::string table_op_invalid_behavior;  ///< warn | error | fatal
    std::string table_field_event_schema_version;
    std::string table_field_additional_missing;  ///< error | ignore
    bool table_expand_json_payload{};
    std::string table_json_payload_compatibility;         ///< lossless | debezium
    std::string table_json_payload_null_behavior;         ///< ignore | optional_bytes
    std::string table_json_payload_empty_array_behavior;  ///< ignore | optional_string
    ConverterConfig key_converter;
    ConverterConfig value_converter;
    ConverterConfig header_converter;
    bool extended_headers_enabled{};
    std::string tracing_span_context_field;
    std::string cloudevents_mode;    ///< off | binary
    std::string cloudevents_source;  ///< "" = "/holdfast/" and the slot
};

/// One [[inbox]] binding: the messages of `topic`, consumed by `group`, go to the SQL function
/// `call(key text, value jsonb, headers jsonb)`.
struct InboxBinding {
    std::string topic;
    std::string group;
    std::string call;
    std::int64_t batch_max_messages{};
    std::int64_t batch_max_bytes{};
    std::string start;  ///< earliest | latest: where a partition without a stored offset begins
};

/// One [[notify]] binding: the messages of `topic`, consumed by `group`, are posted to `url`.
/// `secret` and `url` may hold secrets: show parse_url(url).origin() only.
struct NotifyBinding {
    std::string topic;
    std::string group;
    std::string url;
    std::int64_t timeout_ms{};
    std::string secret;         ///< "" = none
    std::string secret_header;  ///< header that carries it
    std::string ca_file;        ///< path; "" = the system's authorities
    std::string start;          ///< as in InboxBinding
};

/// One [[too_large]] rule: what becomes of records that `topic` does not take because of their
/// size.
struct TooLargeRule {
    std::string topic;   ///< its name, or an expression that matches all of it
    std::string policy;  ///< halt | claim-check | dead-letter
};

/// [maintenance]
struct MaintenanceConfig {
    std::int64_t interval_s{};                ///< 0 = off
    std::int64_t expire_holds_interval_ms{};  ///< 0 = off
    std::int64_t expire_holds_limit{};
    std::int64_t saga_sweep_interval_ms{};  ///< 0 = off
    std::int64_t saga_sweep_limit{};
};

/// [http]
struct HttpConfig {
    std::string listen;  ///< host:port; "" = off
};

/// [log]
struct LogConfig {
    std::string level;  ///< error | warn | info | debug
};

struct Config {
    PostgresConfig postgres;
    std::vector<KafkaProperty> kafka;
    CaptureConfig capture;
    std::vector<OutboxConfig> outboxes;  ///< one by default; none with change events alone
    ConnectorConfig connector;
    std::vector<InboxBinding> inbox;
    std::vector<NotifyBinding> notify;
    std::vector<TooLargeRule> too_large;
    MaintenanceConfig maintenance;
    HttpConfig http;
    LogConfig log;
};

/// One thing that is wrong.  `origin` is "file:line", "file", or an environment variable's name.
struct Problem {
    std::string origin;
    std::string message;

    /// "holdfast.toml:12: unknown key ..."
    [[nodiscard]] std::string to_string() const;
};

/// All problems of a configuration; what() has one per line.  Exit code kConfig.
class ConfigError : public FatalError {
 public:
    explicit ConfigError(std::vector<Problem> problems);
    [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }

 private:
    std::vector<Problem> problems_;
};

/// The last value of a [kafka] property, or nullopt.
[[nodiscard]] std::optional<std::string> kafka_property(const Config& config,
                                                        std::string_view name);

}  // namespace holdfast::relay::config
