#include "config/keys.hpp"

#include <algorithm>
#include <cctype>

#include "config/connector_keys.hpp"

namespace holdfast::relay::config {
namespace {

constexpr std::string_view kJsonConverter = "org.apache.kafka.connect.json.JsonConverter";
constexpr std::string_view kStringConverter = "org.apache.kafka.connect.storage.StringConverter";
constexpr std::string_view kByteArrayConverter =
    "org.apache.kafka.connect.converters.ByteArrayConverter";
constexpr std::string_view kBinaryDataConverter = "io.debezium.converters.BinaryDataConverter";
constexpr std::string_view kSimpleHeaderConverter =
    "org.apache.kafka.connect.storage.SimpleHeaderConverter";
constexpr std::int64_t kMebibyte = 1 << 20;
constexpr std::int64_t kDayMs = 86'400'000;

// A captureless lambda as a Target: TARGET(capture.delivery) is where that key's value goes.
#define TARGET(member) +[](Config& config) -> decltype((config.member)) { return config.member; }

std::vector<Key> make_keys() {
    using enum Sensitivity;
    return {
        {.section = "postgres",
         .name = "dsn",
         .type = "string",
         .sensitivity = kMayHoldSecret,
         .help = "How to reach the database: libpq keywords or a URI. Empty: libpq's own "
                 "environment variables (`PGHOST`, ...).",
         .target = TARGET(postgres.dsn)},
        {.section = "postgres",
         .name = "password",
         .type = "string",
         .sensitivity = kMayHoldSecret,
         .help = "Password of the role, apart from the dsn; best given as `{ file = ... }` or "
                 "`{ credential = ... }`.",
         .target = TARGET(postgres.password)},
        {.section = "postgres",
         .name = "passfile",
         .type = "path",
         .help = "A libpq password file, mode 0600. Empty: libpq's default.",
         .target = TARGET(postgres.passfile)},
        {.section = "postgres",
         .name = "slot",
         .type = "string",
         .default_value = "holdfast",
         .help = "The logical replication slot. Made only by `init` or `run --create-slot`.",
         .target = TARGET(postgres.slot)},
        {.section = "postgres",
         .name = "publication",
         .type = "string",
         .default_value = "holdfast",
         .help = "The publication that the slot is read through.",
         .target = TARGET(postgres.publication)},
        {.section = "postgres",
         .name = "plugin",
         .type = "string",
         .default_value = "auto",
         .choices = {"auto", "holdfast", "pgoutput"},
         .help =
             "The output plugin of a slot that is made: `holdfast` is the extension's, which sends "
             "what `pgoutput` does in batches, at half the cost. `auto`: `holdfast` where the "
             "database has the extension and the role may use it. A slot that exists keeps its "
             "own.",
         .target = TARGET(postgres.plugin)},
        {.section = "postgres",
         .name = "system_identifier",
         .type = "string",
         .help = "The cluster that this relay belongs to (`pg_control_system()`). Any other is "
                 "refused with exit code 14. Empty: not checked.",
         .target = TARGET(postgres.system_identifier)},

        {.section = "capture",
         .name = "delivery",
         .type = "string",
         .default_value = "at-least-once",
         .choices = {"at-least-once"},
         .help = "What is promised: each event at least once, repeated only as a contiguous replay "
                 "after a crash.",
         .target = TARGET(capture.delivery)},
        {.section = "capture",
         .name = "max_in_flight_bytes",
         .type = "integer",
         .unit = "bytes",
         .default_value = "8388608",
         .min = 64 * 1024,
         .max = 1024 * kMebibyte,
         .help = "Bound on what is handed to Kafka and not yet acknowledged. When it is reached, "
                 "the relay stops reading from PostgreSQL.",
         .target = TARGET(capture.max_in_flight_bytes)},
        {.section = "capture",
         .name = "status_interval_ms",
         .type = "integer",
         .unit = "ms",
         .default_value = "1000",
         .min = 10,
         .max = 60'000,
         .help = "How often PostgreSQL is told what is safe in Kafka. After a crash at most this "
                 "much is repeated.",
         .target = TARGET(capture.status_interval_ms)},
        {.section = "capture",
         .name = "record_offsets",
         .type = "boolean",
         .default_value = "false",
         .help = "Write topic, partition and offset of each delivered event back to "
                 "`holdfast.outbox_position`, for `holdfast.trace()`.",
         .target = TARGET(capture.record_offsets)},
        {.section = "capture",
         .name = "resume_after",
         .type = "string",
         .help = "Where Debezium left the slot, as `import-debezium --take-over` writes it. It has "
                 "done its work once the slot is confirmed beyond it, and may stay.",
         .target = TARGET(capture.resume_after)},

        {.section = "outbox",
         .name = "table",
         .type = "string",
         .default_value = "holdfast.outbox",
         .help = "The outbox table as `schema.table`.",
         .target = TARGET(outboxes.back().table)},
        {.section = "outbox",
         .name = "message.prefix",
         .type = "string",
         .default_value = "outbox",
         .help = "Logical messages (`pg_logical_emit_message`) with this prefix are outbox events "
                 "too.",
         .target = TARGET(outboxes.back().message_prefix)},
        {.section = "outbox",
         .name = "table.field.event.id",
         .type = "string",
         .default_value = "id",
         .help = "Column with the event's id; becomes the header `id`.",
         .target = TARGET(outboxes.back().table_field_event_id)},
        {.section = "outbox",
         .name = "table.field.event.key",
         .type = "string",
         .default_value = "aggregateid",
         .help = "Column with the record's key.",
         .target = TARGET(outboxes.back().table_field_event_key)},
        {.section = "outbox",
         .name = "table.field.event.type",
         .type = "string",
         .default_value = "type",
         .help = "Column with the event's type.",
         .target = TARGET(outboxes.back().table_field_event_type)},
        {.section = "outbox",
         .name = "table.field.event.payload",
         .type = "string",
         .default_value = "payload",
         .help = "Column whose bytes become the record's value, untouched.",
         .target = TARGET(outboxes.back().table_field_event_payload)},
        {.section = "outbox",
         .name = "table.field.event.timestamp",
         .type = "string",
         .help = "Column with the record's timestamp. Empty: the time of the commit.",
         .target = TARGET(outboxes.back().table_field_event_timestamp)},
        {.section = "outbox",
         .name = "table.field.event.headers",
         .type = "string",
         .default_value = "headers",
         .help = "Column with a JSON object, each member of which becomes a header (an addition to "
                 "Debezium's options). Empty: none.",
         .target = TARGET(outboxes.back().table_field_event_headers)},
        {.section = "outbox",
         .name = "table.fields.additional.placement",
         .type = "string",
         .default_value = "type:header:eventType",
         .help = "More columns: `column:header[:alias]`, separated by commas.",
         .target = TARGET(outboxes.back().table_fields_additional_placement)},
        {.section = "outbox",
         .name = "route.by.field",
         .type = "string",
         .default_value = "aggregatetype",
         .help = "Column that decides the topic.",
         .target = TARGET(outboxes.back().route_by_field)},
        {.section = "outbox",
         .name = "route.topic.regex",
         .type = "string",
         .default_value = "(?<routedByValue>.*)",
         .help = "Applied to that column's value.",
         .target = TARGET(outboxes.back().route_topic_regex)},
        {.section = "outbox",
         .name = "route.topic.replacement",
         .type = "string",
         .default_value = "${routedByValue}",
         .help = "The topic's name, with the groups of the expression.",
         .target = TARGET(outboxes.back().route_topic_replacement)},
        {.section = "outbox",
         .name = "route.tombstone.on.empty.payload",
         .type = "boolean",
         .default_value = "false",
         .help = "Send a record without a value when the payload is NULL or empty.",
         .target = TARGET(outboxes.back().route_tombstone_on_empty_payload)},
        {.section = "outbox",
         .name = "table.op.invalid.behavior",
         .type = "string",
         .default_value = "warn",
         .choices = {"warn", "error", "fatal"},
         .help = "What an UPDATE of the outbox table leads to.",
         .target = TARGET(outboxes.back().table_op_invalid_behavior)},
        {.section = "outbox",
         .name = "table.field.event.schema.version",
         .type = "string",
         .help = "Integer column with the version of the envelope's schema. Empty: none.",
         .target = TARGET(outboxes.back().table_field_event_schema_version)},
        {.section = "outbox",
         .name = "table.field.additional.missing",
         .type = "string",
         .default_value = "error",
         .choices = {"error", "ignore"},
         .help = "What a column of `table.fields.additional.placement` that is not there leads to.",
         .target = TARGET(outboxes.back().table_field_additional_missing)},
        {.section = "outbox",
         .name = "table.expand.json.payload",
         .type = "boolean",
         .default_value = "false",
         .help = "Write a payload of JSON text as the JSON value itself (with a converter that "
                 "writes JSON).",
         .target = TARGET(outboxes.back().table_expand_json_payload)},
        {.section = "outbox",
         .name = "table.json.payload.compatibility",
         .type = "string",
         .default_value = "lossless",
         .choices = {"lossless", "debezium"},
         .help = "`lossless`: the value as it is. `debezium`: as far as a schema can be inferred, "
                 "as upstream (an addition to Debezium's options).",
         .target = TARGET(outboxes.back().table_json_payload_compatibility)},
        {.section = "outbox",
         .name = "table.json.payload.null.behavior",
         .type = "string",
         .default_value = "ignore",
         .choices = {"ignore", "optional_bytes"},
         .help = "Under `debezium`: whether null members are dropped, or kept as optional bytes.",
         .target = TARGET(outboxes.back().table_json_payload_null_behavior)},
        {.section = "outbox",
         .name = "table.json.payload.empty.array.behavior",
         .type = "string",
         .default_value = "ignore",
         .choices = {"ignore", "optional_string"},
         .help =
             "Under `debezium`: whether empty arrays are dropped, or kept as arrays of strings.",
         .target = TARGET(outboxes.back().table_json_payload_empty_array_behavior)},
        {.section = "outbox",
         .name = "key.converter",
         .type = "string",
         .default_value = kStringConverter,
         .choices = {kStringConverter, kJsonConverter, kByteArrayConverter, kBinaryDataConverter},
         .help = "How the key is written.",
         .target = TARGET(outboxes.back().key_converter.converter)},
        {.section = "outbox",
         .name = "key.converter.schemas.enable",
         .type = "boolean",
         .default_value = "true",
         .help = "Of JsonConverter: whether the schema is written too.",
         .target = TARGET(outboxes.back().key_converter.schemas_enable)},
        {.section = "outbox",
         .name = "key.converter.replace.null.with.default",
         .type = "boolean",
         .default_value = "true",
         .help = "Of JsonConverter: whether null is written as the column's default.",
         .target = TARGET(outboxes.back().key_converter.replace_null_with_default)},
        {.section = "outbox",
         .name = "key.converter.delegate.converter.type",
         .type = "string",
         .default_value = kJsonConverter,
         .choices = {kJsonConverter},
         .help = "Of BinaryDataConverter: what writes that which is not bytes.",
         .target = TARGET(outboxes.back().key_converter.delegate)},
        {.section = "outbox",
         .name = "key.converter.delegate.converter.type.schemas.enable",
         .type = "boolean",
         .default_value = "true",
         .help = "Of that converter.",
         .target = TARGET(outboxes.back().key_converter.delegate_schemas_enable)},
        {.section = "outbox",
         .name = "value.converter",
         .type = "string",
         .default_value = kStringConverter,
         .choices = {kStringConverter, kJsonConverter, kByteArrayConverter, kBinaryDataConverter},
         .help = "How the value is written.",
         .target = TARGET(outboxes.back().value_converter.converter)},
        {.section = "outbox",
         .name = "value.converter.schemas.enable",
         .type = "boolean",
         .default_value = "true",
         .help = "Of JsonConverter: whether the schema is written too.",
         .target = TARGET(outboxes.back().value_converter.schemas_enable)},
        {.section = "outbox",
         .name = "value.converter.replace.null.with.default",
         .type = "boolean",
         .default_value = "true",
         .help = "Of JsonConverter: whether null is written as the column's default.",
         .target = TARGET(outboxes.back().value_converter.replace_null_with_default)},
        {.section = "outbox",
         .name = "value.converter.delegate.converter.type",
         .type = "string",
         .default_value = kJsonConverter,
         .choices = {kJsonConverter},
         .help = "Of BinaryDataConverter: what writes that which is not bytes.",
         .target = TARGET(outboxes.back().value_converter.delegate)},
        {.section = "outbox",
         .name = "value.converter.delegate.converter.type.schemas.enable",
         .type = "boolean",
         .default_value = "true",
         .help = "Of that converter.",
         .target = TARGET(outboxes.back().value_converter.delegate_schemas_enable)},
        {.section = "outbox",
         .name = "header.converter",
         .type = "string",
         .default_value = kSimpleHeaderConverter,
         .choices = {kSimpleHeaderConverter, kStringConverter, kJsonConverter},
         .help = "How headers are written.",
         .target = TARGET(outboxes.back().header_converter.converter)},
        {.section = "outbox",
         .name = "header.converter.schemas.enable",
         .type = "boolean",
         .default_value = "true",
         .help = "Of JsonConverter: whether the schema is written too.",
         .target = TARGET(outboxes.back().header_converter.schemas_enable)},
        {.section = "outbox",
         .name = "extended.headers.enabled",
         .type = "boolean",
         .default_value = "false",
         .help = "The headers `__debezium.context.*` in front of the others, as Debezium has them "
                 "(needs `topic.prefix`).",
         .target = TARGET(outboxes.back().extended_headers_enabled)},
        {.section = "outbox",
         .name = "tracing.span.context.field",
         .type = "string",
         .help = "Column with a trace context, as java.util.Properties store it: its `traceparent` "
                 "and `tracestate` become headers. Empty: none.",
         .target = TARGET(outboxes.back().tracing_span_context_field)},
        {.section = "outbox",
         .name = "cloudevents.mode",
         .type = "string",
         .default_value = "off",
         .choices = {"off", "binary"},
         .help = "`binary`: every event also has the headers of a CloudEvent (`ce_id`, `ce_type`, "
                 "...), in Kafka's binary content mode.",
         .target = TARGET(outboxes.back().cloudevents_mode)},
        {.section = "outbox",
         .name = "cloudevents.source",
         .type = "string",
         .help = "The header `ce_source`: a URI reference that names this shop, as "
                 "`https://shop.example/orders`. Empty: `/holdfast/` and the slot.",
         .target = TARGET(outboxes.back().cloudevents_source)},

        {.section = "inbox",
         .name = "topic",
         .type = "string",
         .required = true,
         .help = "The topic to consume.",
         .target = TARGET(inbox.back().topic)},
        {.section = "inbox",
         .name = "group",
         .type = "string",
         .default_value = "holdfast",
         .help = "Consumer group, and the consumer's name in the database. Relays with the same "
                 "group share the partitions.",
         .target = TARGET(inbox.back().group)},
        {.section = "inbox",
         .name = "call",
         .type = "string",
         .required = true,
         .help = "The SQL function `(key text, value jsonb, headers jsonb)` to call, with its "
                 "schema.",
         .target = TARGET(inbox.back().call)},
        {.section = "inbox",
         .name = "batch_max_messages",
         .type = "integer",
         .unit = "messages",
         .default_value = "500",
         .min = 1,
         .max = 10'000,
         .help = "Most messages in one transaction.",
         .target = TARGET(inbox.back().batch_max_messages)},
        {.section = "inbox",
         .name = "batch_max_bytes",
         .type = "integer",
         .unit = "bytes",
         .default_value = "1048576",
         .min = 1024,
         .max = 256 * kMebibyte,
         .help = "A transaction takes no further message beyond this size; one message is always "
                 "taken.",
         .target = TARGET(inbox.back().batch_max_bytes)},
        {.section = "inbox",
         .name = "start",
         .type = "string",
         .default_value = "earliest",
         .choices = {"earliest", "latest"},
         .help = "Where a consumer begins in a partition that it has never read. Later positions "
                 "come from the database.",
         .target = TARGET(inbox.back().start)},

        {.section = "notify",
         .name = "topic",
         .type = "string",
         .required = true,
         .help = "The topic whose messages are sent to the endpoint.",
         .target = TARGET(notify.back().topic)},
        {.section = "notify",
         .name = "group",
         .type = "string",
         .default_value = "holdfast",
         .help = "Consumer group, and the consumer's name in the database, as in [[inbox]].",
         .target = TARGET(notify.back().group)},
        {.section = "notify",
         .name = "url",
         .type = "string",
         .required = true,
         .help =
             "The endpoint, http or https. Where its path is a secret, give it as `{ file = ... "
             "}` or `{ credential = ... }`; logs show the host only.",
         .target = TARGET(notify.back().url)},
        {.section = "notify",
         .name = "timeout_ms",
         .type = "integer",
         .unit = "ms",
         .default_value = "5000",
         .min = 10,
         .max = 60'000,
         .help = "Longest wait for each of: a connection, sending, the answer.",
         .target = TARGET(notify.back().timeout_ms)},
        {.section = "notify",
         .name = "secret",
         .type = "string",
         .sensitivity = kMayHoldSecret,
         .help = "Sent with each request, as it is, in `secret_header` (for example `Bearer ...`); "
                 "best given as `{ file = ... }` or `{ credential = ... }`. Empty: none.",
         .target = TARGET(notify.back().secret)},
        {.section = "notify",
         .name = "secret_header",
         .type = "string",
         .default_value = "Authorization",
         .help = "Name of the header that carries the secret.",
         .target = TARGET(notify.back().secret_header)},
        {.section = "notify",
         .name = "ca_file",
         .type = "path",
         .help = "PEM file with the authorities that may have signed the endpoint's certificate. "
                 "Empty: the system's.",
         .target = TARGET(notify.back().ca_file)},
        {.section = "notify",
         .name = "start",
         .type = "string",
         .default_value = "earliest",
         .choices = {"earliest", "latest"},
         .help = "Where a consumer begins in a partition that it has never read, as in [[inbox]].",
         .target = TARGET(notify.back().start)},

        {.section = "too_large",
         .name = "topic",
         .type = "string",
         .required = true,
         .help = "A topic, or an expression (ECMAScript) that matches all of its name. The first "
                 "rule that fits a topic counts; without one it is `halt`.",
         .target = TARGET(too_large.back().topic)},
        {.section = "too_large",
         .name = "policy",
         .type = "string",
         .default_value = "halt",
         .choices = {"halt", "claim-check", "dead-letter"},
         .help = "What becomes of a record that the topic does not take because of its size: the "
                 "relay stops; or keeps it in `holdfast.large_record` and sends a claim check in "
                 "its place; or keeps it as a dead letter.",
         .target = TARGET(too_large.back().policy)},

        {.section = "maintenance",
         .name = "interval_s",
         .type = "integer",
         .unit = "s",
         .default_value = "60",
         .min = 0,
         .max = 86'400,
         .help = "How often `holdfast.maintain()` is called. 0: never.",
         .target = TARGET(maintenance.interval_s)},
        {.section = "maintenance",
         .name = "expire_holds_interval_ms",
         .type = "integer",
         .unit = "ms",
         .default_value = "1000",
         .min = 0,
         .max = kDayMs,
         .help = "How often `holdfast.expire_holds()` is called. 0: never.",
         .target = TARGET(maintenance.expire_holds_interval_ms)},
        {.section = "maintenance",
         .name = "expire_holds_limit",
         .type = "integer",
         .unit = "holds",
         .default_value = "1000",
         .min = 1,
         .max = 1'000'000,
         .help = "Most holds that one call releases.",
         .target = TARGET(maintenance.expire_holds_limit)},
        {.section = "maintenance",
         .name = "saga_sweep_interval_ms",
         .type = "integer",
         .unit = "ms",
         .default_value = "1000",
         .min = 0,
         .max = kDayMs,
         .help =
             "How often `holdfast.saga_sweep()` is called: timeouts and compensations of sagas, "
             "and messages that came too early. 0: never.",
         .target = TARGET(maintenance.saga_sweep_interval_ms)},
        {.section = "maintenance",
         .name = "saga_sweep_limit",
         .type = "integer",
         .unit = "sagas",
         .default_value = "100",
         .min = 1,
         .max = 1'000'000,
         .help = "Most of them that are dealt with before the other chores have their turn.",
         .target = TARGET(maintenance.saga_sweep_limit)},

        {.section = "http",
         .name = "listen",
         .type = "string",
         .default_value = "127.0.0.1:9464",
         .help = "`host:port` of `/metrics`, `/health/live` and `/health/ready`. Empty: none.",
         .target = TARGET(http.listen)},

        {.section = "log",
         .name = "level",
         .type = "string",
         .default_value = "info",
         .choices = {"error", "warn", "info", "debug"},
         .help = "Least important level that is written. SIGHUP reads it again.",
         .target = TARGET(log.level)},
    };
}

#undef TARGET

const std::vector<RefusedProperty>& refused() {
    static const std::vector<RefusedProperty> table = {
        {"enable.idempotence", "true", "without it a retry could repeat or reorder records"},
        {"acks", "all", "a record counts as delivered only when all in-sync replicas have it"},
        {"request.required.acks", "all",
         "a record counts as delivered only when all in-sync replicas have it"},
        {"message.timeout.ms", "0",
         "giving up on a record after a time would lose an event from the middle of the stream"},
        {"delivery.timeout.ms", "0",
         "giving up on a record after a time would lose an event from the middle of the stream"},
        {"message.send.max.retries", "",
         "giving up on a record after some attempts would lose an event"},
        {"retries", "", "giving up on a record after some attempts would lose an event"},
        {"enable.gapless.guarantee", "true",
         "records behind one that a broker refuses must not overtake it"},
        {"transactional.id", "", "this version delivers at least once, without transactions"},
        {"partitioner", "murmur2_random",
         "keys keep their partition only when everybody partitions as the Java client does"},
        {"queuing.strategy", "fifo", "anything else reorders records"},
        {"enable.auto.commit", "false", "offsets are kept in PostgreSQL"},
        {"auto.commit.enable", "false", "offsets are kept in PostgreSQL"},
        {"auto.commit.interval.ms", "", "offsets are kept in PostgreSQL"},
        {"enable.auto.offset.store", "false", "offsets are kept in PostgreSQL"},
        {"auto.offset.reset", "error",
         "jumping over missing messages would lose them without a word; see `start` of [[inbox]]"},
        {"isolation.level", "read_committed", "aborted records must not reach the database"},
        {"group.id", "", "write it as `group` in [[inbox]]"},
        {"group.protocol", "classic", "the inbox is built on the classic protocol"},
        {"partition.assignment.strategy", "range",
         "all relays of a group have to use the same strategy"},
        {"client.software.name", "", "the relay tells brokers its own name"},
        {"test.mock.num.brokers", "", "use `holdfast-relay broker`"},
    };
    return table;
}

std::string escape_cell(std::string_view text) {
    std::string cell;
    for (const char c : text) {
        if (c == '|') {
            cell += '\\';
        }
        cell += c;
    }
    return cell;
}

std::string code(std::string_view text) {
    return text.empty() ? std::string() : "`" + escape_cell(text) + "`";
}

std::string describe_type(const Key& key) {
    std::string text(key.type);
    if (!key.unit.empty()) {
        text += ", " + std::string(key.unit);
    }
    if (key.type == "integer") {
        text += ", " + std::to_string(key.min) + " to " + std::to_string(key.max);
    }
    for (std::size_t i = 0; i < key.choices.size(); ++i) {
        text += (i == 0 ? ": " : ", ") + code(key.choices[i]);
    }
    return text;
}

std::string describe_default(const Key& key) {
    if (key.required) {
        return "required";
    }
    return key.default_value.empty() ? "empty" : code(key.default_value);
}

}  // namespace

std::span<const Key> keys() {
    static const std::vector<Key> table = [] {
        std::vector<Key> all = make_keys();
        const auto after_outbox = std::ranges::find(all, "inbox", &Key::section);
        const std::vector<Key> connector = connector_keys();
        all.insert(after_outbox, connector.begin(), connector.end());
        return all;
    }();
    return table;
}

bool fits(const Key& key, std::string_view name) {
    std::string_view pattern = key.name;
    for (std::size_t star = pattern.find('*'); star != std::string_view::npos;
         star = pattern.find('*')) {
        if (!name.starts_with(pattern.substr(0, star))) {
            return false;
        }
        name.remove_prefix(star);
        pattern.remove_prefix(star + 1);
        const std::string_view next = pattern.substr(0, pattern.find('*'));
        const std::size_t end = next.empty() ? name.size() : name.find(next);
        if (end == std::string_view::npos || end == 0) {
            return false;
        }
        name.remove_prefix(end);
    }
    return name == pattern;
}

std::span<const RefusedProperty> refused_kafka_properties() {
    return refused();
}

bool is_list(std::string_view section) {
    return section == "inbox" || section == "notify" || section == "too_large";
}

const Key* find_key(std::string_view section, std::string_view name) {
    for (const Key& key : keys()) {
        if (key.section == section && fits(key, name)) {
            return &key;
        }
    }
    return nullptr;
}

std::string bracketed(std::string_view section) {
    const bool list = is_list(section);
    return (list ? "[[" : "[") + std::string(section) + (list ? "]]" : "]");
}

std::string full_name(std::string_view section, std::string_view name) {
    return bracketed(section) + " " + std::string(name);
}

std::string environment_name(std::string_view section, std::string_view name) {
    std::string result = "HOLDFAST_";
    result += section;
    result += '_';
    result += name;
    for (char& c : result) {
        c = c == '.' || c == '-' ? '_'
                                 : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return result;
}

std::string describe_keys() {
    std::string text;
    std::string_view section;
    for (const Key& key : keys()) {
        if (key.section != section) {
            section = key.section;
            text += text.empty() ? "" : "\n";
            text += "### `" + bracketed(section) +
                    "`\n\n| key | type | default | meaning |\n|---|---|---|---|\n";
        }
        text += "| " + code(key.name) + " | " + describe_type(key) + " | " + describe_default(key) +
                " | " + escape_cell(key.help) + " |\n";
    }
    text +=
        "\n### `[kafka]`\n\nAny librdkafka property. Without `linger.ms`, records linger only "
        "while a backlog is read ([why](decisions/0007-batches-by-load.md)).\n\nThese the relay "
        "keeps to "
        "itself:\n\n| property | may only be | because |\n|---|---|---|\n";
    for (const RefusedProperty& property : refused()) {
        text += "| " + code(property.name) + " | " +
                (property.accepted.empty() ? "left out" : code(property.accepted)) + " | " +
                escape_cell(property.reason) + " |\n";
    }
    return text;
}

}  // namespace holdfast::relay::config
