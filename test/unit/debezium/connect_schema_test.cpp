#include "debezium/connect_schema.hpp"

#include <gtest/gtest.h>

namespace holdfast::relay::debezium {
namespace {

ConnectSchema schema_of(std::string_view type, bool optional = false) {
    ConnectSchema schema;
    schema.type = type;
    schema.optional = optional;
    return schema;
}

std::string json_of(const ConnectSchema& schema, std::string_view field = {}) {
    std::string json;
    schema.write(json, field);
    return json;
}

TEST(ConnectSchema, WritesOnlyTypeAndOptionalOfAPlainOne) {
    EXPECT_EQ(json_of(schema_of("int32")), R"({"type":"int32","optional":false})");
    EXPECT_EQ(json_of(schema_of("string", true), "a\"b"),
              R"({"type":"string","optional":true,"field":"a\"b"})");
}

TEST(ConnectSchema, WritesMembersInConnectsOrder) {
    ConnectSchema schema = schema_of("bytes");
    schema.name = "org.apache.kafka.connect.data.Decimal";
    schema.version = 1;
    schema.doc = "a doc";
    schema.parameters = {{"scale", "2"}, {"connect.decimal.precision", "10"}};
    schema.default_json = R"("AA==")";
    EXPECT_EQ(json_of(schema, "price"),
              R"({"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal",)"
              R"("version":1,"doc":"a doc",)"
              R"("parameters":{"scale":"2","connect.decimal.precision":"10"},)"
              R"("default":"AA==","field":"price"})");
}

TEST(ConnectSchema, WritesItemsKeysValuesAndFieldsBeforeOptional) {
    ConnectSchema array = schema_of("array");
    array.items.push_back(schema_of("int32", true));
    EXPECT_EQ(json_of(array),
              R"({"type":"array","items":{"type":"int32","optional":true},"optional":false})");
    ConnectSchema map = schema_of("map", true);
    map.items.push_back(schema_of("string"));
    map.items.push_back(schema_of("double"));
    EXPECT_EQ(json_of(map), R"({"type":"map","keys":{"type":"string","optional":false},)"
                            R"("values":{"type":"double","optional":false},"optional":true})");
    ConnectSchema structure = schema_of("struct");
    structure.name = "app.Key";
    structure.fields = {{"id", schema_of("int64")}, {"tags", array}};
    EXPECT_EQ(json_of(structure),
              R"({"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"},)"
              R"({"type":"array","items":{"type":"int32","optional":true},"optional":false,)"
              R"("field":"tags"}],"optional":false,"name":"app.Key"})");
}

TEST(ConnectSchema, WritesAStructWithoutFields) {
    EXPECT_EQ(json_of(schema_of("struct")), R"({"type":"struct","fields":[],"optional":false})");
}

}  // namespace
}  // namespace holdfast::relay::debezium
