#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "debezium/change_events.hpp"
#include "debezium/change_stream.hpp"

namespace holdfast::relay::debezium {
namespace {

using Problems = std::vector<std::string>;

TEST(ConnectorProblems, ThereAreNoneByDefault) {
    EXPECT_EQ(find_problems(test::plain_options()), Problems{});
    ConnectorOptions options = test::plain_options();
    options.skipped_operations = "none";
    EXPECT_EQ(find_problems(options), Problems{});
    options.skipped_operations = "c, u,d,t";
    EXPECT_EQ(find_problems(options), Problems{});
    options.value_converter.converter = Converter::kBinaryData;
    EXPECT_EQ(find_problems(options), Problems{});
}

TEST(ConnectorProblems, NamesThePropertyOfEach) {
    ConnectorOptions options = test::plain_options();
    options.topic_prefix = "my app";
    options.schema_include_list = {"a"};
    options.schema_exclude_list = {"b"};
    options.table_include_list = {"a++"};
    options.message_prefix_exclude_list = {"\\p{L}"};
    options.truncate_to_chars = {{"column.truncate.to.x.chars", "x", {}, {"a"}}};
    options.mask_hash_v2 = {{"column.mask.hash.v2.MD2.with.salt.s", "MD2", "s", {"a"}}};
    options.datatype_propagate_source_type = {"("};
    options.message_key_columns = "s.t";
    options.skipped_operations = "i";
    options.key_converter.converter = Converter::kString;
    options.header_converter.converter = Converter::kByteArray;
    const Problems problems = find_problems(options);
    ASSERT_EQ(problems.size(), 11U);
    EXPECT_EQ(problems[0],
              "topic.prefix: \"my app\" has characters other than letters, digits, '.', '_' and "
              "'-'");
    EXPECT_EQ(problems[1],
              "schema.exclude.list: schema.include.list is set too, and only one of them can be");
    EXPECT_EQ(problems[2], "table.include.list: \"a++\": possessive quantifiers are not supported");
    EXPECT_EQ(problems[3], "message.prefix.exclude.list: \"\\p{L}\": \\p is not supported");
    EXPECT_EQ(problems[4],
              "column.truncate.to.x.chars: \"x\" is no number of characters from 0 to 1000000");
    EXPECT_TRUE(
        problems[5].starts_with("column.mask.hash.v2.MD2.with.salt.s: there is no digest \"MD2\""));
    EXPECT_TRUE(problems[6].starts_with("datatype.propagate.source.type: \"(\": not a regular"));
    EXPECT_EQ(problems[7],
              "message.key.columns: \"s.t\" is not of the form schema.table:column,column");
    EXPECT_EQ(problems[8], "skipped.operations: \"i\" is neither none nor made of c, u, d and t");
    EXPECT_TRUE(problems[9].starts_with("key.converter: change events are structs"));
    EXPECT_TRUE(problems[10].starts_with("header.converter: "));
}

TEST(ConnectorProblems, TopicsHaveToBeLegal) {
    ConnectorOptions options = test::plain_options();
    options.topic_prefix = std::string(249, 'x');
    EXPECT_EQ(find_problems(options).size(), 3U);
}

}  // namespace
}  // namespace holdfast::relay::debezium
