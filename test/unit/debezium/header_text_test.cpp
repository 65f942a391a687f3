#include "debezium/header_text.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.hpp"

namespace holdfast::relay::debezium {
namespace {

/// The text of a struct {"x": json}, whose field has `schema`.
std::string text(const std::string& json, const ConnectSchema& schema) {
    std::string result;
    append_header_text("{\"x\":" + json + "}", {.type = "struct", .fields = {{"x", schema}}},
                       result);
    return result;
}

ConnectSchema decimal(int scale) {
    ConnectSchema schema{.type = "bytes", .name = "org.apache.kafka.connect.data.Decimal"};
    schema.parameters = {{"scale", std::to_string(scale)}};
    return schema;
}
ConnectSchema date(const std::string& name) {
    return {.type = "int64", .name = "org.apache.kafka.connect.data." + name};
}

TEST(HeaderText, EscapesQuotesAndBackslashesOnly) {
    EXPECT_EQ(text(R"("a\"b\\c\né/\u0001")", {.type = "string"}),
              "{\"x\":\"a\\\"b\\\\c\né/\x01\"}");
}

TEST(HeaderText, NumbersAreAsTheyAre) {
    EXPECT_EQ(text("5", {.type = "int32"}), R"({"x":5})");
    EXPECT_EQ(text("true", {.type = "boolean"}), R"({"x":true})");
    EXPECT_EQ(text("1.0E10", {.type = "double"}), R"({"x":1.0E10})");
    EXPECT_EQ(text(R"("NaN")", {.type = "double"}), R"({"x":NaN})");
    EXPECT_EQ(text(R"("AQI=")", {.type = "bytes"}), R"({"x":"AQI="})");
}

TEST(HeaderText, NullIsTheDefaultIfThereIsOne) {
    EXPECT_EQ(text("null", {.type = "string", .optional = true}), R"({"x":null})");
    EXPECT_EQ(text("null", {.type = "int32", .optional = true, .default_json = "7"}), R"({"x":7})");
}

TEST(HeaderText, DecimalsAreNumbersAsBigDecimalPrintsThem) {
    EXPECT_EQ(text(R"("BNI=")", decimal(2)), R"({"x":12.34})");
    EXPECT_EQ(text(R"("/w==")", decimal(2)), R"({"x":-0.01})");
    EXPECT_EQ(text(R"("AQ==")", decimal(7)), R"({"x":1E-7})");
    EXPECT_EQ(text(R"("DA==")", decimal(8)), R"({"x":1.2E-7})");
    EXPECT_EQ(text(R"("AA==")", decimal(7)), R"({"x":0E-7})");
    EXPECT_EQ(text(R"("AA==")", decimal(6)), R"({"x":0.000000})");
    EXPECT_EQ(text(R"("AA==")", decimal(0)), R"({"x":0})");
    EXPECT_EQ(text(R"("gA==")", decimal(0)), R"({"x":-128})");
    EXPECT_EQ(text(R"("AJvTCjxkWUPdFpCgOhQ=")", decimal(2)),
              R"({"x":123456789012345678901234567890.12})");
    EXPECT_EQ(text("12.34", decimal(2)), R"({"x":12.34})");
}

TEST(HeaderText, DatesOfConnectAreTextByTheirAge) {
    EXPECT_EQ(text("0", date("Timestamp")), R"({"x":00:00:00.000Z})");
    EXPECT_EQ(text("86400000", date("Timestamp")), R"({"x":1970-01-02})");
    EXPECT_EQ(text("86400001", date("Timestamp")), R"({"x":1970-01-02T00:00:00.001Z})");
    EXPECT_EQ(text("-1", date("Timestamp")), R"({"x":23:59:59.999Z})");
    EXPECT_EQ(text("1478267490123", date("Timestamp")), R"({"x":2016-11-04T13:51:30.123Z})");
    EXPECT_EQ(text("17109", date("Date")), R"({"x":2016-11-04})");
    EXPECT_EQ(text("49890123", date("Time")), R"({"x":13:51:30.123Z})");
}

TEST(HeaderText, ListsAndMapsKeepTheirBrackets) {
    ConnectSchema list{.type = "array"};
    list.items = {{.type = "string"}};
    EXPECT_EQ(text(R"(["a","b\"c"])", list), R"({"x":["a","b\"c"]})");
    EXPECT_EQ(text("[]", list), R"({"x":[]})");
    ConnectSchema map{.type = "map"};
    map.items = {{.type = "int16"}, {.type = "double"}};
    EXPECT_EQ(text("[[1,2.0],[3,4.0]]", map), R"({"x":{1:2.0,3:4.0}})");
    map.items = {{.type = "string"}, {.type = "string"}};
    EXPECT_EQ(text(R"({"a":"b"})", map), R"({"x":{"a":"b"}})");
}

TEST(HeaderText, JsonOfAnotherSchemaIsAHalt) {
    for (const std::string json : {"", "\"x", "[", "{", "[1"}) {
        ConnectSchema list{.type = "array"};
        list.items = {{.type = "int32"}};
        std::string result;
        EXPECT_THROW(append_header_text(json, list, result), FatalError) << json;
    }
}

}  // namespace
}  // namespace holdfast::relay::debezium
