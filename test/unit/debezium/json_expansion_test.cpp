#include "debezium/json_expansion.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace holdfast::relay::debezium {
namespace {

/// The JSON of the value, or why it stays a string.
std::string expand(std::string_view text, const JsonExpansionOptions& options = {}) {
    JsonExpansion expansion(options);
    std::string json = "before ";
    const char* const problem = expansion.expand(text, json);
    if (problem != nullptr) {
        EXPECT_EQ(json, "before ");
        return std::string("no: ") + problem;
    }
    return json.substr(std::string_view("before ").size());
}

std::string infer(std::string_view text, bool nulls = false, bool empty_arrays = false) {
    return expand(
        text,
        {.infer_schema = true, .keep_null_members = nulls, .keep_empty_arrays = empty_arrays});
}

std::string schema(std::string_view text, bool nulls = false, bool empty_arrays = false) {
    JsonExpansion expansion({.infer_schema = true,
                             .keep_null_members = nulls,
                             .keep_empty_arrays = empty_arrays,
                             .name = "payload"});
    std::string json;
    EXPECT_EQ(expansion.expand(text, json), nullptr);
    std::string written;
    expansion.schema().write(written);
    return written;
}

TEST(JsonExpansion, LosesNothingOfAnyValue) {
    EXPECT_EQ(expand(R"({ "a" : null , "b":[ ], "c":[1,"x",2.50,1e300], "d":{ } })"),
              R"({"a":null,"b":[],"c":[1,"x",2.50,1e300],"d":{}})");
    EXPECT_EQ(expand("[1 , 123456789012345678901234567890, -0]"),
              "[1,123456789012345678901234567890,-0]");
    EXPECT_EQ(expand("{\"a\": 1, \"a\": 2,\n\"\\u00e9\\/\\u0000\": \"\\\"\\\\\\n재고\"}"),
              "{\"a\":1,\"a\":2,\"é/\\u0000\":\"\\\"\\\\\\n재고\"}");
    EXPECT_EQ(expand("[[],[[]],{}]"), "[[],[[]],{}]");
}

TEST(JsonExpansion, TakesAnyDepthWithoutAStack) {
    const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
    EXPECT_EQ(expand(deep), deep);
}

TEST(JsonExpansion, OnlyExpandsWhatBeginsAsAnObjectOrAnArray) {
    for (const char* text : {"", " {}", "1", "\"text\"", "null", "text"}) {
        EXPECT_EQ(expand(text), "no: it begins neither with { nor with [");
        EXPECT_EQ(infer(text), "no: it begins neither with { nor with [");
    }
    for (const char* text : {"{", "{\"a\":}", "[1,]", "{} x", "{'a':1}"}) {
        EXPECT_EQ(expand(text), "no: it is not JSON");
        EXPECT_EQ(infer(text), "no: it is not JSON");
    }
}

TEST(JsonExpansion, InfersDebeziumsSchema) {
    EXPECT_EQ(
        schema(R"({"s":"x","b":true,"i":1,"l":3000000000,"d":1.0,"o":{"p":{"q":[1,2]}}})"),
        R"({"type":"struct","fields":[{"type":"string","optional":true,"field":"s"},)"
        R"({"type":"boolean","optional":true,"field":"b"},)"
        R"({"type":"int32","optional":true,"field":"i"},)"
        R"({"type":"int64","optional":true,"field":"l"},)"
        R"({"type":"double","optional":true,"field":"d"},)"
        R"({"type":"struct","fields":[{"type":"struct","fields":[{"type":"array","items":)"
        R"({"type":"int32","optional":true},"optional":true,"field":"q"}],"optional":true,)"
        R"("name":"payload.o.p","field":"p"}],"optional":true,"name":"payload.o","field":"o"}],)"
        R"("optional":true,"name":"payload"})");
    EXPECT_EQ(schema(R"({"a":[[{"x":1}]]})"),
              R"({"type":"struct","fields":[{"type":"array","items":{"type":"array","items":)"
              R"({"type":"struct","fields":[{"type":"int32","optional":true,"field":"x"}],)"
              R"("optional":true},"optional":true},"optional":true,"field":"a"}],)"
              R"("optional":true,"name":"payload"})");
}

TEST(JsonExpansion, DropsWhatHasNoSchemaAsDebeziumDoes) {
    EXPECT_EQ(infer(R"({"n": null, "e": [], "m": 1e3, "o": {}})"), R"({"m":1000.0,"o":{}})");
    EXPECT_EQ(infer(R"({"n": null, "m": 1})", true), R"({"n":null,"m":1})");
    EXPECT_EQ(infer(R"({"e": [], "m": 1})", false, true), R"({"e":[],"m":1})");
    EXPECT_EQ(schema(R"({"n":null,"e":[]})", true, true),
              R"({"type":"struct","fields":[{"type":"bytes","optional":true,"field":"n"},)"
              R"({"type":"array","items":{"type":"string","optional":true},"optional":true,)"
              R"("field":"e"}],"optional":true,"name":"payload"})");
    // Members that share a name are the last of them, at the place of the first.
    EXPECT_EQ(infer(R"({"a": 1, "b": 2, "a": "x"})"), R"({"a":"x","b":2})");
}

TEST(JsonExpansion, ObjectsInAnArrayGetTheMembersOfAll) {
    EXPECT_EQ(infer(R"({"l": [{"x": 1}, null, {"y": "z"}]})"),
              R"({"l":[{"x":1,"y":null},null,{"x":null,"y":"z"}]})");
    // An object below them has the members that the first has.
    EXPECT_EQ(infer(R"({"l": [{"o": {"x": 1}}, {"o": {"y": 2}}]})"),
              R"({"l":[{"o":{"x":1}},{"o":{"x":null}}]})");
    EXPECT_EQ(infer(R"({"l": [{"x": null}, {"x": 1}]})", true), R"({"l":[{"x":null},{"x":1}]})");
}

TEST(JsonExpansion, AnArrayOfSeveralTypesStaysAString) {
    for (const char* text :
         {R"({"a":[1,"x"]})", R"({"a":[1,3000000000]})", R"({"a":[1,1.5]})", R"({"a":[[],[1]]})",
          R"({"a":[null,null]})", R"({"a":[[1],[1.5]]})", R"({"a":[[1],["x"]]})",
          // Of one type, but not their members.
          R"({"a":[{"x":1},{"x":"y"}]})", R"({"a":[{"x":1},{"x":[2]}]})",
          R"({"a":[{"x":1},{"x":{"y":2}}]})", R"({"a":[{"x":[1]},{"x":["y"]}]})",
          R"({"a":[{"x":1},{"x":3000000000}]})"}) {
        EXPECT_EQ(infer(text), "no: an array in it has no common schema") << text;
    }
    EXPECT_EQ(infer(R"({"a":[true,false,null],"b":[null,1]})"),
              R"({"a":[true,false,null],"b":[null,1]})");
    EXPECT_EQ(infer("[1]"), "no: an array has no schema of a struct");
}

TEST(JsonExpansion, ANumberBeyondADoubleStaysAString) {
    for (const std::string& text : {"[1" + std::string(400, '0') + "]", std::string("[-1e400]")}) {
        EXPECT_EQ(expand(text), "no: a number in it is beyond what a double holds");
        EXPECT_EQ(infer(text), "no: a number in it is beyond what a double holds");
    }
}

TEST(JsonExpansion, AnIntegerBeyondInt64StaysAString) {
    for (const char* text :
         {R"({"a":9223372036854775808})", R"({"a":-9223372036854775809})",
          R"({"a":[123456789012345678901234567890]})", R"({"a\"1":18446744073709551616})"}) {
        EXPECT_EQ(infer(text), "no: a number in it is beyond int64") << text;
    }
    EXPECT_EQ(infer(R"({"a":9223372036854775807,"b":-9223372036854775808})"),
              R"({"a":9223372036854775807,"b":-9223372036854775808})");
    EXPECT_EQ(infer(R"({"99999999999999999999":"99999999999999999999","d":1e30})"),
              R"({"99999999999999999999":"99999999999999999999","d":1.0E30})");
}

TEST(JsonExpansion, AnythingDeeperThan1000StaysAString) {
    const auto nested = [](std::size_t depth) {
        return "{\"a\":" + std::string(depth, '[') + "1" + std::string(depth, ']') + "}";
    };
    EXPECT_EQ(infer(nested(999)), nested(999));
    EXPECT_EQ(infer(nested(1000)), "no: it is nested deeper than 1000");
    EXPECT_EQ(infer(nested(100'000)), "no: it is nested deeper than 1000");
}

}  // namespace
}  // namespace holdfast::relay::debezium
