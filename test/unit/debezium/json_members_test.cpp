#include "debezium/json_members.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::relay::debezium {
namespace {

using std::string_view_literals::operator""sv;

std::string members(std::string_view json) {
    JsonMembers parser;
    try {
        std::string text;
        for (const Member& member : parser.parse(json)) {
            switch (member.kind) {
                case Member::Kind::kNull:
                    text += "null ";
                    break;
                case Member::Kind::kString:
                    text += "string ";
                    break;
                case Member::Kind::kScalar:
                    text += "scalar ";
                    break;
                case Member::Kind::kObject:
                    text += "object ";
                    break;
                case Member::Kind::kArray:
                    text += "array ";
                    break;
            }
            text += std::string(member.name) + "=" + std::string(member.text) + ";";
        }
        return text;
    } catch (const JsonError& error) {
        return std::string("error: ") + error.what();
    }
}

TEST(JsonMembers, GivesEachMemberWithItsKind) {
    EXPECT_EQ(members(R"( { "a" : "x" , "b":1.50e3, "c":true,"d":null,"e":-0 } )"),
              "string a=x;scalar b=1.50e3;scalar c=true;null d=null;scalar e=-0;");
    EXPECT_EQ(members("{}"), "");
}

TEST(JsonMembers, KeepsTheBytesOfNestedValues) {
    EXPECT_EQ(members(R"({"a":{"b" : [1,  {"c":"}"}]},"d":[ [], {} ] ,"e":{}})"),
              R"(object a={"b" : [1,  {"c":"}"}]};array d=[ [], {} ];object e={};)");
}

TEST(JsonMembers, UnescapesStringsAndNames) {
    EXPECT_EQ(members(R"({"na\u006de":"\"\\\n재고\ud83d\ude00"})"),
              "string name=\"\\\n재고\xf0\x9f\x98\x80;");
}

TEST(JsonMembers, ViewsWhatItNeedNotUnescape) {
    const std::string json = R"({"payload":{"orderId":1}})";
    JsonMembers parser;
    EXPECT_EQ(parser.parse(json)[0].text.data(), json.data() + 11);
}

TEST(JsonMembers, CanBeUsedAgain) {
    JsonMembers parser;
    EXPECT_THROW(parser.parse("{\"a\":{\"b\":"), JsonError);
    ASSERT_EQ(parser.parse(R"({"c":[1]})").size(), 1U);
    EXPECT_EQ(parser.members()[0].text, "[1]");
}

TEST(JsonMembers, RefusesWhatIsNotOneObject) {
    for (const auto json : {"[]"sv, "1"sv, "\"a\""sv, "null"sv, "true"sv, "[{\"a\":1}]"sv}) {
        EXPECT_EQ(members(json), "error: not a JSON object") << json;
    }
    EXPECT_EQ(members(""), "error: not valid JSON at offset 0: The document is empty.");
    EXPECT_TRUE(members("{\"a\":1}x").starts_with("error: not valid JSON at offset 7"));
    EXPECT_TRUE(members("{\"a\":1}{}").starts_with("error: not valid JSON at offset 7"));
    EXPECT_TRUE(members("{\"a\":}").starts_with("error: not valid JSON at offset 5"));
    EXPECT_TRUE(members("{\"a\":\"\xff\"}").starts_with("error: not valid JSON"));
    EXPECT_EQ(members("{\"a\":1}\0trailing"sv), "error: not valid JSON at offset 7: a zero byte");
}

TEST(JsonMembers, SurvivesAnyDepth) {
    const std::string deep = std::string(500'000, '[') + std::string(500'000, ']');
    EXPECT_EQ(members("{\"a\":" + deep + "}"), "array a=" + deep + ";");
    EXPECT_TRUE(members("{\"a\":" + std::string(500'000, '[')).starts_with("error: not valid"));
}

}  // namespace
}  // namespace holdfast::relay::debezium
