#include "debezium/json_unescape.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.hpp"
#include "debezium/json_text.hpp"

namespace holdfast::relay::debezium {
namespace {

std::string unescaped(std::string_view json) {
    std::string text;
    append_unescaped_json(json, text);
    return text;
}

TEST(JsonUnescape, UndoesWhatTheWriterDoes) {
    std::string all;
    for (int byte = 0; byte < 0x80; ++byte) {
        all += static_cast<char>(byte);
    }
    all += "\u00E9\u20AC\U0001F600";
    std::string json;
    append_json_string(all, json);
    EXPECT_EQ(unescaped(json), all);
}

TEST(JsonUnescape, JoinsThePairsOfCharactersBeyondTheFirstPlane) {
    EXPECT_EQ(unescaped(R"("a\uD83D\uDE00b")"), "a\U0001F600b");
    EXPECT_EQ(unescaped(R"("\uDBFF\uDFFF")"), "\U0010FFFF");
}

TEST(JsonUnescape, AnythingElseIsAHalt) {
    for (const char* json : {"", "\"", "null", "\"a", R"("\x")", R"("\")", R"("\u00")",
                             R"("\u12G4")", R"("\u0041")", R"("\uD83D")", R"("\uD83D\u0041")"}) {
        EXPECT_THROW(unescaped(json), FatalError) << json;
    }
}

}  // namespace
}  // namespace holdfast::relay::debezium
