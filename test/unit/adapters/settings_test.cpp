#include "adapters/settings.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "adapters/producer_sink.hpp"
#include "config/loader.hpp"

namespace holdfast::relay::adapters {
namespace {

config::Config parse(const std::string& more = "") {
    return config::parse(
        "[postgres]\ndsn = \"dbname=shop\"\n[kafka]\n\"bootstrap.servers\" = \"127.0.0.1:1\"\n" +
            more,
        "test.toml", config::Privacy::kOwnerOnly, {});
}

debezium::EventRouterOptions router_of(const config::Config& config) {
    return router_options(config.outboxes.at(0), config.postgres.slot);
}

TEST(Settings, RequireTheColumnsThatTheRouterReads) {
    const postgres::StreamRequirements required =
        stream_requirements(parse("[outbox]\n\"table.field.event.timestamp\" = \"created_at\"\n"));
    EXPECT_EQ(required.outboxes.at(0).table, "holdfast.outbox");
    EXPECT_EQ(required.outboxes.at(0).columns,
              (std::vector<std::string>{"id", "aggregateid", "aggregatetype", "payload", "type",
                                        "created_at"}));
}

TEST(Settings, NeedTheExtensionForWhatItHasAndNotForChangeEventsAlone) {
    const std::string snapshot = "[connector]\n\"topic.prefix\" = \"app\"\n";
    const std::string on = snapshot + "\"snapshot.mode\" = \"no_data\"\n";
    EXPECT_TRUE(stream_requirements(parse()).extension);
    EXPECT_TRUE(stream_requirements(parse(snapshot)).extension);
    EXPECT_FALSE(stream_requirements(parse(on)).extension);
    EXPECT_FALSE(stream_requirements(parse(on + "[outbox]\ntable = \"shop.a\"\n")).extension);
    EXPECT_TRUE(stream_requirements(parse(on + "[capture]\nrecord_offsets = true\n")).extension);
    EXPECT_TRUE(
        stream_requirements(parse(on + "[[too_large]]\ntopic = \"t\"\npolicy = \"claim-check\"\n"))
            .extension);
}

TEST(Settings, RequireNoColumnThatMayBeMissing) {
    const postgres::StreamRequirements required = stream_requirements(parse(
        "[outbox]\n\"table.fields.additional.placement\" = \"type:header,\\ttenant : envelope, "
        "p:partition\"\n\"table.field.additional.missing\" = \"ignore\"\n"
        "\"tracing.span.context.field\" = \"trace\"\n"
        "\"table.field.event.schema.version\" = \"v\"\n"));
    EXPECT_EQ(required.outboxes.at(0).columns,
              (std::vector<std::string>{"id", "aggregateid", "aggregatetype", "payload", "v"}));
}

TEST(Settings, GiveEachOutboxTheModesOfTheConnector) {
    const auto options = translator_options(
        parse("[connector]\n\"topic.prefix\" = \"app\"\n\"decimal.handling.mode\" = \"string\"\n"
              "[[outbox]]\ntable = \"shop.a\"\n\"tracing.span.context.field\" = \"trace\"\n"
              "[[outbox]]\ntable = \"shop.b\"\n"),
        "shop", "run");
    ASSERT_EQ(options.outboxes.size(), 2U);
    for (const debezium::EventRouterOptions& outbox : options.outboxes) {
        EXPECT_EQ(outbox.types.decimal_handling_mode, debezium::DecimalHandling::kString);
    }
    EXPECT_EQ(options.outboxes[0].tracing_span_context_field, "trace");
    EXPECT_EQ(options.outboxes[1].tracing_span_context_field, "");
}

TEST(Settings, RequireEachPlacedColumnOnce) {
    const postgres::StreamRequirements required =
        stream_requirements(parse("[outbox]\n\"table.fields.additional.placement\" = "
                                  "\"type:header:eventType, tenant:header, id:header:eventId\"\n"
                                  "\"table.field.event.timestamp\" = \"\"\n"));
    EXPECT_EQ(required.outboxes.at(0).columns,
              (std::vector<std::string>{"id", "aggregateid", "aggregatetype", "payload", "type",
                                        "tenant"}));
}

TEST(Settings, CloudEventsAreOffUnlessAskedForAndTheirSourceIsTheSlotUnlessNamed) {
    EXPECT_EQ(router_of(parse()).cloudevents_source, "");
    EXPECT_EQ(router_of(parse("[outbox]\n\"cloudevents.source\" = \"/x\"\n")).cloudevents_source,
              "");
    const config::Config derived = parse(
        "[outbox]\n\"cloudevents.mode\" = \"binary\"\n"
        "\"table.fields.additional.placement\" = \"\"\n");
    EXPECT_EQ(router_of(derived).cloudevents_source, "/holdfast/holdfast");
    EXPECT_EQ(stream_requirements(derived).outboxes.at(0).columns,
              (std::vector<std::string>{"id", "aggregateid", "aggregatetype", "payload", "type"}));
    EXPECT_EQ(router_of(parse("[outbox]\n\"cloudevents.mode\" = \"binary\"\n"
                              "\"cloudevents.source\" = \"/x\"\n"))
                  .cloudevents_source,
              "/x");
}

TEST(Settings, EachConnectionSaysWhatItIsFor) {
    EXPECT_EQ(connect_options(parse(), "inbox").application_name, "holdfast-relay inbox");
}

TEST(Settings, UpkeepTakesSecondsAndMilliseconds) {
    const upkeep::UpkeepOptions options =
        upkeep_options(parse("[maintenance]\ninterval_s = 7\nexpire_holds_interval_ms = 250\n"));
    EXPECT_EQ(options.maintain_interval, std::chrono::seconds(7));
    EXPECT_EQ(options.expire_holds_interval, std::chrono::milliseconds(250));
}

TEST(Settings, HeartbeatsComeOnlyWithChangeEvents) {
    EXPECT_EQ(pipeline_options(parse()).heartbeat_interval.count(), 0);
    EXPECT_EQ(heartbeat_action_query(parse()), "");

    const std::string query = "\"heartbeat.action.query\" = \"SELECT 1\"\n";
    const std::string on =
        "[connector]\n\"topic.prefix\" = \"app\"\n\"heartbeat.interval.ms\" = 500\n";
    EXPECT_EQ(pipeline_options(parse(on)).heartbeat_interval, std::chrono::milliseconds(500));
    EXPECT_EQ(upkeep_options(parse(on)).heartbeat_interval.count(), 0);
    EXPECT_EQ(upkeep_options(parse(on + query)).heartbeat_interval, std::chrono::milliseconds(500));
}

TEST(ProducerSink, OnlyWhatAPersonMustMendHaltsTheRelay) {
    using kafka::ErrorClass;
    EXPECT_EQ(failure_of(ErrorClass::kMessageTooLarge), ExitCode::kMessageTooLarge);
    EXPECT_EQ(failure_of(ErrorClass::kTopicMissing), ExitCode::kTopicMissing);
    EXPECT_EQ(failure_of(ErrorClass::kDenied), ExitCode::kPermissionDenied);
    for (const ErrorClass error :
         {ErrorClass::kRetriable, ErrorClass::kFenced, ErrorClass::kFatal}) {
        EXPECT_EQ(failure_of(error), ExitCode::kOk);
    }
}

}  // namespace
}  // namespace holdfast::relay::adapters
