#include "debezium/source_type.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr std::uint32_t kOid = 100;

std::string describe(const std::string& name, std::int32_t modifier = -1) {
    const TypeDescriptions types{{kOid, {.id = {kOid}, .schema = "pg_catalog", .name = name}}};
    const SourceType type =
        describe_source_type({.name = "c", .type = {kOid}, .modifier = modifier}, types);
    return type.name + " " + (type.length ? std::to_string(*type.length) : "unset") + " " +
           std::to_string(type.scale);
}

TEST(SourceType, LengthAndScaleAreTheDrivers) {
    EXPECT_EQ(describe("int2"), "int2 5 0");
    EXPECT_EQ(describe("int4"), "int4 10 0");
    EXPECT_EQ(describe("oid"), "oid 10 0");
    EXPECT_EQ(describe("int8"), "int8 19 0");
    EXPECT_EQ(describe("float4"), "float4 8 8");
    EXPECT_EQ(describe("float8"), "float8 17 17");
    EXPECT_EQ(describe("numeric"), "numeric 131089 0");
    EXPECT_EQ(describe("numeric", ((10 << 16) | 2) + 4), "numeric 10 2");
    EXPECT_EQ(describe("char"), "char 1 0");
    EXPECT_EQ(describe("bool"), "bool 1 0");
    EXPECT_EQ(describe("bpchar", 9), "bpchar 5 0");
    EXPECT_EQ(describe("varchar"), "varchar 2147483647 0");
    EXPECT_EQ(describe("varchar", 24), "varchar 20 0");
    EXPECT_EQ(describe("text"), "text 2147483647 0");
    EXPECT_EQ(describe("date"), "date 13 0");
    EXPECT_EQ(describe("time"), "time 15 6");
    EXPECT_EQ(describe("time", 3), "time 12 3");
    EXPECT_EQ(describe("timetz"), "timetz 21 6");
    EXPECT_EQ(describe("timestamp"), "timestamp 29 6");
    EXPECT_EQ(describe("timestamp", 0), "timestamp 22 0");
    EXPECT_EQ(describe("timestamp", 1), "timestamp 25 1");
    EXPECT_EQ(describe("timestamptz", 3), "timestamptz 32 3");
    EXPECT_EQ(describe("interval", 0x7FFF0003), "interval 49 3");
    EXPECT_EQ(describe("bit", 1), "bit 1 0");
    EXPECT_EQ(describe("varbit", 8), "varbit 8 0");
    EXPECT_EQ(describe("json"), "json 2147483647 0");
    EXPECT_EQ(describe("vector"), "vector unset 0");
    EXPECT_EQ(describe("vector", 3), "vector 3 0");
}

TEST(SourceType, SerialColumnsAreCalledSo) {
    const TypeDescriptions types{{kOid, {.id = {kOid}, .schema = "pg_catalog", .name = "int8"}}};
    EXPECT_EQ(
        describe_source_type(
            {.name = "c", .type = {kOid}, .default_expression = "nextval('s'::regclass)"}, types)
            .name,
        "bigserial");
}

TEST(SourceType, DomainsArraysAndEnumsAreTakenApart) {
    const TypeDescriptions types{
        {1, {.id = {1}, .schema = "pg_catalog", .name = "varchar"}},
        {2,
         {.id = {2},
          .schema = "app",
          .name = "code",
          .kind = 'd',
          .base = {1},
          .base_modifier = 14}},
        {3, {.id = {3}, .schema = "pg_catalog", .name = "int4"}},
        {4, {.id = {4}, .schema = "pg_catalog", .name = "_int4", .category = 'A', .element = {3}}},
        {5, {.id = {5}, .schema = "public", .name = "mood", .kind = 'e'}}};
    const SourceType domain = describe_source_type({.name = "c", .type = {2}}, types);
    EXPECT_EQ(domain.name, "code");
    EXPECT_EQ(domain.length, 10);
    EXPECT_TRUE(domain.is_character);
    const SourceType array = describe_source_type({.name = "c", .type = {4}}, types);
    EXPECT_EQ(array.name, "_int4");
    EXPECT_EQ(array.length, 10);
    EXPECT_FALSE(array.is_character);
    const SourceType mood = describe_source_type({.name = "c", .type = {5}}, types);
    EXPECT_EQ(mood.name, "mood");
    EXPECT_EQ(mood.length, 2'147'483'647);
    EXPECT_TRUE(mood.is_character);
    EXPECT_THROW((void)describe_source_type({.name = "c", .type = {9}}, types), FatalError);
}

}  // namespace
}  // namespace holdfast::relay::debezium
