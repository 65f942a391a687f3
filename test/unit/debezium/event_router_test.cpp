#include "debezium/event_router.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/errors.hpp"
#include "pgoutput/decoder.hpp"
#include "support/frame_file.hpp"
#include "support/pgoutput_frames.hpp"

namespace holdfast::relay::debezium {
namespace {

using test::ColumnSpec;
using test::Row;

constexpr std::uint32_t kOid = 16'400;
constexpr std::uint32_t kUuid = 2950;
constexpr std::uint32_t kJson = 114;
constexpr std::uint32_t kTimestamptz = 1184;

const std::vector<ColumnSpec>& standard_columns() {
    static const std::vector<ColumnSpec> columns{{"id", kUuid, true},
                                                 {"aggregatetype"},
                                                 {"aggregateid"},
                                                 {"type"},
                                                 {"payload", kJson},
                                                 {"headers", kJson},
                                                 {"created_at", kTimestamptz}};
    return columns;
}

Row standard_row() {
    return {"0190-id",
            "order-created",
            "42",
            "OrderCreated",
            R"({"orderId":  42})",
            std::nullopt,
            "2026-11-21 04:05:06.789+00"};
}

std::string show(const std::optional<std::string_view>& text) {
    return text ? "'" + std::string(*text) + "'" : "null";
}

/// A router with its decoder: frames in, the record as text out.
class Routing {
 public:
    explicit Routing(EventRouterOptions options = {},
                     const std::vector<ColumnSpec>& columns = standard_columns())
        : router(std::move(options), topics) {
        bind(columns);
    }

    void bind(const std::vector<ColumnSpec>& columns) {
        frame_ = test::relation_frame(kOid, "holdfast", "outbox", columns);
        router.bind(std::get<pgoutput::Relation>(decoder_.decode(frame_)));
    }
    std::string row(const Row& values) {
        frame_ = test::insert_frame(kOid, values);
        const auto insert = std::get<pgoutput::Insert>(decoder_.decode(frame_));
        return render([&] { return router.route_row(insert.new_row, kPosition); });
    }
    std::string message(std::string_view content) {
        frame_ = test::message_frame(true, 1, "outbox", content);
        const auto message = std::get<pgoutput::LogicalMessage>(decoder_.decode(frame_));
        return render([&] { return router.route_message(message, kPosition); });
    }

    TopicNames topics;
    EventRouter router;

 private:
    // 2000-01-01 00:00:01 UTC
    static constexpr EventRouter::Position kPosition{Lsn{0x1'0000'0020},
                                                     pgoutput::Timestamp{1'000'000}};

    template <typename Route>
    std::string render(const Route& route) {
        try {
            const Record record = route();
            std::string text = topics[record.topic] + " key=" + show(record.key) +
                               " value=" + show(record.value) + " headers:";
            for (const Header& header : record.headers) {
                text += " " + std::string(header.name) + "=" + show(header.value);
            }
            return text + " time=" + std::to_string(record.timestamp_ms);
        } catch (const FatalError& error) {
            return "fatal " + std::string(exit_code_name(error.code())) + ": " + error.what();
        }
    }

    pgoutput::Decoder decoder_;
    std::string frame_;
};

std::string bind_error(const EventRouterOptions& options, const std::vector<ColumnSpec>& columns) {
    try {
        const Routing routing(options, columns);
        return "none";
    } catch (const FatalError& error) {
        return std::string(exit_code_name(error.code())) + ": " + error.what();
    }
}

TEST(EventRouter, MakesARecordOfARow) {
    Routing routing;
    EXPECT_EQ(routing.row(standard_row()),
              "order-created key='42' value='{\"orderId\":  42}' headers: id='0190-id' "
              "eventType='OrderCreated' time=946684801000");
}

TEST(EventRouter, LeavesThePayloadUntouched) {
    Routing routing;
    Row row = standard_row();
    for (const char* payload : {"", " {} ", "not json at all", "재고\n\t\"", "[1,2]"}) {
        row[4] = payload;
        EXPECT_NE(routing.row(row).find("value='" + std::string(payload) + "' headers"),
                  std::string::npos);
    }
    row[4] = std::nullopt;
    EXPECT_NE(routing.row(row).find("value=null"), std::string::npos);
}

TEST(EventRouter, EveryMemberOfTheHeadersColumnBecomesAHeader) {
    Routing routing;
    Row row = standard_row();
    row[5] = R"({"traceparent":"00-ab\u0020cd","n":7,"flag":true,"none":null,"o":{"a": [1]}})";
    EXPECT_EQ(routing.row(row),
              "order-created key='42' value='{\"orderId\":  42}' headers: id='0190-id' "
              "eventType='OrderCreated' traceparent='00-ab cd' n='7' flag='true' none=null "
              "o='{\"a\": [1]}' time=946684801000");
    row[5] = "[]";
    EXPECT_EQ(routing.row(row),
              "fatal malformed_event: event \"0190-id\" at 1/20 cannot become a record: "
              "\"headers\" is not a JSON object");
}

TEST(EventRouter, NullsOfKeyAndPlacementsStayNulls) {
    Routing routing;
    Row row = standard_row();
    row[2] = std::nullopt;
    row[3] = std::nullopt;
    EXPECT_EQ(routing.row(row),
              "order-created key=null value='{\"orderId\":  42}' headers: id='0190-id' "
              "eventType=null time=946684801000");
}

TEST(EventRouter, RefusesARowWithoutIdOrRoute) {
    Routing routing;
    Row row = standard_row();
    row[0] = std::nullopt;
    EXPECT_EQ(routing.row(row),
              "fatal malformed_event: event at 1/20 cannot become a record: the event has no id");
    row = standard_row();
    row[1] = std::nullopt;
    EXPECT_EQ(routing.row(row),
              "fatal malformed_event: event \"0190-id\" at 1/20 cannot become a record: "
              "\"aggregatetype\" is null (route.by.field)");
}

TEST(EventRouter, RoutesByRegexAndRemembersTheTopic) {
    EventRouterOptions options;
    options.route_topic_regex = "(?<routedByValue>\\w+)-.*";
    options.route_topic_replacement = "shop.${routedByValue}";
    Routing routing(options);
    Row row = standard_row();
    EXPECT_TRUE(routing.row(row).starts_with("shop.order key"));
    row[1] = "order-failed";
    EXPECT_TRUE(routing.row(row).starts_with("shop.order key"));
    row[1] = "payment";
    EXPECT_TRUE(routing.row(row).starts_with("payment key"));
    EXPECT_EQ(routing.topics.size(), 2U);
}

TEST(EventRouter, RemembersABoundedNumberOfRoutes) {
    EventRouterOptions options;
    options.route_topic_regex = "tenant-.*";
    options.route_topic_replacement = "all";
    Routing routing(options);
    Row row = standard_row();
    for (int i = 0; i < 25'000; ++i) {
        row[1] = "tenant-" + std::to_string(i);
        ASSERT_TRUE(routing.row(row).starts_with("all key"));
    }
    EXPECT_EQ(routing.topics.size(), 1U);
}

TEST(EventRouter, RefusesATopicThatKafkaWould) {
    Routing routing;
    Row row = standard_row();
    row[1] = "no spaces";
    EXPECT_EQ(routing.row(row),
              "fatal malformed_event: event \"0190-id\" at 1/20 cannot become a record: "
              "\"no spaces\" cannot be the name of a topic");
    row[1] = std::string(1'000'000, 'a');
    EXPECT_EQ(routing.row(row),
              "fatal malformed_event: event \"0190-id\" at 1/20 cannot become a record: "
              "\"aggregatetype\" is longer than 4096 bytes (route.by.field)");
}

TEST(EventRouter, PlacesAdditionalColumnsAsHeadersInTheirOrder) {
    EventRouterOptions options;
    options.table_fields_additional_placement = " tenant:header , type : header : eventType ";
    auto columns = standard_columns();
    columns.push_back({"tenant"});
    Routing routing(options, columns);
    Row row = standard_row();
    row.emplace_back("north");
    EXPECT_NE(routing.row(row).find("headers: id='0190-id' tenant='north' "
                                    "eventType='OrderCreated' time"),
              std::string::npos);
}

TEST(EventRouter, TakesTheTimestampFromAColumnWhenAsked) {
    EventRouterOptions options;
    options.table_field_event_timestamp = "created_at";
    Routing routing(options);
    Row row = standard_row();
    EXPECT_TRUE(routing.row(row).ends_with("time=1795233906789"));
    row[6] = std::nullopt;
    EXPECT_TRUE(routing.row(row).ends_with("time=946684801000"));
    row[6] = "infinity";
    EXPECT_EQ(routing.row(row),
              "fatal malformed_event: event \"0190-id\" at 1/20 cannot become a record: "
              "\"created_at\" is not a finite timestamp");
    options.table_field_event_timestamp = "aggregateid";
    EXPECT_EQ(bind_error(options, standard_columns()),
              "outbox_shape_changed: column \"aggregateid\" of holdfast.outbox is not a timestamp "
              "(table.field.event.timestamp)");
}

TEST(EventRouter, MakesTombstonesOfEmptyPayloadsWhenAsked) {
    EventRouterOptions options;
    options.route_tombstone_on_empty_payload = true;
    Routing routing(options);
    Row row = standard_row();
    row[4] = " \n\t ";
    EXPECT_NE(routing.row(row).find("key='42' value=null headers: id="), std::string::npos);
    row[4] = "{}";
    EXPECT_NE(routing.row(row).find("value='{}'"), std::string::npos);
}

TEST(EventRouter, SendsTheBytesOfABytea) {
    constexpr std::uint32_t kBytea = 17;
    auto columns = standard_columns();
    columns[4].type = kBytea;
    Routing routing({}, columns);
    Row row = standard_row();
    row[4] = "\\x41420a";
    EXPECT_NE(routing.row(row).find("value='AB\n'"), std::string::npos);
    row[4] = "\\x4";
    EXPECT_NE(routing.row(row).find("is not a bytea in hexadecimal"), std::string::npos);
}

TEST(EventRouter, NamesTheColumnThatIsMissing) {
    for (const auto& [column, option] : {std::pair{"id", "table.field.event.id"},
                                         {"aggregateid", "table.field.event.key"},
                                         {"payload", "table.field.event.payload"},
                                         {"aggregatetype", "route.by.field"},
                                         {"type", "table.fields.additional.placement"}}) {
        auto columns = standard_columns();
        std::erase_if(columns, [&](const ColumnSpec& spec) { return spec.name == column; });
        EXPECT_EQ(bind_error({}, columns),
                  "outbox_shape_changed: table holdfast.outbox has no column \"" +
                      std::string(column) + "\" (" + option + ")");
    }
}

TEST(EventRouter, WorksWithoutAHeadersColumnAndWithColumnsInAnotherOrder) {
    Routing routing({}, {{"payload", kJson}, {"type"}, {"aggregateid"}, {"aggregatetype"}, {"id"}});
    EXPECT_EQ(routing.row({"{}", "T", "k", "topic", "i"}),
              "topic key='k' value='{}' headers: id='i' eventType='T' time=946684801000");
}

TEST(EventRouter, FollowsANewShapeInTheMiddleOfTheStream) {
    Routing routing;
    routing.row(standard_row());
    routing.bind({{"id"}, {"aggregatetype"}, {"new"}, {"aggregateid"}, {"type"}, {"payload"}});
    EXPECT_EQ(routing.row({"i", "topic", "x", "k", "T", "{}"}),
              "topic key='k' value='{}' headers: id='i' eventType='T' time=946684801000");
    EXPECT_EQ(routing.row({"i"}),
              "fatal internal_error: an outbox row has 1 columns, its relation 6");
}

TEST(EventRouter, RoutesALogicalMessage) {
    Routing routing;
    EXPECT_EQ(routing.message(R"({"id":"i","aggregatetype":"orders","aggregateid":"k","type":"T",)"
                              R"("payload":{"a" : [1, 2.0]},"headers":{"traceparent":"x"}})"),
              "orders key='k' value='{\"a\" : [1, 2.0]}' headers: id='i' eventType='T' "
              "traceparent='x' time=946684801000");
}

TEST(EventRouter, UnderstandsCamelCaseAndNumbersInAMessage) {
    Routing routing;
    EXPECT_EQ(
        routing.message(
            R"({"aggregateId":42,"aggregateType":"orders","payload":"text \"q\"","id":7,)"
            R"("type":null,"other":1})"),
        "orders key='42' value='text \"q\"' headers: id='7' eventType=null time=946684801000");
}

TEST(EventRouter, RefusesAMalformedMessageAndNamesItsLsn) {
    Routing routing;
    EXPECT_EQ(routing.message("no json"),
              "fatal malformed_event: event at 1/20 cannot become a record: the content of the "
              "message is not valid JSON at offset 1: Invalid value.");
    EXPECT_EQ(routing.message("[]"),
              "fatal malformed_event: event at 1/20 cannot become a record: the content of the "
              "message is not a JSON object");
    EXPECT_EQ(routing.message(R"({"id":"i","aggregatetype":"t","aggregateid":"k","type":"T"})"),
              "fatal malformed_event: event \"i\" at 1/20 cannot become a record: the message has "
              "no member \"payload\"");
    EXPECT_EQ(routing.message(
                  R"({"id":null,"aggregatetype":"t","aggregateid":"k","type":"T","payload":1})"),
              "fatal malformed_event: event at 1/20 cannot become a record: the event has no id");
    EXPECT_EQ(routing.message(R"({"id":"i","aggregatetype":"t","aggregateid":"k","type":"T",)"
                              R"("payload":1,"headers":"h"})"),
              "fatal malformed_event: event \"i\" at 1/20 cannot become a record: \"headers\" is "
              "not valid JSON at offset 0: Invalid value.");
}

EventRouterOptions with_cloud_events() {
    EventRouterOptions options;
    options.cloudevents_source = "/shop";
    return options;
}

TEST(EventRouter, AddsTheHeadersOfACloudEventWhenAsked) {
    Routing routing(with_cloud_events());
    Row row = standard_row();
    row[5] = R"({"traceparent":"x"})";
    EXPECT_EQ(routing.row(row),
              "order-created key='42' value='{\"orderId\":  42}' headers: id='0190-id' "
              "eventType='OrderCreated' traceparent='x' ce_specversion='1.0' ce_id='0190-id' "
              "ce_source='/shop' ce_type='OrderCreated' ce_subject='42' "
              "ce_time='2026-11-21T04:05:06.789000Z' content-type='application/json' "
              "time=946684801000");
    row[5] = R"({"content-type":"text/plain"})";
    EXPECT_NE(routing.row(row).find("content-type='text/plain' ce_specversion='1.0'"),
              std::string::npos);
    EXPECT_EQ(routing.row(row).find("application/json"), std::string::npos);
}

TEST(EventRouter, ACloudEventsTimeIsThatOfTheEventElseThatOfTheCommit) {
    Row row = standard_row();
    row[6] = "infinity";
    EXPECT_NE(Routing(with_cloud_events()).row(row).find("ce_time='2000-01-01T00:00:01.000000Z'"),
              std::string::npos);
    auto options = with_cloud_events();
    options.table_field_event_timestamp = "happened_at";
    auto columns = standard_columns();
    columns.push_back({"happened_at", kTimestamptz});
    row.emplace_back("2026-11-20 13:05:06+09");
    EXPECT_NE(Routing(options, columns).row(row).find("ce_time='2026-11-20T04:05:06.000000Z'"),
              std::string::npos);
    row = {"i", "topic", "k", "T", "{}"};
    columns = {{"id"}, {"aggregatetype"}, {"aggregateid"}, {"type"}, {"payload"}};
    EXPECT_EQ(Routing(with_cloud_events(), columns).row(row),
              "topic key='k' value='{}' headers: id='i' eventType='T' ce_specversion='1.0' "
              "ce_id='i' ce_source='/shop' ce_type='T' ce_subject='k' "
              "ce_time='2000-01-01T00:00:01.000000Z' time=946684801000");
}

TEST(EventRouter, ATombstoneHasNoContentType) {
    auto options = with_cloud_events();
    options.route_tombstone_on_empty_payload = true;
    Routing routing(options);
    Row row = standard_row();
    row[4] = "";
    EXPECT_EQ(routing.row(row).find("content-type"), std::string::npos);
    EXPECT_NE(routing.row(row).find("ce_id"), std::string::npos);
}

TEST(EventRouter, ALogicalMessageIsACloudEventToo) {
    Routing routing(with_cloud_events());
    EXPECT_EQ(routing.message(R"({"id":"i","aggregatetype":"orders","aggregateid":"k","type":"T",)"
                              R"("payload":{"a":1},"created_at":"2026-11-21T04:05:06+00:00"})"),
              "orders key='k' value='{\"a\":1}' headers: id='i' eventType='T' "
              "ce_specversion='1.0' ce_id='i' ce_source='/shop' ce_type='T' ce_subject='k' "
              "ce_time='2026-11-21T04:05:06.000000Z' content-type='application/json' "
              "time=946684801000");
    // A string may be anything.
    EXPECT_EQ(routing.message(R"({"id":"i","aggregatetype":"orders","aggregateid":"k","type":null,)"
                              R"("payload":"text"})"),
              "orders key='k' value='text' headers: id='i' eventType=null time=946684801000");
    EXPECT_EQ(routing.message(R"({"id":"i","aggregatetype":"orders","aggregateid":"k","type":"T",)"
                              R"("payload":"text"})"),
              "orders key='k' value='text' headers: id='i' eventType='T' ce_specversion='1.0' "
              "ce_id='i' ce_source='/shop' ce_type='T' ce_subject='k' "
              "ce_time='2000-01-01T00:00:01.000000Z' time=946684801000");
}

TEST(EventRouter, CloudEventsNeedATypeAndASource) {
    auto options = with_cloud_events();
    options.table_field_event_type = "kind";
    EXPECT_EQ(bind_error(options, standard_columns()),
              "outbox_shape_changed: table holdfast.outbox has no column \"kind\" "
              "(table.field.event.type)");
    options.table_field_event_type = "";
    options.cloudevents_source = "our shop";
    EXPECT_EQ(
        find_problems(options),
        (std::vector<std::string>{"cloudevents.source: \"our shop\" is not a URI reference",
                                  "table.field.event.type: a column is needed for CloudEvents"}));
}

TEST(EventRouter, KnowsItsTableAndItsPrefix) {
    EventRouterOptions options;
    options.table = "shop.events";
    options.message_prefix = "";
    TopicNames topics;
    const EventRouter router(options, topics);
    EXPECT_TRUE(router.is_outbox({.id = {}, .schema = "shop", .name = "events", .columns = {}}));
    EXPECT_FALSE(router.is_outbox({.id = {}, .schema = "shop2", .name = "events", .columns = {}}));
    EXPECT_FALSE(router.is_event({.transactional = true, .lsn = {}, .prefix = "", .content = {}}));
    EXPECT_TRUE(
        EventRouter(EventRouterOptions{}, topics)
            .is_event({.transactional = true, .lsn = {}, .prefix = "outbox", .content = {}}));
    EXPECT_FALSE(
        EventRouter(EventRouterOptions{}, topics)
            .is_event({.transactional = true, .lsn = {}, .prefix = "outbox2", .content = {}}));
}

TEST(EventRouter, ReportsAllProblemsOfItsOptionsByTheirNames) {
    EventRouterOptions options;
    options.table = "outbox";
    options.table_field_event_id = "";
    options.table_fields_additional_placement = "a:envelope,b,c:partition:d,e:body,f:header:";
    options.route_topic_regex = "(";
    options.table_op_invalid_behavior = "panic";
    const auto problems = find_problems(options);
    ASSERT_EQ(problems.size(), 8U);
    EXPECT_EQ(problems[0], "table: \"outbox\" is not schema.table");
    EXPECT_EQ(problems[1], "table.field.event.id: a column is needed");
    EXPECT_EQ(problems[2],
              "table.fields.additional.placement: \"b\" is not column:placement[:alias]");
    EXPECT_EQ(problems[3],
              "table.fields.additional.placement: \"body\" is no placement: header, envelope and "
              "partition are");
    EXPECT_EQ(problems[6], "table.op.invalid.behavior: \"panic\" is not warn, error or fatal");
    EXPECT_EQ(problems[7],
              "table.fields.additional.placement: an envelope is a struct, which needs "
              "value.converter = org.apache.kafka.connect.json.JsonConverter");
    try {
        TopicNames topics;
        const EventRouter router(options, topics);
        FAIL();
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kConfig);
    }
    EXPECT_TRUE(find_problems({}).empty());
}

TEST(EventRouter, RoutesWhatARealServerHasSent) {
    EventRouterOptions options;
    options.table = "shop.outbox";
    TopicNames topics;
    EventRouter router(options, topics);
    pgoutput::Decoder decoder;
    std::vector<std::string> events;
    for (const std::string& frame : test::read_frames("outbox.pgoutput")) {
        const auto message = decoder.decode(frame);
        if (const auto* relation = std::get_if<pgoutput::Relation>(&message)) {
            if (router.is_outbox(*relation)) {
                router.bind(*relation);
            }
        } else if (const auto* insert = std::get_if<pgoutput::Insert>(&message);
                   insert != nullptr && insert->new_row.size() >= 7) {
            const Record& record = router.route_row(insert->new_row, {});
            events.push_back(topics[record.topic] + " " + show(record.key) + " " +
                             show(record.value) + " " + std::to_string(record.headers.size()));
        }
    }
    EXPECT_EQ(events, (std::vector<std::string>{
                          "order-created '1' '{\"orderId\": 1,  \"note\": \"재고 \\\"A\\\"\"}' 3",
                          "order-created '2' '[]' 2", "order-failed null null 2"}));
}

}  // namespace
}  // namespace holdfast::relay::debezium
