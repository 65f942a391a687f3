#include "commands/debezium_import.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/errors.hpp"
#include "config/config.hpp"
#include "config/loader.hpp"

namespace holdfast::relay::commands {
namespace {

using Weight = ImportFinding::Weight;

/// A connector without an outbox, about which there is nothing to say but the password.
ConnectProperties connector() {
    return {{"connector.class", "io.debezium.connector.postgresql.PostgresConnector"},
            {"name", "shop-connector"},
            {"database.hostname", "db.example"},
            {"database.port", "5433"},
            {"database.user", "cdc"},
            {"database.password", "hunter2"},
            {"database.dbname", "shop"},
            {"topic.prefix", "app"},
            {"plugin.name", "pgoutput"},
            {"slot.name", "dbz"},
            {"publication.name", "dbz_pub"}};
}
ConnectProperties worker() {
    return {{"bootstrap.servers", "k1:9092,k2:9092"},
            {"key.converter", "org.apache.kafka.connect.json.JsonConverter"},
            {"key.converter.schemas.enable", "false"},
            {"value.converter", "org.apache.kafka.connect.json.JsonConverter"},
            {"value.converter.schemas.enable", "false"},
            {"offset.storage.file.filename", "/var/lib/connect/offsets"}};
}

/// The finding of a property; "" when there is none.
std::string finding(const DebeziumImport& imported, std::string_view property) {
    const auto found = std::ranges::find(imported.findings, property, &ImportFinding::property);
    return found == imported.findings.end() ? std::string() : found->text;
}
Weight weight(const DebeziumImport& imported, std::string_view property) {
    const auto found = std::ranges::find(imported.findings, property, &ImportFinding::property);
    EXPECT_NE(found, imported.findings.end()) << property;
    return found == imported.findings.end() ? Weight::kNote : found->weight;
}

DebeziumImport import(const ConnectProperties& properties) {
    return import_connector(properties, worker(), std::nullopt);
}
/// What loading the result gives.
config::Config loaded(const DebeziumImport& imported) {
    return config::parse(imported.toml, "imported", config::Privacy::kReadableByOthers, {});
}

TEST(DebeziumImport, TheResultLoadsAndSaysTheSame) {
    ConnectProperties properties = connector();
    properties["table.include.list"] = "inventory\\.(orders|items)";
    properties["decimal.handling.mode"] = "STRING";
    properties["column.mask.with.4.chars"] = "inventory.orders.\"card\"";
    properties["tombstones.on.delete"] = "FALSE";
    properties["heartbeat.interval.ms"] = "5000";
    const DebeziumImport imported = import(properties);
    EXPECT_FALSE(imported.changes_messages()) << imported.toml;
    const config::Config config = loaded(imported);
    EXPECT_EQ(config.postgres.dsn, "host=db.example port=5433 dbname=shop user=cdc");
    EXPECT_EQ(config.postgres.slot, "dbz");
    EXPECT_EQ(config.postgres.publication, "dbz_pub");
    EXPECT_EQ(config::kafka_property(config, "bootstrap.servers"), "k1:9092,k2:9092");
    EXPECT_EQ(config.connector.text("topic.prefix"), "app");
    EXPECT_EQ(config.connector.text("table.include.list"), "inventory\\.(orders|items)");
    EXPECT_EQ(config.connector.text("decimal.handling.mode"), "string");
    EXPECT_FALSE(config.connector.flag("tombstones.on.delete"));
    EXPECT_FALSE(config.connector.flag("value.converter.schemas.enable"));
    EXPECT_FALSE(config.connector.flag("key.converter.schemas.enable"));
    EXPECT_EQ(config.connector.integer("heartbeat.interval.ms"), 5000);
    ASSERT_EQ(config.connector.named.size(), 1U);
    EXPECT_EQ(config.connector.named[0].name, "column.mask.with.4.chars");
    EXPECT_EQ(config.connector.named[0].value, "inventory.orders.\"card\"");
}

TEST(DebeziumImport, NoPasswordIsShown) {
    ConnectProperties properties = connector();
    properties["database.sslpassword"] = "hunter3";
    properties["producer.override.sasl.jaas.config"] = "x required password=\"hunter4\";";
    properties["producer.override.ssl.key.password"] = "hunter5";
    const DebeziumImport imported = import(properties);
    EXPECT_EQ(imported.toml.find("hunter"), std::string::npos) << imported.toml;
    for (const ImportFinding& found : imported.findings) {
        EXPECT_EQ(found.text.find("hunter"), std::string::npos) << found.property;
    }
    EXPECT_NE(finding(imported, "database.password").find("secrets are not copied"),
              std::string::npos);
    EXPECT_NE(finding(imported, "producer.override.sasl.jaas.config").find("sasl.username"),
              std::string::npos);
}

TEST(DebeziumImport, ConnectionValuesAreQuotedForLibpq) {
    ConnectProperties properties = connector();
    properties["database.user"] = "o'neil \\ co";
    properties["database.sslmode"] = "verify-full";
    properties["database.sslrootcert"] = "/etc/ca cert.pem";
    properties["database.tcpKeepAlive"] = "false";
    EXPECT_EQ(import(properties).dsn,
              "host=db.example port=5433 dbname=shop user='o\\'neil \\\\ co' sslmode=verify-full "
              "sslrootcert='/etc/ca cert.pem' keepalives=0");
}

TEST(DebeziumImport, DefaultsThatAreNotOursAreWritten) {
    ConnectProperties properties = connector();
    properties.erase("slot.name");
    properties.erase("publication.name");
    properties.erase("plugin.name");
    const DebeziumImport imported = import(properties);
    EXPECT_EQ(imported.slot, "debezium");
    EXPECT_EQ(imported.publication, "dbz_publication");
    EXPECT_NE(finding(imported, "plugin.name").find("decoderbufs"), std::string::npos);
    EXPECT_EQ(weight(imported, "plugin.name"), Weight::kDifference);
}

TEST(DebeziumImport, WhatCannotBeCarriedOverIsNamedWithWhatToUse) {
    ConnectProperties properties = connector();
    properties["converters"] = "isbn";
    properties["poll.interval.ms"] = "100";
    properties["snapshot.query.mode"] = "custom";
    properties["lsn.flush.mode"] = "manual";
    properties["table.inlcude.list"] = "a.b";
    const DebeziumImport imported = import(properties);
    EXPECT_EQ(weight(imported, "converters"), Weight::kOtherMessages);
    EXPECT_EQ(weight(imported, "poll.interval.ms"), Weight::kNote);
    EXPECT_EQ(weight(imported, "snapshot.query.mode"), Weight::kDifference);
    EXPECT_EQ(weight(imported, "lsn.flush.mode"), Weight::kDifference);
    EXPECT_EQ(weight(imported, "table.inlcude.list"), Weight::kOtherMessages);
    EXPECT_NE(finding(imported, "table.inlcude.list").find("is \"table.include.list\" meant?"),
              std::string::npos);
    EXPECT_TRUE(imported.changes_messages());
    EXPECT_NE(imported.toml.find("#   converters: "), std::string::npos);
    EXPECT_EQ(imported.findings.front().weight, Weight::kOtherMessages);
    EXPECT_NO_THROW(static_cast<void>(loaded(imported)));
}

TEST(DebeziumImport, AValueThatAsksForNothingElseIsNoFinding) {
    ConnectProperties properties = connector();
    properties["publication.autocreate.mode"] = "disabled";
    properties["slot.drop.on.stop"] = "false";
    properties["snapshot.query.mode"] = "select_all";
    properties["converters"] = "";
    const DebeziumImport imported = import(properties);
    for (const char* name : {"publication.autocreate.mode", "slot.drop.on.stop",
                             "snapshot.query.mode", "converters"}) {
        EXPECT_EQ(finding(imported, name), "") << name;
    }
}

TEST(DebeziumImport, AValueThatIsNotToBeHadIsNamed) {
    ConnectProperties properties = connector();
    properties["time.precision.mode"] = "lunar";
    properties["money.fraction.digits"] = "many";
    properties["value.converter"] = "io.confluent.connect.avro.AvroConverter";
    properties["value.converter.schema.registry.url"] = "http://registry";
    const DebeziumImport imported = import(properties);
    EXPECT_NE(finding(imported, "time.precision.mode").find("\"adaptive\", "), std::string::npos);
    EXPECT_NE(finding(imported, "money.fraction.digits").find("from 0 to 30"), std::string::npos);
    EXPECT_EQ(weight(imported, "value.converter"), Weight::kOtherMessages);
    EXPECT_EQ(weight(imported, "value.converter.schema.registry.url"), Weight::kOtherMessages);
    EXPECT_NO_THROW(static_cast<void>(loaded(imported)));
}

TEST(DebeziumImport, ReferencesToConfigProvidersAreNamedNotCopied) {
    ConnectProperties properties = connector();
    properties["database.hostname"] = "${file:/etc/secrets:host}";
    properties["table.include.list"] = "${env:TABLES}";
    const DebeziumImport imported = import(properties);
    EXPECT_EQ(weight(imported, "database.hostname"), Weight::kOtherMessages);
    EXPECT_EQ(weight(imported, "table.include.list"), Weight::kOtherMessages);
    EXPECT_EQ(imported.dsn, "port=5433 dbname=shop user=cdc");
}

TEST(DebeziumImport, PlaceholdersOfATemplateAreNamedNotCopied) {
    ConnectProperties properties = connector();
    properties["database.hostname"] = "${DB_HOST}";
    properties["slot.name"] = "${SLOT}";
    properties["topic.prefix"] = "${STAGE}";
    properties["heartbeat.action.query"] = "INSERT INTO beat VALUES ('${STAGE}')";
    const DebeziumImport imported = import(properties);
    EXPECT_EQ(imported.toml.find("= \"${"), std::string::npos) << imported.toml;
    EXPECT_EQ(imported.dsn, "port=5433 dbname=shop user=cdc");
    for (const char* name :
         {"database.hostname", "slot.name", "topic.prefix", "heartbeat.action.query"}) {
        EXPECT_EQ(std::ranges::count(imported.findings, name, &ImportFinding::property), 1) << name;
        EXPECT_NE(finding(imported, name).find("write what it stands for"), std::string::npos);
        EXPECT_EQ(weight(imported, name), Weight::kOtherMessages);
    }
}

TEST(DebeziumImport, WithoutATopicPrefixItSaysSoAndTheResultIsNotTakenForComplete) {
    ConnectProperties properties = connector();
    properties.erase("topic.prefix");
    properties["database.server.name"] = "app";
    properties["table.include.list"] = "public.orders";
    const DebeziumImport imported = import(properties);
    EXPECT_EQ(weight(imported, "topic.prefix"), Weight::kOtherMessages);
    EXPECT_NE(finding(imported, "database.server.name").find("topic.prefix"), std::string::npos);
    EXPECT_THROW(static_cast<void>(loaded(imported)), config::ConfigError);
}

TEST(DebeziumImport, ValuesThatDebeziumHasRenamedGetTheirNewNames) {
    for (const auto& [old, now] :
         {std::pair{"never", "no_data"}, std::pair{"schema_only", "no_data"},
          std::pair{"EXPORTED", "initial"}}) {
        ConnectProperties properties = connector();
        properties["snapshot.mode"] = old;
        const DebeziumImport imported = import(properties);
        EXPECT_EQ(loaded(imported).connector.text("snapshot.mode"), now);
        EXPECT_EQ(weight(imported, "snapshot.mode"), Weight::kNote);
    }
}

TEST(DebeziumImport, OptionsOfAClassBelongToItsFinding) {
    ConnectProperties properties = connector();
    properties["converters"] = "isbn, ts";
    properties["isbn.schema.name"] = "x";
    properties["ts.type"] = "org.example.Ts";
    properties["post.processors"] = "again";
    properties["again.type"] = "io.debezium.processors.reselect.ReselectColumnsPostProcessor";
    const DebeziumImport imported = import(properties);
    EXPECT_EQ(weight(imported, "converters"), Weight::kOtherMessages);
    EXPECT_EQ(weight(imported, "post.processors"), Weight::kOtherMessages);
    EXPECT_NE(finding(imported, "isbn.schema.name").find("\"converters\""), std::string::npos);
    EXPECT_NE(finding(imported, "ts.type").find("\"converters\""), std::string::npos);
    EXPECT_NE(finding(imported, "again.type").find("\"post.processors\""), std::string::npos);
}

TEST(DebeziumImport, TheProducersSettingsAreOfNoUseInAConnectorThereAsHere) {
    ConnectProperties properties = connector();
    for (const char* name :
         {"max.request.size", "acks", "bootstrap.servers", "producer.max.request.size"}) {
        properties[name] = "1";
    }
    const DebeziumImport imported = import(properties);
    for (const char* name :
         {"max.request.size", "acks", "bootstrap.servers", "producer.max.request.size"}) {
        EXPECT_EQ(weight(imported, name), Weight::kNote) << name;
        EXPECT_NE(finding(imported, name).find("producer.override"), std::string::npos) << name;
    }
    EXPECT_EQ(config::kafka_property(loaded(imported), "bootstrap.servers"), "k1:9092,k2:9092");
}

TEST(DebeziumImport, ASlipOfThePenIsSeenWhereAWildcardWouldTakeIt) {
    ConnectProperties properties = connector();
    properties["database.hostnam"] = "x";
    properties["snapshot.mod"] = "no_data";
    properties["heartbeat.intervall.ms"] = "5";
    properties["value.converter.schemas.enabled"] = "false";
    properties["database.ApplicationName"] = "x";
    const DebeziumImport imported = import(properties);
    for (const auto& [slip, meant] :
         {std::pair{"database.hostnam", "\"database.hostname\""},
          std::pair{"snapshot.mod", "\"snapshot.mode\""},
          std::pair{"heartbeat.intervall.ms", "\"heartbeat.interval.ms\""},
          std::pair{"value.converter.schemas.enabled", "\"value.converter.schemas.enable\""}}) {
        EXPECT_NE(finding(imported, slip).find(meant), std::string::npos) << slip;
    }
    EXPECT_EQ(finding(imported, "database.ApplicationName").find("meant?"), std::string::npos);
}

TEST(DebeziumImport, WhoWritesSignalsOrReadsNotificationsIsToldThatTheyAreElsewhere) {
    ConnectProperties properties = connector();
    properties["signal.data.collection"] = "public.signals";
    properties["notification.sink.topic.name"] = "notes";
    properties["signal.poll.interval.ms"] = "10";
    const DebeziumImport imported = import(properties);
    EXPECT_EQ(weight(imported, "signal.data.collection"), Weight::kDifference);
    EXPECT_EQ(weight(imported, "notification.sink.topic.name"), Weight::kDifference);
    EXPECT_EQ(weight(imported, "signal.poll.interval.ms"), Weight::kNote);
}

TEST(DebeziumImport, TheWorkersConvertersCountUnlessTheConnectorHasItsOwn) {
    ConnectProperties properties = connector();
    properties["value.converter"] = "org.apache.kafka.connect.json.JsonConverter";
    const config::Config config = loaded(import(properties));
    EXPECT_TRUE(config.connector.flag("value.converter.schemas.enable"))
        << "the worker's option belongs to the worker's converter";
    EXPECT_FALSE(config.connector.flag("key.converter.schemas.enable"));
}

TEST(DebeziumImport, WithoutAWorkerItSaysWhatIsMissing) {
    const DebeziumImport imported = import_connector(connector(), std::nullopt, std::nullopt);
    EXPECT_NE(finding(imported, "bootstrap.servers").find("--worker"), std::string::npos);
    EXPECT_NE(finding(imported, "key.converter").find("--worker"), std::string::npos);
    EXPECT_TRUE(imported.changes_messages());
}

TEST(DebeziumImport, ProducerSettingsGetTheNamesOfLibrdkafka) {
    ConnectProperties properties = connector();
    properties["producer.override.max.request.size"] = "5000000";
    properties["producer.override.linger.ms"] = "7";
    properties["producer.override.acks"] = "1";
    properties["producer.override.compression.type"] = "zstd";
    properties["producer.override.buffer.memory"] = "1";
    ConnectProperties of_worker = worker();
    of_worker["producer.linger.ms"] = "9";
    of_worker["producer.receive.buffer.bytes"] = "-1";
    of_worker["consumer.max.poll.records"] = "9";
    const DebeziumImport imported = import_connector(properties, of_worker, std::nullopt);
    const config::Config config = loaded(imported);
    EXPECT_EQ(config::kafka_property(config, "message.max.bytes"), "5000000");
    EXPECT_EQ(config::kafka_property(config, "linger.ms"), "7");
    EXPECT_EQ(config::kafka_property(config, "compression.type"), "zstd");
    EXPECT_EQ(config::kafka_property(config, "socket.receive.buffer.bytes"), std::nullopt);
    EXPECT_EQ(weight(imported, "producer.override.acks"), Weight::kDifference);
    EXPECT_EQ(weight(imported, "producer.override.buffer.memory"), Weight::kNote);
}

// ---- The event router

ConnectProperties with_router() {
    ConnectProperties properties = connector();
    properties["table.include.list"] = "public\\.outbox";
    properties["transforms"] = "routes";
    properties["transforms.routes.type"] = "io.debezium.transforms.outbox.EventRouter";
    return properties;
}

TEST(DebeziumImport, TheRouterBecomesAnOutboxWithDebeziumsDefaults) {
    ConnectProperties properties = with_router();
    properties["transforms.routes.table.field.event.key"] = "agg id";
    properties["transforms.routes.route.tombstone.on.empty.payload"] = "true";
    const DebeziumImport imported = import(properties);
    const config::Config config = loaded(imported);
    EXPECT_NE(imported.toml.find("\n[outbox]\n"), std::string::npos) << imported.toml;
    EXPECT_NE(imported.toml.find("table = \"public.outbox\"\n"), std::string::npos);
    EXPECT_NE(imported.toml.find("\"message.prefix\" = \"\"\n"), std::string::npos);
    EXPECT_NE(
        imported.toml.find("\"route.topic.replacement\" = \"outbox.event.${routedByValue}\"\n"),
        std::string::npos);
    EXPECT_NE(imported.toml.find("\"table.fields.additional.placement\" = \"\"\n"),
              std::string::npos);
    EXPECT_NE(imported.toml.find("\"table.field.event.key\" = \"agg id\"\n"), std::string::npos);
    EXPECT_NE(imported.toml.find("\"route.tombstone.on.empty.payload\" = true\n"),
              std::string::npos);
}

TEST(DebeziumImport, ASlipInTheRoutersOptionsIsSeen) {
    ConnectProperties properties = with_router();
    properties["transforms.routes.table.field.payload"] = "body";
    properties["transforms.routes.route.topic.replacement"] = "${routedByValue}.events";
    const DebeziumImport imported = import(properties);
    EXPECT_NE(finding(imported, "transforms.routes.table.field.payload")
                  .find("\"table.field.event.payload\""),
              std::string::npos);
    EXPECT_EQ(loaded(imported).outboxes.at(0).route_topic_replacement, "${routedByValue}.events");
}

TEST(DebeziumImport, ThePredicateSaysWhichTableIsTheOutbox) {
    ConnectProperties properties = with_router();
    properties["table.include.list"] = "public.*";
    properties["transforms.routes.predicate"] = "isOutbox";
    properties["predicates"] = "isOutbox";
    properties["predicates.isOutbox.type"] =
        "org.apache.kafka.connect.transforms.predicates.TopicNameMatches";
    properties["predicates.isOutbox.pattern"] = "app\\.sales\\.out-box";
    EXPECT_NE(import(properties).toml.find("table = \"sales.out-box\"\n"), std::string::npos);

    properties["predicates.isOutbox.pattern"] = "app.*outbox";
    const DebeziumImport unknown = import(properties);
    EXPECT_EQ(weight(unknown, "transforms.routes.predicate"), Weight::kOtherMessages);
    EXPECT_NE(unknown.toml.find("# table = \"schema.table\"\n"), std::string::npos);

    properties["predicates.isOutbox.pattern"] = "app\\.sales\\.outbox";
    properties["transforms.routes.negate"] = "true";
    EXPECT_TRUE(import(properties).changes_messages());
}

TEST(DebeziumImport, SeveralOutboxesAreSeveralSections) {
    ConnectProperties properties = with_router();
    properties["table.include.list"] = "a.outbox, b.outbox";
    const std::string toml = import(properties).toml;
    EXPECT_NE(toml.find("\n[[outbox]]\ntable = \"a.outbox\"\n"), std::string::npos) << toml;
    EXPECT_NE(toml.find("\n[[outbox]]\ntable = \"b.outbox\"\n"), std::string::npos);
}

TEST(DebeziumImport, DecodedMessagesAreEventsByTheirPrefix) {
    ConnectProperties properties = with_router();
    properties["transforms"] = "decode,routes";
    properties["transforms.decode.type"] =
        "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent";
    properties["message.prefix.include.list"] = "events";
    EXPECT_NE(import(properties).toml.find("\"message.prefix\" = \"events\"\n"), std::string::npos);
    properties.erase("message.prefix.include.list");
    EXPECT_EQ(weight(import(properties), "transforms.decode"), Weight::kOtherMessages);
}

TEST(DebeziumImport, OtherTransformationsAreNamed) {
    ConnectProperties properties = connector();
    properties["transforms"] = "unwrap,mine,tidy";
    properties["transforms.unwrap.type"] = "io.debezium.transforms.ExtractNewRecordState";
    properties["transforms.unwrap.drop.tombstones"] = "false";
    properties["transforms.mine.type"] = "org.apache.kafka.connect.transforms.Cast$Value";
    properties["transforms.tidy.type"] = "io.debezium.transforms.SchemaChangeEventFilter";
    properties["transforms.old.type"] = "left behind";
    properties["transforms"] += ",bare,inner";
    properties["transforms.inner.type"] = "$Value";
    properties["key.converter."] = "";
    const DebeziumImport imported = import(properties);
    EXPECT_NE(finding(imported, "transforms.bare").find("no type"), std::string::npos);
    EXPECT_EQ(weight(imported, "transforms.inner"), Weight::kOtherMessages);
    EXPECT_NE(finding(imported, "transforms.unwrap").find("take `after` in the consumer"),
              std::string::npos);
    EXPECT_EQ(weight(imported, "transforms.mine"), Weight::kOtherMessages);
    EXPECT_EQ(weight(imported, "transforms.tidy"), Weight::kNote);
    EXPECT_EQ(weight(imported, "transforms.old.type"), Weight::kNote);
}

// ---- Taking over, and what is no connector

TEST(DebeziumImport, ATakenOverSlotSaysWhereToGoOn) {
    const DebeziumImport imported = import_connector(
        connector(), worker(),
        TakenOver{.resume_after = "lsn_commit=0/64 txId=7 lsn=0/C8 lsn_events_processed=3",
                  .system_identifier = "7711",
                  .sequence_start = "100"});
    const config::Config config = loaded(imported);
    EXPECT_EQ(config.capture.resume_after,
              "lsn_commit=0/64 txId=7 lsn=0/C8 lsn_events_processed=3");
    EXPECT_EQ(config.postgres.system_identifier, "7711");
    EXPECT_NE(imported.toml.find("goes on with \"100\""), std::string::npos);
}

TEST(DebeziumImport, RefusesOtherConnectors) {
    for (const ConnectProperties& properties :
         {ConnectProperties{{"bootstrap.servers", "k:9092"}},
          ConnectProperties{{"connector.class", "io.debezium.connector.mysql.MySqlConnector"}}}) {
        EXPECT_THROW(static_cast<void>(import(properties)), FatalError);
    }
}

TEST(DebeziumImport, TextOfOthersCannotLeaveItsComment) {
    ConnectProperties properties = connector();
    properties["name"] = "a\n[evil]";
    properties["unknown\nproperty"] = "x";
    const DebeziumImport imported = import(properties);
    EXPECT_EQ(imported.toml.find("\n[evil]"), std::string::npos);
    EXPECT_NO_THROW(static_cast<void>(loaded(imported)));
}

}  // namespace
}  // namespace holdfast::relay::commands
