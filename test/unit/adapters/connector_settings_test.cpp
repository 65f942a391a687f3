#include "adapters/connector_settings.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/loader.hpp"

namespace holdfast::relay::adapters {
namespace {

debezium::ConnectorOptions options_of(const std::string& properties) {
    const config::Config config = config::parse(
        "[kafka]\n\"bootstrap.servers\" = \"127.0.0.1:9092\"\n[connector]\n"
        "\"topic.prefix\" = \"app\"\n" +
            properties,
        "holdfast.toml", config::Privacy::kOwnerOnly, {});
    return connector_options(config.connector, "shop");
}

TEST(ConnectorSettings, StartFromDebeziumsDefaults) {
    const debezium::ConnectorOptions options = options_of("");
    EXPECT_EQ(options.topic_prefix, "app");
    EXPECT_EQ(options.database_name, "shop");
    EXPECT_EQ(options.compat_version, debezium::CompatVersion::k37);
    EXPECT_EQ(options.types.decimal_handling_mode, debezium::DecimalHandling::kPrecise);
    EXPECT_EQ(options.types.unavailable_value_placeholder, "__debezium_unavailable_value");
    EXPECT_EQ(options.skipped_operations, "t");
    EXPECT_TRUE(options.key_converter.schemas_enable);
    EXPECT_TRUE(options.value_converter.replace_null_with_default);
    EXPECT_EQ(options.header_converter.converter, debezium::Converter::kSimpleHeader);
    EXPECT_TRUE(options.tombstones_on_delete);
    EXPECT_TRUE(options.extended_headers_enabled);
    EXPECT_FALSE(options.provide_transaction_metadata);
}

TEST(ConnectorSettings, TakeModesListsAndConverters) {
    const debezium::ConnectorOptions options = options_of(R"(
"compat.version" = "3.6"
"time.precision.mode" = "isostring"
"table.include.list" = "a.b, c.d"
"key.converter.schemas.enable" = false
"value.converter.decimal.format" = "NUMERIC"
"header.converter" = "org.apache.kafka.connect.json.JsonConverter"
"event.converting.failure.handling.mode" = "fail"
)");
    EXPECT_EQ(options.types.compat_version, debezium::CompatVersion::k36);
    EXPECT_EQ(options.types.time_precision_mode, debezium::TimePrecision::kIsostring);
    EXPECT_EQ(options.table_include_list, (std::vector<std::string>{"a.b", "c.d"}));
    EXPECT_FALSE(options.key_converter.schemas_enable);
    EXPECT_TRUE(options.value_converter.schemas_enable);
    EXPECT_TRUE(options.types.decimal_format_numeric);
    EXPECT_EQ(options.header_converter.converter, debezium::Converter::kJson);
    EXPECT_EQ(options.event_converting_failure_handling_mode, debezium::ConversionFailure::kFail);
}

TEST(ConnectorSettings, TakeTheArgumentsOutOfTheNames) {
    const debezium::ConnectorOptions options = options_of(R"(
"column.mask.with.10.chars" = "a.b.c"
"column.truncate.to.5.chars" = "a.b.d, a.b.e"
"column.mask.hash.SHA-256.with.salt.s.a.lt" = "a.b.f"
"column.mask.hash.v2.SHA-512.with.salt.x" = "a.b.g"
)");
    ASSERT_EQ(options.mask_with_chars.size(), 1U);
    EXPECT_EQ(options.mask_with_chars[0].argument, "10");
    ASSERT_EQ(options.truncate_to_chars.size(), 1U);
    EXPECT_EQ(options.truncate_to_chars[0].columns, (std::vector<std::string>{"a.b.d", "a.b.e"}));
    ASSERT_EQ(options.mask_hash.size(), 1U);
    EXPECT_EQ(options.mask_hash[0].argument, "SHA-256");
    EXPECT_EQ(options.mask_hash[0].salt, "s.a.lt");
    ASSERT_EQ(options.mask_hash_v2.size(), 1U);
    EXPECT_EQ(options.mask_hash_v2[0].argument, "SHA-512");
    EXPECT_EQ(options.mask_hash_v2[0].salt, "x");
}

TEST(ConnectorSettings, ReadAPlaceholderInHexadecimal) {
    EXPECT_EQ(options_of("\"unavailable.value.placeholder\" = \"hex:00fF\"\n")
                  .types.unavailable_value_placeholder,
              std::string("\0\xff", 2));
    EXPECT_THROW(options_of("\"unavailable.value.placeholder\" = \"hex:0\"\n"),
                 config::ConfigError);
}

}  // namespace
}  // namespace holdfast::relay::adapters
