// What Connect's converters make of an outbox event: key, value and headers, with and without
// schemas, in an envelope, expanded.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "debezium/context_headers.hpp"
#include "debezium/event_router.hpp"
#include "debezium/types/oids.hpp"
#include "pgoutput/decoder.hpp"
#include "support/pgoutput_frames.hpp"

namespace holdfast::relay::debezium {
namespace {

using test::Row;

constexpr std::uint32_t kOid = 16'400;
constexpr std::uint32_t kCitext = 20'000;
constexpr std::uint32_t kDomainOfBytea = 20'001;
constexpr std::uint32_t kDomainNotNull = 20'002;
constexpr std::int32_t kNumeric10Comma2 = (10 << 16) + 2 + 4;

struct Spec {
    std::string name;
    std::uint32_t type = oid::kVarchar;
    std::int32_t modifier = -1;
    bool not_null = true;
};

std::vector<Spec> outbox(std::vector<Spec> more = {}) {
    std::vector<Spec> columns{{"id", oid::kUuid},
                              {"aggregatetype"},
                              {"aggregateid"},
                              {"type"},
                              {"payload", oid::kJsonb, -1, false}};
    columns.insert(columns.end(), more.begin(), more.end());
    return columns;
}

TableDescription describe(const std::vector<Spec>& columns) {
    TableDescription table{
        .schema = "shop", .name = "outbox", .columns = {}, .key_columns = {}, .types = {}};
    for (const Spec& column : columns) {
        table.columns.push_back({.name = column.name,
                                 .type = {column.type},
                                 .modifier = column.modifier,
                                 .not_null = column.not_null});
        table.types[column.type] = {.id = {column.type}, .schema = "pg_catalog", .name = "known"};
    }
    table.types[oid::kBytea] = {.id = {oid::kBytea}, .schema = "pg_catalog", .name = "bytea"};
    table.types[oid::kVarchar] = {.id = {oid::kVarchar}, .schema = "pg_catalog", .name = "varchar"};
    table.types[kCitext] = {.id = {kCitext}, .schema = "public", .name = "citext"};
    table.types[kDomainOfBytea] = {.id = {kDomainOfBytea},
                                   .schema = "shop",
                                   .name = "body",
                                   .kind = 'd',
                                   .base = {oid::kBytea}};
    table.types[kDomainNotNull] = {.id = {kDomainNotNull},
                                   .schema = "shop",
                                   .name = "kind",
                                   .kind = 'd',
                                   .base = {oid::kVarchar},
                                   .not_null = true};
    return table;
}

std::string show(const std::optional<std::string_view>& text) {
    return text ? std::string(*text) : "<null>";
}

struct Routed {
    std::string topic;
    std::string key;
    std::string value;
    std::vector<std::string> headers;
    std::optional<std::int32_t> partition;
};

EventRouterOptions outbox_options() {
    EventRouterOptions options;
    options.table = "shop.outbox";
    options.table_fields_additional_placement = "";
    options.topic_prefix = "app";
    return options;
}

EventRouterOptions json(bool schemas) {
    EventRouterOptions options = outbox_options();
    for (ConverterOptions* converter :
         {&options.key_converter, &options.value_converter, &options.header_converter}) {
        converter->converter = Converter::kJson;
        converter->schemas_enable = schemas;
    }
    options.header_converter.converter = Converter::kSimpleHeader;
    return options;
}

class Router {
 public:
    explicit Router(const EventRouterOptions& options, const std::vector<Spec>& columns = outbox())
        : router_(options, topics_) {
        std::vector<pgoutput::Column> bound;
        for (const Spec& column : columns) {
            bound.push_back({.part_of_key = false,
                             .name = column.name,
                             .type = {column.type},
                             .modifier = column.modifier});
        }
        const pgoutput::Relation relation{
            .id = {kOid}, .schema = "shop", .name = "outbox", .columns = bound};
        const TableDescription table = describe(columns);
        router_.bind(relation, &table);
    }

    Routed row(const Row& values) {
        frame_ = test::insert_frame(kOid, values);
        const auto insert = std::get<pgoutput::Insert>(decoder_.decode(frame_));
        return copy(router_.route_row(insert.new_row, kPosition));
    }
    Routed message(std::string_view content) {
        frame_ = test::message_frame(true, 1, "outbox", content);
        const auto message = std::get<pgoutput::LogicalMessage>(decoder_.decode(frame_));
        return copy(router_.route_message(message, kPosition));
    }

 private:
    static constexpr EventRouter::Position kPosition{Lsn{0x20}, pgoutput::Timestamp{1'000'000}};

    Routed copy(const Record& record) {
        Routed routed{.topic = topics_[record.topic],
                      .key = show(record.key),
                      .value = show(record.value),
                      .headers = {},
                      .partition = record.partition};
        for (const Header& header : record.headers) {
            routed.headers.push_back(std::string(header.name) + "=" + show(header.value));
        }
        return routed;
    }

    TopicNames topics_;
    EventRouter router_;
    pgoutput::Decoder decoder_;
    std::string frame_;
};

Row event(std::optional<std::string> payload, Row more = {}) {
    Row row{"406c07f3-26f0-4eea-a50c-109940064b8f", "Order", "1", "Created", std::move(payload)};
    row.insert(row.end(), more.begin(), more.end());
    return row;
}

std::string error_of(const EventRouterOptions& options, const std::vector<Spec>& columns,
                     const Row& row) {
    try {
        Router(options, columns).row(row);
        return "none";
    } catch (const FatalError& error) {
        return std::string(exit_code_name(error.code())) + ": " + error.what();
    }
}

TEST(OutboxConverters, JsonWithoutSchemasQuotes) {
    const Routed routed = Router(json(false)).row(event(R"({"id": 1})"));
    EXPECT_EQ(routed.key, R"("1")");
    EXPECT_EQ(routed.value, R"("{\"id\": 1}")");
    EXPECT_EQ(routed.headers,
              (std::vector<std::string>{"id=406c07f3-26f0-4eea-a50c-109940064b8f"}));
    EXPECT_EQ(Router(json(false)).row(event(std::nullopt)).value, "null");
}

TEST(OutboxConverters, JsonWithSchemasHasThoseOfTheColumns) {
    auto options = json(true);
    options.header_converter.converter = Converter::kJson;
    const Routed routed = Router(options).row(event(R"({"id": 1})"));
    EXPECT_EQ(routed.key, R"({"schema":{"type":"string","optional":false},"payload":"1"})");
    EXPECT_EQ(routed.value,
              R"({"schema":{"type":"string","optional":true,"name":"io.debezium.data.Json",)"
              R"("version":1},"payload":"{\"id\": 1}"})");
    EXPECT_EQ(
        routed.headers,
        (std::vector<std::string>{
            R"(id={"schema":{"type":"string","optional":false,"name":"io.debezium.data.Uuid",)"
            R"("version":1},"payload":"406c07f3-26f0-4eea-a50c-109940064b8f"})"}));
    EXPECT_EQ(Router(options).row(event(std::nullopt)).value,
              R"({"schema":{"type":"string","optional":true,"name":"io.debezium.data.Json",)"
              R"("version":1},"payload":null})");
}

TEST(OutboxConverters, AKeyKeepsItsType) {
    auto options = json(true);
    options.table_field_event_key = "order_id";
    const auto columns =
        outbox({{"order_id", oid::kInt8, -1, false}, {"kind", kDomainNotNull, -1, false}});
    EXPECT_EQ(Router(options, columns).row(event("{}", {"42", "x"})).key,
              R"({"schema":{"type":"int64","optional":true},"payload":42})");
    EXPECT_EQ(Router(options, columns).row(event("{}", {std::nullopt, "x"})).key,
              R"({"schema":{"type":"int64","optional":true},"payload":null})");
    options.table_field_event_key = "kind";
    EXPECT_EQ(Router(options, columns).row(event("{}", {"42", "x"})).key,
              R"({"schema":{"type":"string","optional":false},"payload":"x"})");
    options.key_converter.converter = Converter::kString;
    options.table_field_event_key = "order_id";
    EXPECT_EQ(Router(options, columns).row(event("{}", {"42", "x"})).key, "42");
    EXPECT_EQ(Router(options, columns).row(event("{}", {std::nullopt, "x"})).key, "<null>");
}

TEST(OutboxConverters, BytesAreBytesOrBase64) {
    auto columns = outbox();
    columns[4].type = oid::kBytea;
    EXPECT_EQ(Router(json(false), columns).row(event("\\x00ff10")).value, R"("AP8Q")");
    EXPECT_EQ(Router(json(true), columns).row(event("\\x00ff10")).value,
              R"({"schema":{"type":"bytes","optional":true},"payload":"AP8Q"})");
    for (const std::uint32_t type : {oid::kBytea, kDomainOfBytea}) {
        columns[4].type = type;
        for (const Converter converter :
             {Converter::kString, Converter::kByteArray, Converter::kBinaryData}) {
            auto options = outbox_options();
            options.value_converter.converter = converter;
            EXPECT_EQ(Router(options, columns).row(event("\\x4100")).value, std::string("A\0", 2));
            EXPECT_EQ(Router(options, columns).row(event("\\x")).value, "");
            EXPECT_EQ(Router(options, columns).row(event(std::nullopt)).value, "<null>");
        }
    }
    auto options = outbox_options();
    options.types.binary_handling_mode = BinaryHandling::kHex;
    EXPECT_EQ(Router(options, columns).row(event("\\x00ff10")).value, "00ff10");
}

TEST(OutboxConverters, ByteArrayConverterTakesNothingElse) {
    auto options = outbox_options();
    options.value_converter.converter = Converter::kByteArray;
    EXPECT_EQ(error_of(options, outbox(), event("{}")),
              "outbox_shape_changed: column \"payload\" of shop.outbox is not a bytea, which "
              "value.converter = ByteArrayConverter needs");
    options = outbox_options();
    options.key_converter.converter = Converter::kByteArray;
    EXPECT_EQ(error_of(options, outbox(), event("{}")),
              "outbox_shape_changed: column \"aggregateid\" of shop.outbox is not a bytea, which "
              "key.converter = ByteArrayConverter needs");
}

TEST(OutboxConverters, BinaryDataConverterLeavesTheRestToItsDelegate) {
    auto options = outbox_options();
    options.value_converter.converter = Converter::kBinaryData;
    EXPECT_EQ(Router(options).row(event("{}")).value,
              R"({"schema":{"type":"string","optional":true,"name":"io.debezium.data.Json",)"
              R"("version":1},"payload":"{}"})");
    options.value_converter.delegate_schemas_enable = false;
    EXPECT_EQ(Router(options).row(event("{}")).value, R"("{}")");
}

TEST(OutboxConverters, HeadersAreTextByTheirTypes) {
    auto options = outbox_options();
    options.table_fields_additional_placement =
        "n:header,b:header:flag,d:header,x:header,f:header,c:header,z:header,a:header";
    const auto columns = outbox({{"n", oid::kInt4},
                                 {"b", oid::kBool},
                                 {"d", oid::kNumeric, kNumeric10Comma2},
                                 {"x", oid::kBytea},
                                 {"f", oid::kFloat8},
                                 {"c", kCitext},
                                 {"z", oid::kTimestamptz},
                                 {"a", oid::kDate, -1, false}});
    const Routed routed = Router(options, columns)
                              .row(event("{}", {"5", "t", "12.30", "\\x0102", "NaN", "a \"b\"\\\n",
                                                "2020-01-01 00:00:00+00", std::nullopt}));
    EXPECT_EQ(routed.headers,
              (std::vector<std::string>{"id=406c07f3-26f0-4eea-a50c-109940064b8f", "n=5",
                                        "flag=true", "d=12.30", "x=AQI=", "f=NaN", "c=a \"b\"\\\n",
                                        "z=2020-01-01T00:00:00.000000Z", "a=<null>"}));
    options.types.decimal_handling_mode = DecimalHandling::kDouble;
    EXPECT_EQ(Router(options, columns)
                  .row(event("{}", {"5", "t", "12.30", "\\x", "1", "c", "2020-01-01 00:00:00+00",
                                    "2020-01-01"}))
                  .headers[3],
              "d=12.3");
}

TEST(OutboxConverters, AValueThatIsNoneOfItsTypeIsNamed) {
    auto options = json(false);
    options.table_fields_additional_placement = "d:header";
    EXPECT_TRUE(
        error_of(options, outbox({{"d", oid::kDate}}), event("{}", {"yesterday"}))
            .starts_with("malformed_event: event \"406c07f3-26f0-4eea-a50c-109940064b8f\" at "
                         "0/20 cannot become a record: not a "));
}

TEST(OutboxEnvelope, HasPayloadAndColumnsInTheirOrder) {
    auto options = json(false);
    options.table_fields_additional_placement = "type:envelope:eventType,n:envelope,type:header:t";
    Router router(options, outbox({{"n", oid::kInt4, -1, false}}));
    const Routed routed = router.row(event(R"({"a": 1})", {"5"}));
    EXPECT_EQ(routed.value, R"({"payload":"{\"a\": 1}","eventType":"Created","n":5})");
    EXPECT_EQ(routed.headers.back(), "t=Created");
    EXPECT_EQ(router.row(event(std::nullopt, {std::nullopt})).value,
              R"({"payload":null,"eventType":"Created","n":null})");
}

TEST(OutboxEnvelope, HasASchemaNamedByTheRouteWithTheVersionOfTheEvent) {
    auto options = json(true);
    options.table_fields_additional_placement = "type:envelope:eventType";
    options.table_field_event_schema_version = "v";
    Router router(options, outbox({{"v", oid::kInt4, -1, false}}));
    const std::string fields =
        R"({"schema":{"type":"struct","fields":[{"type":"string","optional":true,)"
        R"("name":"io.debezium.data.Json","version":1,"field":"payload"},)"
        R"({"type":"string","optional":false,"field":"eventType"}],"optional":false,)"
        R"("name":"app.shop.outbox.Order.Value")";
    EXPECT_EQ(router.row(event("{}", {"3"})).value,
              fields + R"(,"version":3},"payload":{"payload":"{}","eventType":"Created"}})");
    EXPECT_EQ(router.row(event("{}", {std::nullopt})).value,
              fields + R"(},"payload":{"payload":"{}","eventType":"Created"}})");
}

TEST(OutboxEnvelope, OfColumnsThatAreAllMissingIsOneOfThePayload) {
    auto options = json(false);
    options.table_fields_additional_placement = "nope:envelope,no:header,none:partition";
    EXPECT_EQ(error_of(options, outbox(), event("{}")),
              "outbox_shape_changed: table shop.outbox has no column \"nope\" "
              "(table.fields.additional.placement)");
    options.table_field_additional_missing = "ignore";
    const Routed routed = Router(options).row(event("{}"));
    EXPECT_EQ(routed.value, R"({"payload":"{}"})");
    EXPECT_EQ(routed.headers.size(), 1U);
    EXPECT_FALSE(routed.partition);
}

TEST(OutboxEnvelope, OfAnEmptyPayloadIsATombstoneWhenAsked) {
    auto options = json(false);
    options.table_fields_additional_placement = "type:envelope";
    options.route_tombstone_on_empty_payload = true;
    Router router(options);
    EXPECT_EQ(router.row(event(std::nullopt)).value, "<null>");
    EXPECT_EQ(router.row(event(" ")).value, "<null>");
    EXPECT_EQ(router.row(event(" ")).key, R"("1")");
}

TEST(OutboxPartition, IsThatOfTheColumnElseThatOfTheKey) {
    auto options = outbox_options();
    options.table_fields_additional_placement = "p:partition";
    const auto columns = outbox({{"p", oid::kInt4, -1, false}});
    Router router(options, columns);
    EXPECT_EQ(router.row(event("{}", {"7"})).partition, 7);
    EXPECT_EQ(router.row(event("{}", {std::nullopt})).partition, std::nullopt);
    EXPECT_EQ(error_of(options, columns, event("{}", {"-1"})),
              "malformed_event: event \"406c07f3-26f0-4eea-a50c-109940064b8f\" at 0/20 cannot "
              "become a record: \"-1\" is not the number of a partition "
              "(table.fields.additional.placement)");
    EXPECT_EQ(error_of(options, outbox({{"p", oid::kInt8}}), event("{}", {"7"})),
              "outbox_shape_changed: column \"p\" of shop.outbox is not an integer "
              "(table.fields.additional.placement)");
}

TEST(OutboxExpansion, LosesNothingUnlessDebeziumsWayIsAskedFor) {
    auto options = json(false);
    options.table_expand_json_payload = true;
    const char* const payload = R"({"n": null, "e": [], "l": [1, "x"]})";
    EXPECT_EQ(Router(options).row(event(payload)).value, R"({"n":null,"e":[],"l":[1,"x"]})");
    EXPECT_EQ(Router(options).row(event("[1, {}]")).value, "[1,{}]");
    EXPECT_EQ(Router(options).row(event("\"text\"")).value, R"("\"text\"")");
    EXPECT_EQ(Router(options).row(event(std::nullopt)).value, "null");
    options.table_json_payload_compatibility = "debezium";
    EXPECT_EQ(Router(options).row(event(payload)).value,
              R"("{\"n\": null, \"e\": [], \"l\": [1, \"x\"]}")");
    EXPECT_EQ(Router(options).row(event(R"({"n": null, "e": [], "m": 1})")).value, R"({"m":1})");
    options.table_json_payload_null_behavior = "optional_bytes";
    options.table_json_payload_empty_array_behavior = "optional_string";
    EXPECT_EQ(Router(options).row(event(R"({"n": null, "e": [], "m": 1})")).value,
              R"({"n":null,"e":[],"m":1})");
}

TEST(OutboxExpansion, HasTheSchemaThatIsInferredAlsoInAnEnvelope) {
    auto options = json(true);
    options.table_expand_json_payload = true;
    options.table_json_payload_compatibility = "debezium";
    EXPECT_EQ(Router(options).row(event(R"({"a": 1})")).value,
              R"({"schema":{"type":"struct","fields":[{"type":"int32","optional":true,)"
              R"("field":"a"}],"optional":true,"name":"payload"},"payload":{"a":1}})");
    EXPECT_EQ(Router(options).row(event("[1]")).value,
              R"({"schema":{"type":"string","optional":true,"name":"io.debezium.data.Json",)"
              R"("version":1},"payload":"[1]"})");
    options.table_fields_additional_placement = "type:envelope";
    EXPECT_EQ(Router(options).row(event(R"({"a": 1})")).value,
              R"({"schema":{"type":"struct","fields":[{"type":"struct","fields":[{"type":"int32",)"
              R"("optional":true,"field":"a"}],"optional":true,"name":"payload",)"
              R"("field":"payload"},{"type":"string","optional":false,"field":"type"}],)"
              R"("optional":false,"name":"app.shop.outbox.Order.Value"},)"
              R"("payload":{"payload":{"a":1},"type":"Created"}})");
}

TEST(OutboxExpansion, NeedsAConverterThatWritesJson) {
    auto options = outbox_options();
    options.table_expand_json_payload = true;
    EXPECT_EQ(find_problems(options), std::vector<std::string>{});
    options.value_converter.converter = Converter::kJson;
    EXPECT_EQ(find_problems(options),
              (std::vector<std::string>{
                  "table.expand.json.payload: not every JSON value has a schema; set "
                  "value.converter.schemas.enable = false, or table.json.payload.compatibility = "
                  "\"debezium\""}));
    options.value_converter.converter = Converter::kBinaryData;
    options.value_converter.delegate_schemas_enable = false;
    EXPECT_EQ(find_problems(options), std::vector<std::string>{});
    const std::vector<std::string> refused{
        "table.expand.json.payload: the payload becomes a struct, which needs value.converter = "
        "org.apache.kafka.connect.json.JsonConverter"};
    options.value_converter.converter = Converter::kByteArray;
    EXPECT_EQ(find_problems(options), refused);
    options.value_converter.converter = Converter::kString;
    options.table_json_payload_compatibility = "debezium";
    EXPECT_EQ(find_problems(options), refused);
    options.table_expand_json_payload = false;
    options.table_json_payload_compatibility = "lossless";
    options.table_json_payload_null_behavior = "optional_bytes";
    options.table_json_payload_empty_array_behavior = "optional_string";
    options.table_field_event_schema_version = "v";
    EXPECT_EQ(find_problems(options).size(), 3U);
}

TEST(OutboxMessage, APayloadThatIsAValueIsWrittenAsOne) {
    constexpr const char* kMessage =
        R"({"id":"i","aggregatetype":"Order","aggregateid":"1","payload":{"a": [1, "x"]}})";
    EXPECT_EQ(Router(json(false)).message(kMessage).value, R"({"a":[1,"x"]})");
    EXPECT_EQ(Router(json(false)).message(kMessage).key, R"("1")");
    EXPECT_EQ(Router(outbox_options()).message(kMessage).value, R"({"a": [1, "x"]})");
    // It has no schema that is not lossy: beside one it is a text.
    EXPECT_EQ(Router(json(true)).message(kMessage).value,
              R"({"schema":{"type":"string","optional":false},"payload":"{\"a\": [1, \"x\"]}"})");
    auto options = json(true);
    options.table_json_payload_compatibility = "debezium";
    EXPECT_EQ(Router(options)
                  .message(R"({"id":"i","aggregatetype":"Order","aggregateid":"1",)"
                           R"("payload":{"a": 1}})")
                  .value,
              R"({"schema":{"type":"struct","fields":[{"type":"int32","optional":true,)"
              R"("field":"a"}],"optional":true,"name":"payload"},"payload":{"a":1}})");
    EXPECT_EQ(Router(json(false))
                  .message(R"({"id":"i","aggregatetype":"Order","aggregateid":"1","payload":7})")
                  .value,
              "7");
}

TEST(OutboxHeaders, ThoseOfTheConnectorAndTheTraceComeFirst) {
    auto options = outbox_options();
    options.context_headers = context_headers("app", "run");
    options.tracing_span_context_field = "tracingspancontext";
    options.table_fields_additional_placement = "type:header";
    const auto columns = outbox({{"tracingspancontext", oid::kText, -1, false}});
    EXPECT_EQ(Router(options, columns)
                  .row(event("{}", {"traceparent=00-ab-cd-01\ntracestate=a\\=b\n"}))
                  .headers,
              (std::vector<std::string>{
                  "__debezium.context.connectorLogicalName=app", "__debezium.context.taskId=0",
                  "__debezium.context.connectorName=postgresql", "__debezium.context.runId=run",
                  "traceparent=00-ab-cd-01", "tracestate=a=b",
                  "id=406c07f3-26f0-4eea-a50c-109940064b8f", "type=Created"}));
    options.header_converter.converter = Converter::kJson;
    options.header_converter.schemas_enable = false;
    EXPECT_EQ(
        Router(options, columns).row(event("{}", {std::nullopt})).headers,
        (std::vector<std::string>{
            R"(__debezium.context.connectorLogicalName="app")", R"(__debezium.context.taskId="0")",
            R"(__debezium.context.connectorName="postgresql")", R"(__debezium.context.runId="run")",
            R"(id="406c07f3-26f0-4eea-a50c-109940064b8f")", R"(type="Created")"}));
    EXPECT_EQ(error_of(options, columns, event("{}", {"traceparent=\\u1"})),
              "malformed_event: event \"406c07f3-26f0-4eea-a50c-109940064b8f\" at 0/20 cannot "
              "become a record: the trace context has \\u without four hexadecimal digits");
    EXPECT_EQ(Router(options).row(event("{}")).headers.size(), 6U);
}

}  // namespace
}  // namespace holdfast::relay::debezium
