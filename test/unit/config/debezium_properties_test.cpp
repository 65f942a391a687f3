#include "config/debezium_properties.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <utility>

#include "config/config.hpp"
#include "config/keys.hpp"
#include "config/loader.hpp"

namespace holdfast::relay::config {
namespace {

PropertyVerdict verdict(PropertyOwner owner, std::string_view name) {
    const DebeziumProperty* property = debezium_property(owner, name);
    EXPECT_NE(property, nullptr) << name;
    return property == nullptr ? PropertyVerdict::kUnsupported : property->verdict;
}

/// A name that the pattern takes.
std::string example_of(std::string_view pattern) {
    std::string name;
    for (const char c : pattern) {
        name += c == '*' ? std::string("1") : std::string(1, c);
    }
    return name;
}

TEST(DebeziumProperties, KnowsEveryPropertyOfTheConnector) {
    // PostgresConnectorConfig.ALL_FIELDS and the documentation's list, 3.7.
    for (const char* name : {"connector.class",
                             "tasks.max",
                             "database.hostname",
                             "database.port",
                             "database.user",
                             "database.password",
                             "database.dbname",
                             "database.query.timeout.ms",
                             "database.initial.statements",
                             "database.tcpKeepAlive",
                             "database.sslmode",
                             "database.sslcert",
                             "database.sslkey",
                             "database.sslpassword",
                             "database.sslrootcert",
                             "database.sslfactory",
                             "plugin.name",
                             "slot.name",
                             "publication.name",
                             "publication.autocreate.mode",
                             "replica.identity.autoset.values",
                             "slot.drop.on.stop",
                             "slot.failover",
                             "slot.stream.params",
                             "slot.max.retries",
                             "slot.retry.delay.ms",
                             "slot.seek.to.known.offset.on.start",
                             "offset.mismatch.strategy",
                             "create.slot.command.timeout",
                             "status.update.interval.ms",
                             "lsn.flush.timeout.ms",
                             "lsn.flush.timeout.action",
                             "lsn.flush.mode",
                             "flush.lsn.source",
                             "xmin.fetch.interval.ms",
                             "hstore.handling.mode",
                             "binary.handling.mode",
                             "schema.name.adjustment.mode",
                             "field.name.adjustment.mode",
                             "interval.handling.mode",
                             "message.prefix.include.list",
                             "message.prefix.exclude.list",
                             "publish.via.partition.root",
                             "unavailable.value.placeholder",
                             "skipped.operations",
                             "schema.refresh.mode",
                             "include.unknown.datatypes",
                             "sourceinfo.struct.maker",
                             "snapshot.mode",
                             "snapshot.mode.custom.name",
                             "snapshot.mode.configuration.based.snapshot.data",
                             "snapshot.isolation.mode",
                             "snapshot.query.mode",
                             "snapshot.query.mode.custom.name",
                             "snapshot.locking.mode",
                             "snapshot.locking.mode.custom.name",
                             "incremental.snapshot.chunk.size",
                             "incremental.snapshot.watermarking.strategy",
                             "incremental.snapshot.allow.schema.changes",
                             "money.fraction.digits",
                             "read.only",
                             "topic.prefix",
                             "retriable.restart.connector.wait.ms",
                             "tombstones.on.delete",
                             "max.queue.size",
                             "max.batch.size",
                             "poll.interval.ms",
                             "poll.dispatch.interval.ms",
                             "max.queue.size.in.bytes",
                             "queue.provider.type",
                             "snapshot.delay.ms",
                             "snapshot.fetch.size",
                             "snapshot.include.collection.list",
                             "provide.transaction.metadata",
                             "transaction.metadata.factory",
                             "event.processing.failure.handling.mode",
                             "event.converting.failure.handling.mode",
                             "converters",
                             "post.processors",
                             "skip.messages.without.change",
                             "query.fetch.size",
                             "snapshot.max.threads",
                             "snapshot.max.threads.multiplier",
                             "legacy.snapshot.max.threads",
                             "signal.data.collection",
                             "signal.poll.interval.ms",
                             "signal.enabled.channels",
                             "signal.emit.failure.max.retries",
                             "signal.emit.failure.backoff.ms",
                             "topic.naming.strategy",
                             "custom.retriable.exception",
                             "notification.enabled.channels",
                             "errors.max.retries",
                             "custom.metric.tags",
                             "streaming.delay.ms",
                             "log.position.check.enable",
                             "offset.activity.monitor.interval.ms",
                             "advanced.metrics.enable",
                             "connection.validation.timeout.ms",
                             "executor.shutdown.timeout.ms",
                             "openlineage.integration.enabled",
                             "custom.sanitize.pattern",
                             "extended.headers.enabled",
                             "guardrail.collections.max",
                             "guardrail.collections.limit.action",
                             "statistics.metrics.enabled",
                             "table.include.list",
                             "table.exclude.list",
                             "table.ignore.builtin",
                             "column.exclude.list",
                             "column.include.list",
                             "message.key.columns",
                             "decimal.handling.mode",
                             "snapshot.select.statement.overrides",
                             "snapshot.select.statement.overrides.public.t",
                             "schema.include.list",
                             "schema.exclude.list",
                             "time.precision.mode",
                             "snapshot.lock.timeout.ms",
                             "include.schema.changes",
                             "include.schema.comments",
                             "column.mask.hash.SHA-256.with.salt.CzQMA0cB5K",
                             "column.mask.hash.v2.SHA-512.with.salt.s.a.l.t",
                             "column.mask.with.12.chars",
                             "column.truncate.to.20.chars",
                             "column.propagate.source.type",
                             "datatype.propagate.source.type",
                             "snapshot.scan.all.columns.force",
                             "snapshot.tables.order.by.row.count",
                             "heartbeat.interval.ms",
                             "heartbeat.action.query",
                             "topic.heartbeat.prefix",
                             "topic.heartbeat.name",
                             "topic.transaction",
                             "topic.delimiter",
                             "topic.cache.size",
                             "multi.partition.mode",
                             "database.connection.class.factory",
                             "database.include.list",
                             "database.exclude.list",
                             "memory.management.schemas.class",
                             "memory.management.tables.class",
                             "notification.sink.topic.name",
                             "notification.http.url",
                             "openlineage.integration.config.file.path",
                             "snapshot.mode.configuration.based.start.stream",
                             "tasks.max.enforce",
                             "connector.plugin.version",
                             "key.converter.plugin.version",
                             "key.converter",
                             "value.converter.schemas.enable",
                             "header.converter",
                             "value.converter.replace.null.with.default",
                             "topic.creation.default.partitions",
                             "errors.tolerance",
                             "offset.storage.file.filename",
                             "rest.port"}) {
        static_cast<void>(verdict(PropertyOwner::kConnector, name));
    }
    EXPECT_EQ(debezium_property(PropertyOwner::kConnector, "table.inlcude.list"), nullptr);
}

TEST(DebeziumProperties, NamesThatDebeziumHasGivenUpSayWhatTheyAreNow) {
    for (const auto& [old, now] :
         {std::pair{"table.whitelist", "table.include.list"},
          std::pair{"table.blacklist", "table.exclude.list"},
          std::pair{"schema.whitelist", "schema.include.list"},
          std::pair{"column.blacklist", "column.exclude.list"},
          std::pair{"database.server.name", "topic.prefix"},
          std::pair{"toasted.value.placeholder", "unavailable.value.placeholder"},
          std::pair{"heartbeat.topics.prefix", "topic.heartbeat.prefix"},
          std::pair{"transaction.topic", "topic.transaction"}}) {
        const auto refusal = debezium_refusal("connector", old);
        ASSERT_TRUE(refusal.has_value()) << old;
        EXPECT_NE(refusal->find(now), std::string::npos) << *refusal;
        EXPECT_EQ(verdict(PropertyOwner::kConnector, now), PropertyVerdict::kSupported) << now;
    }
}

TEST(DebeziumProperties, AMistypedNameIsLikeOneOfItsOwnersWithinTheDistance) {
    const auto near = [](PropertyOwner owner, std::string_view name, std::size_t distance) {
        return nearest_property(owner, name, distance).value_or("none");
    };
    EXPECT_EQ(near(PropertyOwner::kConnector, "tabel.include.list", 2), "table.include.list");
    EXPECT_EQ(near(PropertyOwner::kConnector, "tbl.include.list", 1), "none");
    EXPECT_EQ(near(PropertyOwner::kRouter, "route.topic.replacment", 2), "route.topic.replacement");
    EXPECT_EQ(near(PropertyOwner::kProducer, "tabel.include.list", 2), "none");
    EXPECT_EQ(near(PropertyOwner::kProducer, "batch.sise", 2), "batch.size");
}

TEST(DebeziumProperties, EveryEntryIsReachable) {
    for (const DebeziumProperty& property : debezium_properties()) {
        EXPECT_EQ(debezium_property(property.owner, example_of(property.pattern)), &property)
            << property.pattern << " is hidden by an entry before it";
    }
}

TEST(DebeziumProperties, WhatIsNotSupportedSaysWhatToDo) {
    for (const DebeziumProperty& property : debezium_properties()) {
        EXPECT_EQ(property.advice.empty(), property.verdict == PropertyVerdict::kSupported)
            << property.pattern;
        EXPECT_FALSE(property.advice.ends_with('.')) << property.pattern;
    }
}

TEST(DebeziumProperties, AStarTakesOneCharacterAtLeast) {
    EXPECT_EQ(verdict(PropertyOwner::kConnector, "column.mask.with.1.chars"),
              PropertyVerdict::kSupported);
    EXPECT_EQ(debezium_property(PropertyOwner::kConnector, "column.mask.with..chars"), nullptr);
    EXPECT_EQ(debezium_property(PropertyOwner::kConnector, "column.mask.with.1.char"), nullptr);
}

TEST(DebeziumProperties, OneOwnersPropertyIsNotAnothers) {
    EXPECT_EQ(debezium_property(PropertyOwner::kRouter, "topic.prefix"), nullptr);
    EXPECT_EQ(debezium_property(PropertyOwner::kConnector, "route.by.field"), nullptr);
    EXPECT_EQ(verdict(PropertyOwner::kTransform, "org.example.Mine"),
              PropertyVerdict::kUnsupported);
}

TEST(DebeziumProperties, HarmlessValuesAreComparedWithoutCase) {
    const DebeziumProperty* plugin = debezium_property(PropertyOwner::kConnector, "plugin.name");
    ASSERT_NE(plugin, nullptr);
    EXPECT_TRUE(is_harmless(*plugin, "pgoutput"));
    EXPECT_TRUE(is_harmless(*plugin, "PGOUTPUT"));
    EXPECT_FALSE(is_harmless(*plugin, "decoderbufs"));
    EXPECT_FALSE(is_harmless(*plugin, ""));
    const DebeziumProperty* acks = debezium_property(PropertyOwner::kProducer, "acks");
    ASSERT_NE(acks, nullptr);
    EXPECT_TRUE(is_harmless(*acks, "all"));
    EXPECT_TRUE(is_harmless(*acks, "-1"));
    EXPECT_FALSE(is_harmless(*acks, "all|-1"));
}

TEST(DebeziumProperties, AConfigurationRefusesThemByNameAndSaysWhatToUse) {
    const auto refusal = debezium_refusal("outbox", "tracing.operation.name");
    ASSERT_TRUE(refusal.has_value());
    EXPECT_NE(refusal->find("tracing.operation.name"), std::string::npos);
    EXPECT_NE(refusal->find("traceparent"), std::string::npos);
    EXPECT_FALSE(debezium_refusal("outbox", "route.by.field").has_value());
    EXPECT_FALSE(debezium_refusal("outbox", "nothing.of.the.kind").has_value());
    EXPECT_FALSE(debezium_refusal("postgres", "plugin.name").has_value());
    EXPECT_NE(debezium_refusal("connector", "poll.interval.ms")->find("of no use here"),
              std::string::npos);
    try {
        static_cast<void>(
            parse("[kafka]\n\"bootstrap.servers\" = \"a:1\"\n"
                  "[outbox]\n\"tracing.operation.name\" = \"x\"\n",
                  "f.toml", Privacy::kOwnerOnly, {}));
        FAIL() << "the key was accepted";
    } catch (const ConfigError& error) {
        ASSERT_EQ(error.problems().size(), 1U);
        EXPECT_EQ(error.problems()[0].origin, "f.toml:4");
        EXPECT_NE(error.problems()[0].message.find("traceparent"), std::string::npos);
    }
}

}  // namespace
}  // namespace holdfast::relay::config
