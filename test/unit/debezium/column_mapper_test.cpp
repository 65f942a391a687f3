#include "debezium/column_mapper.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "debezium/json_text.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr std::int32_t kUnbounded = std::numeric_limits<std::int32_t>::max();
const SourceType& text_type() {
    static const SourceType type{
        .name = "text", .length = kUnbounded, .scale = 0, .is_character = true};
    return type;
}

std::string json_of(std::string_view text) {
    std::string json;
    append_json_string(text, json);
    return json;
}

/// What a value becomes, then the parameters of the schema.
std::string map(const ConnectorOptions& options, std::string json,
                const SourceType& type = text_type(), ConnectSchema schema = {.type = "string"}) {
    const auto mapping = ColumnMapper(options).map("s", "t", "c", type, schema);
    if (mapping) {
        std::string target = "[";
        target += json;
        mapping->apply(target, 1);
        json = target.substr(1);
    }
    for (const auto& [name, value] : schema.parameters) {
        json.append(" ").append(name).append("=").append(value);
    }
    return json;
}

ConnectorOptions masks(const std::string& count) {
    ConnectorOptions options;
    options.mask_with_chars = {{"column.mask.with." + count + ".chars", count, {}, {"s.t.c"}}};
    return options;
}
ConnectorOptions truncates(const std::string& count) {
    ConnectorOptions options;
    options.truncate_to_chars = {{"column.truncate.to." + count + ".chars", count, {}, {"s.t.c"}}};
    return options;
}
ConnectorOptions hashes(const std::string& algorithm) {
    ConnectorOptions options;
    options.mask_hash = {
        {"column.mask.hash." + algorithm + ".with.salt.salt", algorithm, "salt", {"s.t.c"}}};
    return options;
}
ConnectorOptions hashes_v2(const std::string& algorithm) {
    ConnectorOptions options;
    options.mask_hash_v2 = {
        {"column.mask.hash.v2." + algorithm + ".with.salt.salt", algorithm, "salt", {"s.t.c"}}};
    return options;
}

TEST(ColumnMapper, LeavesOtherColumnsAlone) {
    ConnectorOptions options = masks("5");
    options.mask_with_chars.front().columns = {"s.t.other"};
    EXPECT_EQ(map(options, "\"x\""), "\"x\"");
}

TEST(ColumnMapper, MasksTextAndNullWithCharacters) {
    EXPECT_EQ(map(masks("5"), "\"secret\""), "\"*****\" masked=true");
    EXPECT_EQ(map(masks("5"), "null"), "\"*****\" masked=true");
    EXPECT_EQ(map(masks("0"), "\"secret\""), "\"\" masked=true");
}

TEST(ColumnMapper, MasksCharacterTypesOnlyButMarksAll) {
    const SourceType number{.name = "int4", .length = 10};
    EXPECT_EQ(map(masks("5"), "7", number, {.type = "int32"}), "7 masked=true");
}

TEST(ColumnMapper, HashesAsVersionOneDidOverTheSerializedText) {
    EXPECT_EQ(map(hashes("SHA-256"), json_of("hello")),
              "\"af5843a0f0e728ab0332c8888b6e1190bfb79e584f0d40538de8f10df6ef29c6\" masked=true");
    EXPECT_EQ(map(hashes("MD5"), json_of("")), "\"f7b84b26a44d5b5a9eb9895429174c85\" masked=true");
    EXPECT_EQ(map(hashes("MD5"), json_of(std::string("a\0\u00E9\U0001F600", 8))),
              "\"a697ebe62b140fe994b36e70ba9ccbc3\" masked=true");
    EXPECT_EQ(map(hashes("SHA-256"), json_of(std::string(70'000, 'x'))),
              "\"7fab0c0461220b8c55bbb93baf32883ff3a4680ded26e5063b3e5aa09c98a713\" masked=true");
}

TEST(ColumnMapper, HashesAsVersionTwoDoesOverTheText) {
    EXPECT_EQ(map(hashes_v2("SHA-256"), json_of("hello")),
              "\"cd31b3b98ece60cb739c0bf770b2de892ae0ad133f645513c3d83f08757a843a\" masked=true");
    EXPECT_EQ(map(hashes_v2("MD5"), json_of(std::string("a\0\u00E9\U0001F600", 8))),
              "\"6fee66df9e51b91bcdda2499bf386232\" masked=true");
    EXPECT_EQ(map(hashes_v2("MD5"), "\"a\\u0000\u00E9\\uD83D\\uDE00\""),
              "\"6fee66df9e51b91bcdda2499bf386232\" masked=true");
}

TEST(ColumnMapper, HashIsCutToTheColumnAndNullStays) {
    const SourceType short_text{.name = "varchar", .length = 6, .scale = 0, .is_character = true};
    EXPECT_EQ(map(hashes_v2("MD5"), json_of("hello"), short_text), "\"06decc\" masked=true");
    EXPECT_EQ(map(hashes_v2("MD5"), "null"), "null masked=true");
}

TEST(ColumnMapper, TruncatesByUnits) {
    EXPECT_EQ(map(truncates("3"), json_of("abcd")), "\"abc\" truncateLength=3");
    EXPECT_EQ(map(truncates("3"), json_of("abc")), "\"abc\" truncateLength=3");
    EXPECT_EQ(map(truncates("2"), json_of("\n\x01z")), "\"\\n\\u0001\" truncateLength=2");
    EXPECT_EQ(map(truncates("2"), json_of("\u00E9\u00E9\u00E9")),
              "\"\u00E9\u00E9\" truncateLength=2");
    EXPECT_EQ(map(truncates("2"), R"("a\uD83D\uDE00")"), R"("a\uD83D" truncateLength=2)");
    EXPECT_EQ(map(truncates("3"), R"("a\uD83D\uDE00")"), R"("a\uD83D\uDE00" truncateLength=3)");
    EXPECT_EQ(map(truncates("0"), json_of("a")), "\"\" truncateLength=0");
    EXPECT_EQ(map(truncates("3"), "null"), "null truncateLength=3");
}

TEST(ColumnMapper, TruncatesBytesButNoDecimals) {
    const SourceType bytea{.name = "bytea", .length = kUnbounded};
    EXPECT_EQ(map(truncates("4"), "\"AQIDBAU=\"", bytea, {.type = "bytes"}),
              "\"AQIDBA==\" truncateLength=4");
    EXPECT_EQ(map(truncates("3"), "\"AQIDBAU=\"", bytea, {.type = "bytes"}),
              "\"AQID\" truncateLength=3");
    EXPECT_EQ(map(truncates("5"), "\"AQIDBAU=\"", bytea, {.type = "bytes"}),
              "\"AQIDBAU=\" truncateLength=5");
    EXPECT_EQ(map(truncates("0"), "\"\"", bytea, {.type = "bytes"}), "\"\" truncateLength=0");
    EXPECT_EQ(map(truncates("1"), "\"AQIDBAU=\"", bytea,
                  {.type = "bytes", .name = "org.apache.kafka.connect.data.Decimal"}),
              "\"AQIDBAU=\" truncateLength=1");
}

TEST(ColumnMapper, DoesNotTruncateWhatIsShortEnough) {
    const SourceType short_text{.name = "varchar", .length = 3, .scale = 0, .is_character = true};
    EXPECT_EQ(map(truncates("3"), "\"abc\"", short_text), "\"abc\"");
}

TEST(ColumnMapper, PropagatesTheSourceTypeByColumnOrDataType) {
    ConnectorOptions by_column;
    by_column.column_propagate_source_type = {".*\\.c"};
    EXPECT_EQ(map(by_column, "\"x\"",
                  {.name = "numeric", .length = 10, .scale = 2, .is_character = false}),
              "\"x\" __debezium.source.column.type=NUMERIC __debezium.source.column.length=10 "
              "__debezium.source.column.scale=2 __debezium.source.column.name=c");
    ConnectorOptions by_type;
    by_type.datatype_propagate_source_type = {".*\\.vector"};
    EXPECT_EQ(map(by_type, "[1.0]", {.name = "vector"}, {.type = "array"}),
              "[1.0] __debezium.source.column.type=VECTOR __debezium.source.column.scale=0 "
              "__debezium.source.column.name=c");
}

TEST(ColumnMapper, FirstRuleThatMatchesIsTheOnlyOne) {
    ConnectorOptions options = masks("5");
    options.truncate_to_chars = truncates("1").truncate_to_chars;
    EXPECT_EQ(map(options, "\"abc\""), "\"a\" truncateLength=1");
}

TEST(ColumnMapper, KnowsTheDigestsOfJava) {
    EXPECT_EQ(digest_name("sha-512/256"), "SHA2-512/256");
    EXPECT_EQ(digest_name("SHA"), "SHA1");
    EXPECT_EQ(digest_name("MD2"), std::nullopt);
    for (const char* name : {"MD5", "SHA-1", "SHA-224", "SHA-384", "SHA-512", "SHA-512/224",
                             "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512"}) {
        EXPECT_GT(map(hashes_v2(name), json_of("x")).size(), 32U) << name;
    }
}

}  // namespace
}  // namespace holdfast::relay::debezium
