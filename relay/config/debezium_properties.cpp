#include "config/debezium_properties.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <vector>

#include "config/keys.hpp"
#include "config/nearest.hpp"

namespace holdfast::relay::config {
namespace {

constexpr std::string_view kDsn = "say it in [postgres] dsn, as a libpq keyword";
constexpr std::string_view kQueues =
    "the relay has no queue between reading and sending; [capture] max_in_flight_bytes bounds what "
    "is under way";
constexpr std::string_view kRetries =
    "the relay reconnects for ever, with a growing pause, and halts only when a person has to act";
constexpr std::string_view kSnapshotReads =
    "a snapshot reads each table in chunks along its key, whatever this says";
constexpr std::string_view kSelectOverrides =
    "limit the rows by a WHERE of the publication, which a snapshot observes as the stream does, "
    "or "
    "by the condition of CALL holdfast.snapshot()";
constexpr std::string_view kCustomClass = "a class of one's own cannot be loaded into the relay";
constexpr std::string_view kSignals =
    "signals are SQL: CALL holdfast.snapshot('schema.table') asks for an incremental snapshot, "
    "holdfast.snapshot_pause(), snapshot_resume() and snapshot_stop() steer it";
constexpr std::string_view kNotifications =
    "what becomes of snapshots is in holdfast.snapshot_notification, in Debezium's words";
constexpr std::string_view kWatermarks =
    "watermarks are logical messages: no table is written, and none is needed";
constexpr std::string_view kLineage = "the relay sends nothing to OpenLineage";
constexpr std::string_view kTopics =
    "make the topics before, or let the brokers (auto.create.topics.enable)";
constexpr std::string_view kWorker = "it is about Kafka Connect's own work, which is not there";
constexpr std::string_view kJava = "it is about Java's client";
constexpr std::string_view kNothingSkipped =
    "an event that cannot be made halts the relay; none is skipped";
constexpr std::string_view kOneDatabase =
    "a slot belongs to one database, which [postgres] dsn names";
constexpr std::string_view kOtherConverter =
    "Avro, Protobuf and other converters are not there; JSON, strings and bytes are";

constexpr auto kConnector = PropertyOwner::kConnector;
constexpr auto kRouter = PropertyOwner::kRouter;
constexpr auto kProducer = PropertyOwner::kProducer;
constexpr auto kTransform = PropertyOwner::kTransform;

constexpr DebeziumProperty supported(PropertyOwner owner, std::string_view pattern) {
    return {.pattern = pattern,
            .advice = {},
            .harmless = {},
            .owner = owner,
            .verdict = PropertyVerdict::kSupported,
            .changes_messages = true};
}
constexpr DebeziumProperty irrelevant(PropertyOwner owner, std::string_view pattern,
                                      std::string_view why) {
    return {.pattern = pattern,
            .advice = why,
            .harmless = {},
            .owner = owner,
            .verdict = PropertyVerdict::kIrrelevant,
            .changes_messages = false};
}
constexpr DebeziumProperty replaced(PropertyOwner owner, std::string_view pattern,
                                    std::string_view by) {
    return {.pattern = pattern,
            .advice = by,
            .harmless = {},
            .owner = owner,
            .verdict = PropertyVerdict::kReplaced,
            .changes_messages = false};
}
/// Its effect is missed, but not in a message.
constexpr DebeziumProperty missing(PropertyOwner owner, std::string_view pattern,
                                   std::string_view instead, std::string_view harmless = {}) {
    return {.pattern = pattern,
            .advice = instead,
            .harmless = harmless,
            .owner = owner,
            .verdict = PropertyVerdict::kUnsupported,
            .changes_messages = false};
}
/// Its effect is missed in messages.
constexpr DebeziumProperty unsupported(PropertyOwner owner, std::string_view pattern,
                                       std::string_view instead, std::string_view harmless = {}) {
    return {.pattern = pattern,
            .advice = instead,
            .harmless = harmless,
            .owner = owner,
            .verdict = PropertyVerdict::kUnsupported,
            .changes_messages = true};
}

constexpr DebeziumProperty kTable[] = {
    // ---- The connector: identity and connection
    irrelevant(kConnector, "name", "the relay has no name; its slot stands for it"),
    missing(kConnector, "connector.class", "only PostgreSQL's connector has a counterpart here",
            "io.debezium.connector.postgresql.PostgresConnector|PostgresConnector"),
    irrelevant(kConnector, "tasks.max", "a slot has one reader, there as here"),
    replaced(kConnector, "database.hostname", kDsn),
    replaced(kConnector, "database.port", kDsn),
    replaced(kConnector, "database.user", kDsn),
    replaced(kConnector, "database.dbname", kDsn),
    replaced(kConnector, "database.password",
             "secrets are not copied: give it as [postgres] password = { file = ... } or "
             "{ credential = ... }, or by a passfile"),
    replaced(kConnector, "database.sslmode", kDsn),
    replaced(kConnector, "database.sslcert", kDsn),
    replaced(kConnector, "database.sslkey",
             "say it in [postgres] dsn as sslkey: libpq reads PEM, not the PKCS#8 DER that pgjdbc "
             "wants (openssl pkcs8 -inform DER)"),
    replaced(kConnector, "database.sslpassword",
             "secrets are not copied: keep the key without a passphrase in a file of mode 0600, or "
             "write sslpassword into a dsn of { file = ... }"),
    replaced(kConnector, "database.sslrootcert", kDsn),
    missing(kConnector, "database.sslfactory", "libpq has OpenSSL and no factories"),
    replaced(kConnector, "database.tcpKeepAlive",
             "keepalives are on; [postgres] dsn may say keepalives=0"),
    missing(kConnector, "database.initial.statements",
            "what sessions should start with is said by ALTER ROLE ... SET"),
    irrelevant(kConnector, "database.query.timeout.ms",
               "the relay's few queries have limits of their own"),
    irrelevant(kConnector, "connection.validation.timeout.ms",
               "`check` has a limit of its own, and connect_timeout may be in the dsn"),
    missing(kConnector, "database.connection.class.factory", kCustomClass),
    irrelevant(kConnector, "database.include.list", kOneDatabase),
    irrelevant(kConnector, "database.exclude.list", kOneDatabase),
    replaced(kConnector, "database.server.name", "its name is topic.prefix since Debezium 2"),
    irrelevant(kConnector, "database.server.id", "it is of MySQL's connector"),
    irrelevant(kConnector, "database.history.*", "PostgreSQL's connector keeps no schema history"),
    irrelevant(kConnector, "database.*", "libpq takes its own keywords, in [postgres] dsn"),
    irrelevant(kConnector, "driver.*", "libpq takes its own keywords, in [postgres] dsn"),

    // ---- The connector: slot and publication
    missing(kConnector, "plugin.name",
            "the relay reads pgoutput: make a slot for it with `holdfast-relay init`; one of "
            "another plugin cannot be taken over",
            "pgoutput"),
    replaced(kConnector, "slot.name", "[postgres] slot"),
    replaced(kConnector, "publication.name", "[postgres] publication"),
    missing(kConnector, "slot.drop.on.stop",
            "a slot that is dropped loses changes: drop it by hand", "false"),
    irrelevant(kConnector, "slot.failover",
               "`init` makes a failover slot on PostgreSQL 17 and later"),
    missing(kConnector, "slot.stream.params",
            "pgoutput is asked for what the relay reads, no more"),
    irrelevant(kConnector, "slot.max.retries", kRetries),
    irrelevant(kConnector, "slot.retry.delay.ms", kRetries),
    irrelevant(kConnector, "slot.seek.to.known.offset.on.start",
               "the slot's confirmed position is the only one"),
    irrelevant(kConnector, "offset.mismatch.strategy",
               "the relay knows where it has left its slot, and halts when that has moved on"),
    irrelevant(kConnector, "create.slot.command.timeout", "`init` waits as long as it takes"),
    supported(kConnector, "publication.autocreate.mode"),
    missing(kConnector, "replica.identity.autoset.values",
            "run ALTER TABLE ... REPLICA IDENTITY once"),
    irrelevant(kConnector, "status.update.interval.ms", "[capture] status_interval_ms"),
    unsupported(kConnector, "xmin.fetch.interval.ms",
                "source.xmin is always null; pg_replication_slots.catalog_xmin has it", "0"),
    missing(kConnector, "lsn.flush.mode",
            "the relay always confirms what Kafka has acknowledged, and only that", "connector"),
    missing(kConnector, "flush.lsn.source",
            "the relay always confirms what Kafka has acknowledged, and only that", "true"),
    irrelevant(kConnector, "lsn.flush.timeout.ms", "confirming never waits"),
    irrelevant(kConnector, "lsn.flush.timeout.action", "confirming never waits"),
    irrelevant(kConnector, "log.position.check.enable",
               "the slot's position is checked at every start"),
    irrelevant(kConnector, "read.only", kWatermarks),

    // ---- The connector: what is captured, and what messages are like
    supported(kConnector, "topic.prefix"),
    supported(kConnector, "compat.version"),
    supported(kConnector, "publish.via.partition.root"),
    supported(kConnector, "schema.include.list"),
    supported(kConnector, "schema.exclude.list"),
    supported(kConnector, "table.include.list"),
    supported(kConnector, "table.exclude.list"),
    supported(kConnector, "column.include.list"),
    supported(kConnector, "column.exclude.list"),
    unsupported(kConnector, "table.ignore.builtin",
                "system tables are never published, so never captured", "true"),
    supported(kConnector, "column.mask.hash.v2.*.with.salt.*"),
    supported(kConnector, "column.mask.hash.*.with.salt.*"),
    supported(kConnector, "column.mask.with.*.chars"),
    supported(kConnector, "column.truncate.to.*.chars"),
    supported(kConnector, "column.propagate.source.type"),
    supported(kConnector, "datatype.propagate.source.type"),
    supported(kConnector, "message.key.columns"),
    supported(kConnector, "message.prefix.include.list"),
    supported(kConnector, "message.prefix.exclude.list"),
    supported(kConnector, "decimal.handling.mode"),
    supported(kConnector, "time.precision.mode"),
    supported(kConnector, "interval.handling.mode"),
    supported(kConnector, "hstore.handling.mode"),
    supported(kConnector, "binary.handling.mode"),
    supported(kConnector, "money.fraction.digits"),
    supported(kConnector, "include.unknown.datatypes"),
    supported(kConnector, "unavailable.value.placeholder"),
    supported(kConnector, "tombstones.on.delete"),
    supported(kConnector, "skipped.operations"),
    supported(kConnector, "skip.messages.without.change"),
    supported(kConnector, "provide.transaction.metadata"),
    supported(kConnector, "extended.headers.enabled"),
    supported(kConnector, "event.converting.failure.handling.mode"),
    supported(kConnector, "schema.name.adjustment.mode"),
    supported(kConnector, "field.name.adjustment.mode"),
    supported(kConnector, "heartbeat.interval.ms"),
    supported(kConnector, "heartbeat.action.query"),
    supported(kConnector, "topic.heartbeat.prefix"),
    supported(kConnector, "topic.heartbeat.name"),
    supported(kConnector, "topic.transaction"),
    supported(kConnector, "topic.delimiter"),
    unsupported(kConnector, "topic.naming.strategy",
                "topics are named <topic.prefix>.<schema>.<table>; another class cannot be loaded",
                "io.debezium.schema.SchemaTopicNamingStrategy"),
    irrelevant(kConnector, "topic.cache.size", "every table's topic is kept"),
    unsupported(kConnector, "transaction.metadata.factory", kCustomClass,
                "io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory"),
    unsupported(kConnector, "sourceinfo.struct.maker", kCustomClass,
                "io.debezium.connector.postgresql.PostgresSourceInfoStructMaker"),
    unsupported(kConnector, "converters",
                "converters of columns are classes: convert in the consumer, or by a view or a "
                "generated column in the database"),
    unsupported(kConnector, "post.processors",
                "post-processors are classes: what they add can be read in the consumer"),
    unsupported(kConnector, "schema.refresh.mode",
                "a table's description is read again whenever it may have changed", "columns_diff"),
    missing(kConnector, "event.processing.failure.handling.mode", kNothingSkipped, "fail"),
    irrelevant(kConnector, "include.schema.comments",
               "PostgreSQL's connector never puts comments into schemas"),
    irrelevant(kConnector, "include.schema.changes",
               "PostgreSQL's connector has no schema change events"),
    unsupported(kConnector, "custom.sanitize.pattern", kCustomClass),

    // ---- The connector: names of Debezium 1, which 3.7 passes over
    unsupported(kConnector, "schema.whitelist", "its name is schema.include.list since Debezium 2"),
    unsupported(kConnector, "schema.blacklist", "its name is schema.exclude.list since Debezium 2"),
    unsupported(kConnector, "table.whitelist", "its name is table.include.list since Debezium 2"),
    unsupported(kConnector, "table.blacklist", "its name is table.exclude.list since Debezium 2"),
    unsupported(kConnector, "column.whitelist", "its name is column.include.list since Debezium 2"),
    unsupported(kConnector, "column.blacklist", "its name is column.exclude.list since Debezium 2"),
    unsupported(kConnector, "toasted.value.placeholder",
                "its name is unavailable.value.placeholder since Debezium 2"),
    unsupported(kConnector, "sanitize.field.names",
                "since Debezium 2 it is field.name.adjustment.mode = avro", "false"),
    unsupported(kConnector, "truncate.handling.mode",
                "since Debezium 2 it is skipped.operations = none", "skip"),
    unsupported(kConnector, "transaction.topic", "its name is topic.transaction since Debezium 2"),
    unsupported(kConnector, "heartbeat.topics.prefix",
                "its name is topic.heartbeat.prefix since Debezium 2"),
    unsupported(kConnector, "source.struct.version", "the source block is version 2's", "v2"),
    missing(kConnector, "event.deserialization.failure.handling.mode", kNothingSkipped, "fail"),
    missing(kConnector, "slot.drop_on_stop",
            "a slot that is dropped loses changes: drop it by hand", "false"),

    // ---- The connector: snapshots, signals, notifications
    missing(kConnector, "snapshot.mode.configuration.based.*",
            "snapshot.mode says it in a word: initial for data and stream, initial_only for data, "
            "no_data for the stream"),
    missing(kConnector, "snapshot.mode.*", kCustomClass),
    missing(kConnector, "snapshot.custom.class", kCustomClass),
    supported(kConnector, "snapshot.mode"),
    supported(kConnector, "snapshot.include.collection.list"),
    missing(kConnector, "snapshot.select.statement.overrides", kSelectOverrides),
    missing(kConnector, "snapshot.select.statement.overrides.*", kSelectOverrides),
    supported(kConnector, "snapshot.fetch.size"),
    supported(kConnector, "snapshot.max.threads"),
    irrelevant(kConnector, "snapshot.isolation.mode",
               "all of a snapshot is read under one exported snapshot of the database, which only "
               "repeatable read and serializable allow"),
    missing(kConnector, "snapshot.locking.mode", "a snapshot locks no table", "none"),
    supported(kConnector, "snapshot.delay.ms"),
    supported(kConnector, "streaming.delay.ms"),
    supported(kConnector, "incremental.snapshot.chunk.size"),
    irrelevant(kConnector, "incremental.snapshot.allow.schema.changes",
               "a chunk whose table changes is read again"),
    irrelevant(kConnector, "incremental.snapshot.*", kWatermarks),
    missing(kConnector, "snapshot.locking.mode.custom.name", kCustomClass),
    missing(kConnector, "snapshot.query.mode", "snapshots select all captured columns",
            "select_all"),
    missing(kConnector, "snapshot.query.mode.custom.name", kCustomClass),
    irrelevant(kConnector, "snapshot.*", kSnapshotReads),
    irrelevant(kConnector, "legacy.snapshot.max.threads", kSnapshotReads),
    irrelevant(kConnector, "query.fetch.size", kSnapshotReads),
    // Whoever writes signals, or reads notifications, has to do it elsewhere from now on.
    missing(kConnector, "signal.data.collection", kSignals),
    missing(kConnector, "signal.kafka.*", kSignals),
    missing(kConnector, "signal.file", kSignals),
    replaced(kConnector, "signal.*", kSignals),
    missing(kConnector, "notification.*", kNotifications),

    // ---- The connector: queues, retries, observation
    irrelevant(kConnector, "max.queue.size", kQueues),
    irrelevant(kConnector, "max.queue.size.in.bytes", kQueues),
    irrelevant(kConnector, "max.batch.size", kQueues),
    irrelevant(kConnector, "queue.provider.type", kQueues),
    irrelevant(kConnector, "poll.interval.ms", "the relay is woken by the socket, not by a timer"),
    irrelevant(kConnector, "poll.dispatch.interval.ms",
               "the relay is woken by the socket, not by a timer"),
    irrelevant(kConnector, "errors.max.retries", kRetries),
    irrelevant(kConnector, "retriable.restart.connector.wait.ms", kRetries),
    irrelevant(kConnector, "custom.retriable.exception", kRetries),
    irrelevant(kConnector, "executor.shutdown.timeout.ms", "stopping has a limit of its own"),
    irrelevant(kConnector, "custom.metric.tags", "labels are added where metrics are scraped"),
    irrelevant(kConnector, "advanced.metrics.enable", "docs/metrics.md has what there is"),
    irrelevant(kConnector, "statistics.metrics.enabled", "docs/metrics.md has what there is"),
    irrelevant(kConnector, "offset.activity.monitor.interval.ms",
               "docs/metrics.md has what there is"),
    missing(kConnector, "guardrail.collections.*", "`check` lists the tables that are captured"),
    irrelevant(kConnector, "openlineage.*", kLineage),
    irrelevant(kConnector, "schema.history.*", "PostgreSQL's connector keeps no schema history"),
    irrelevant(kConnector, "internal.*", "it is Debezium's own"),
    irrelevant(kConnector, "memory.management.*", "descriptions of tables need little memory here"),
    irrelevant(kConnector, "multi.partition.mode", "a slot has one reader, there as here"),

    // ---- Kafka Connect: converters
    supported(kConnector, "key.converter"),
    supported(kConnector, "value.converter"),
    supported(kConnector, "header.converter"),
    supported(kConnector, "*.converter.schemas.enable"),
    supported(kConnector, "*.converter.replace.null.with.default"),
    supported(kConnector, "*.converter.decimal.format"),
    supported(kConnector, "*.converter.delegate.converter.type"),
    supported(kConnector, "*.converter.delegate.converter.type.schemas.enable"),
    irrelevant(kConnector, "*.converter.schemas.cache.size", "every schema is kept"),
    irrelevant(kConnector, "*.converter.converter.type",
               "which converter it is for is said by its name"),
    irrelevant(kConnector, "*.converter.plugin.version", "converters are built in"),
    unsupported(kConnector, "*.converter.encoding", "strings are UTF-8", "UTF-8|UTF8"),
    unsupported(kConnector, "key.converter.*", kOtherConverter),
    unsupported(kConnector, "value.converter.*", kOtherConverter),
    unsupported(kConnector, "header.converter.*", kOtherConverter),

    // ---- Kafka Connect: everything else
    missing(kConnector, "topic.creation.*", kTopics),
    missing(kConnector, "errors.tolerance", kNothingSkipped, "none"),
    irrelevant(kConnector, "errors.*", kWorker),
    irrelevant(kConnector, "tasks.max.enforce", "a slot has one reader, there as here"),
    irrelevant(kConnector, "connector.plugin.version", kWorker),
    irrelevant(kConnector, "offsets.storage.topic", kWorker),
    missing(kConnector, "exactly.once.support",
            "delivery is at least once: consumers drop what they have seen", "requested"),
    irrelevant(kConnector, "exactly.once.source.support", kWorker),
    irrelevant(kConnector, "transaction.boundary*", kWorker),
    irrelevant(kConnector, "config.action.reload", kWorker),
    irrelevant(kConnector, "connector.client.config.override.policy", kWorker),
    irrelevant(kConnector, "consumer.*", kWorker),
    irrelevant(kConnector, "admin.*", kWorker),
    irrelevant(kConnector, "config.providers*", kWorker),
    irrelevant(kConnector, "config.storage.*", kWorker),
    irrelevant(kConnector, "offset.*", kWorker),
    irrelevant(kConnector, "status.storage.*", kWorker),
    irrelevant(kConnector, "group.*", kWorker),
    irrelevant(kConnector, "listeners*", kWorker),
    irrelevant(kConnector, "rest.*", kWorker),
    irrelevant(kConnector, "plugin.*", kWorker),
    irrelevant(kConnector, "task.*", kWorker),
    irrelevant(kConnector, "metrics.*", kWorker),
    irrelevant(kConnector, "metric.*", kWorker),
    irrelevant(kConnector, "header.*", kWorker),
    irrelevant(kConnector, "access.control.*", kWorker),
    irrelevant(kConnector, "response.http.headers.config", kWorker),
    irrelevant(kConnector, "topic.tracking.*", kWorker),
    irrelevant(kConnector, "worker.*", kWorker),
    irrelevant(kConnector, "scheduled.rebalance.max.delay.ms", kWorker),
    irrelevant(kConnector, "connect.*", kWorker),
    irrelevant(kConnector, "inter.worker.*", kWorker),
    irrelevant(kConnector, "rebalance.timeout.ms", kWorker),
    irrelevant(kConnector, "heartbeat.*", kWorker),
    irrelevant(kConnector, "session.timeout.ms", kWorker),

    // ---- The event router
    supported(kRouter, "table.field.event.id"),
    supported(kRouter, "table.field.event.key"),
    supported(kRouter, "table.field.event.type"),
    supported(kRouter, "table.field.event.payload"),
    supported(kRouter, "table.field.event.timestamp"),
    supported(kRouter, "table.field.event.schema.version"),
    supported(kRouter, "table.fields.additional.placement"),
    supported(kRouter, "table.field.additional.missing"),
    supported(kRouter, "table.op.invalid.behavior"),
    supported(kRouter, "table.expand.json.payload"),
    supported(kRouter, "table.json.payload.null.behavior"),
    supported(kRouter, "table.json.payload.empty.array.behavior"),
    supported(kRouter, "route.by.field"),
    supported(kRouter, "route.topic.regex"),
    supported(kRouter, "route.topic.replacement"),
    supported(kRouter, "route.tombstone.on.empty.payload"),
    supported(kRouter, "tracing.span.context.field"),
    unsupported(kRouter, "tracing.operation.name",
                "the relay makes no spans: traceparent and tracestate go on as headers",
                "debezium-read"),
    unsupported(kRouter, "tracing.with.context.field.only",
                "the relay makes no spans: traceparent and tracestate go on as headers",
                "true|false"),
    unsupported(kRouter, "debezium.op.invalid.behavior",
                "its name is table.op.invalid.behavior since Debezium 2", "warn"),
    unsupported(kRouter, "debezium.*", "this version of the router is not known here"),

    // ---- Java's producer
    replaced(kProducer, "bootstrap.servers", "bootstrap.servers"),
    replaced(kProducer, "client.id", "client.id"),
    replaced(kProducer, "linger.ms", "linger.ms"),
    replaced(kProducer, "batch.size", "batch.size"),
    replaced(kProducer, "compression.type", "compression.type"),
    replaced(kProducer, "max.request.size", "message.max.bytes"),
    replaced(kProducer, "request.timeout.ms", "request.timeout.ms"),
    replaced(kProducer, "metadata.max.age.ms", "metadata.max.age.ms"),
    replaced(kProducer, "reconnect.backoff.ms", "reconnect.backoff.ms"),
    replaced(kProducer, "reconnect.backoff.max.ms", "reconnect.backoff.max.ms"),
    replaced(kProducer, "retry.backoff.ms", "retry.backoff.ms"),
    replaced(kProducer, "retry.backoff.max.ms", "retry.backoff.max.ms"),
    replaced(kProducer, "connections.max.idle.ms", "connections.max.idle.ms"),
    replaced(kProducer, "send.buffer.bytes", "socket.send.buffer.bytes"),
    replaced(kProducer, "receive.buffer.bytes", "socket.receive.buffer.bytes"),
    replaced(kProducer, "client.dns.lookup", "client.dns.lookup"),
    replaced(kProducer, "security.protocol", "security.protocol"),
    replaced(kProducer, "sasl.mechanism", "sasl.mechanism"),
    replaced(kProducer, "sasl.kerberos.service.name", "sasl.kerberos.service.name"),
    replaced(kProducer, "ssl.endpoint.identification.algorithm",
             "ssl.endpoint.identification.algorithm"),
    replaced(kProducer, "ssl.cipher.suites", "ssl.cipher.suites"),
    missing(kProducer, "sasl.jaas.config",
            "it holds a secret: write sasl.username and sasl.password = { file = ... } in [kafka]"),
    missing(kProducer, "sasl.login.*", kJava),
    missing(kProducer, "sasl.client.callback.handler.class", kJava),
    missing(kProducer, "sasl.oauthbearer.*",
            "librdkafka has sasl.oauthbearer.* of its own: see its list"),
    irrelevant(kProducer, "sasl.kerberos.*", kJava),
    missing(kProducer, "ssl.truststore.certificates", "write it to a file: ssl.ca.location"),
    missing(kProducer, "ssl.keystore.certificate.chain",
            "write it to a file: ssl.certificate.location"),
    missing(kProducer, "ssl.keystore.key", "write it to a file: ssl.key.location"),
    missing(kProducer, "ssl.truststore.password", "a PEM of certificates needs none"),
    missing(kProducer, "ssl.truststore.*",
            "librdkafka reads PEM, not JKS: export the certificates and name the file in "
            "ssl.ca.location"),
    missing(kProducer, "ssl.keystore.password",
            "it is a secret: ssl.keystore.password = { file = ... } in [kafka], for PKCS#12"),
    missing(kProducer, "ssl.keystore.*",
            "librdkafka reads PKCS#12 (ssl.keystore.location) or PEM (ssl.certificate.location, "
            "ssl.key.location), not JKS"),
    missing(kProducer, "ssl.key.password",
            "it is a secret: ssl.key.password = { file = ... } in [kafka]"),
    irrelevant(kProducer, "ssl.*", kJava),
    missing(kProducer, "acks",
            "every event has to be on all in-sync replicas before it is confirmed", "all|-1"),
    missing(kProducer, "enable.idempotence", "a repeated request must not repeat a record", "true"),
    irrelevant(kProducer, "max.in.flight.requests.per.connection",
               "five keep the order, and no more are used"),
    irrelevant(kProducer, "retries", "the relay never gives up on a record"),
    irrelevant(kProducer, "delivery.timeout.ms", "the relay never gives up on a record"),
    irrelevant(kProducer, "max.block.ms", "the relay never waits for Kafka"),
    irrelevant(kProducer, "buffer.memory",
               "[capture] max_in_flight_bytes bounds what is under way"),
    unsupported(kProducer, "partitioner.class", "records go where Java's default puts them",
                "org.apache.kafka.clients.producer.internals.DefaultPartitioner"),
    unsupported(kProducer, "partitioner.ignore.keys",
                "records of a key stay in one partition, in order", "false"),
    irrelevant(kProducer, "partitioner.*", kJava),
    unsupported(kProducer, "interceptor.classes", kCustomClass),
    missing(kProducer, "transactional.id", "delivery is at least once"),
    irrelevant(kProducer, "transaction.timeout.ms", "delivery is at least once"),
    irrelevant(kProducer, "key.serializer", kJava),
    irrelevant(kProducer, "value.serializer", kJava),
    irrelevant(kProducer, "metric*", kJava),
    irrelevant(kProducer, "auto.include.jmx.reporter", kJava),
    irrelevant(kProducer, "compression.*", kJava),
    irrelevant(kProducer, "metadata.*", kJava),
    irrelevant(kProducer, "socket.connection.*", kJava),
    irrelevant(kProducer, "enable.metrics.push", kJava),
    irrelevant(kProducer, "security.providers", kJava),
    irrelevant(kProducer, "config.providers*", kJava),

    // ---- Transformations, by class
    supported(kTransform, "io.debezium.transforms.outbox.EventRouter"),
    supported(kTransform,
              "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent"),
    unsupported(kTransform, "io.debezium.transforms.ExtractNewRecordState",
                "the relay writes whole envelopes: take `after` in the consumer"),
    unsupported(kTransform, "io.debezium.transforms.ExtractChangedRecordState",
                "compare `before` and `after` in the consumer"),
    unsupported(kTransform, "io.debezium.transforms.ByLogicalTableRouter",
                "topics are named after tables; for partitions, publish via the partition root"),
    unsupported(kTransform, "io.debezium.transforms.ToLogicalTopicRouter",
                "topics are named after tables; for partitions, publish via the partition root"),
    unsupported(kTransform, "io.debezium.transforms.partitions.PartitionRouting",
                "name the columns in message.key.columns: the key decides the partition"),
    unsupported(kTransform, "io.debezium.transforms.Filter",
                "filter with table and column lists, a row filter of the publication "
                "(CREATE PUBLICATION ... WHERE), or in the consumer"),
    unsupported(kTransform, "io.debezium.transforms.ContentBasedRouter",
                "route an outbox by route.by.field, or in a stream processor"),
    unsupported(kTransform, "io.debezium.transforms.TimezoneConverter",
                "times are in UTC: convert in the consumer"),
    unsupported(kTransform, "io.debezium.transforms.HeaderToValue",
                "the value stays as it is, and the header beside it"),
    unsupported(kTransform, "io.debezium.transforms.EnforceRecordSize",
                "what is to happen with messages that are too large is docs/operations.md's"),
    irrelevant(kTransform, "io.debezium.transforms.SchemaChangeEventFilter",
               "PostgreSQL's connector has no schema change events"),
    irrelevant(kTransform, "io.debezium.transforms.tracing.ActivateTracingSpan",
               "the relay makes no spans"),
    irrelevant(kTransform, "io.debezium.transforms.openlineage.OpenLineage", kLineage),
    unsupported(kTransform, "org.apache.kafka.connect.transforms.RegexRouter",
                "topics are named by topic.prefix and topic.delimiter, those of an outbox by "
                "route.topic.regex and route.topic.replacement"),
    unsupported(kTransform, "*",
                "transformations are classes, and none but the event router is built in: do it in "
                "the consumer or a stream processor"),
};

bool same_letter(char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
}

/// Whether the name fits; "*" takes one or more characters, as few as it can first.
bool matches(std::string_view pattern, std::string_view name) {
    const std::size_t star = pattern.find('*');
    if (star == std::string_view::npos) {
        return pattern == name;
    }
    if (!name.starts_with(pattern.substr(0, star))) {
        return false;
    }
    const std::string_view rest = pattern.substr(star + 1);
    for (std::size_t taken = star + 1; taken <= name.size(); ++taken) {
        if (matches(rest, name.substr(taken))) {
            return true;
        }
    }
    return false;
}

}  // namespace

std::span<const DebeziumProperty> debezium_properties() {
    return kTable;
}

const DebeziumProperty* debezium_property(PropertyOwner owner, std::string_view name) {
    const auto* found = std::ranges::find_if(kTable, [&](const DebeziumProperty& property) {
        return property.owner == owner && matches(property.pattern, name);
    });
    return found == std::end(kTable) ? nullptr : found;
}

bool is_harmless(const DebeziumProperty& property, std::string_view value) {
    std::string_view rest = property.harmless;
    while (!rest.empty()) {
        const std::string_view word = rest.substr(0, rest.find('|'));
        if (std::ranges::equal(word, value, same_letter)) {
            return true;
        }
        rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    }
    return false;
}

std::optional<std::string> nearest_property(PropertyOwner owner, std::string_view name,
                                            std::size_t distance) {
    std::vector<std::string> names;
    for (const DebeziumProperty& entry : debezium_properties()) {
        if (entry.owner == owner && entry.pattern.find('*') == std::string_view::npos) {
            names.emplace_back(entry.pattern);
        }
    }
    const std::string_view section = owner == PropertyOwner::kRouter ? "outbox" : "connector";
    for (const Key& ours : keys()) {
        if (owner != PropertyOwner::kProducer && ours.section == section) {
            names.emplace_back(ours.name);
        }
    }
    std::optional<std::string> near = nearest(name, names);
    return near && edit_distance(name, *near) <= distance ? near : std::nullopt;
}

std::optional<std::string> debezium_refusal(std::string_view section, std::string_view name) {
    if (section != "connector" && section != "outbox") {
        return std::nullopt;
    }
    const DebeziumProperty* property = debezium_property(
        section == "connector" ? PropertyOwner::kConnector : PropertyOwner::kRouter, name);
    if (property == nullptr || property->verdict == PropertyVerdict::kSupported) {
        return std::nullopt;
    }
    const bool idle = property->verdict == PropertyVerdict::kIrrelevant;
    return "Debezium's \"" + std::string(name) + "\" is " +
           (idle ? "of no use here: " : "not for this file: ") + std::string(property->advice) +
           "; leave it out";
}

}  // namespace holdfast::relay::config
