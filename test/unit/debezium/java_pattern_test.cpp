#include "debezium/java_pattern.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::relay::debezium {
namespace {

bool matches(const std::string& pattern, std::string_view text) {
    return PatternList(std::vector<std::string>{pattern}).matches(text);
}

std::string problem(const std::string& pattern) {
    try {
        const PatternList list(std::vector<std::string>{pattern});
        return "none";
    } catch (const JavaPatternError& error) {
        return error.what();
    }
}

TEST(PatternList, MatchesTheWholeTextOnly) {
    EXPECT_TRUE(matches("public.orders", "public.orders"));
    EXPECT_FALSE(matches("public.orders", "public.orders_2"));
    EXPECT_FALSE(matches("orders", "public.orders"));
    EXPECT_TRUE(matches("public\\.(orders|customers)", "public.customers"));
}

TEST(PatternList, IgnoresCaseOfAsciiOnly) {
    EXPECT_TRUE(matches("public.ORDERS", "Public.Orders"));
    EXPECT_FALSE(matches("caf\u00C9", "caf\u00E9"));
    EXPECT_TRUE(matches("caf\u00E9", "CAF\u00E9"));
}

TEST(PatternList, DotIsOneCharacterOfTheText) {
    EXPECT_TRUE(matches("caf.", "caf\u00E9"));
    EXPECT_TRUE(matches("s\\..", "s.\U0001F600"));
    EXPECT_FALSE(matches("s\\...", "s.\U0001F600"));
}

TEST(PatternList, MatchesNothingWhenEmpty) {
    EXPECT_FALSE(PatternList().matches("x"));
    EXPECT_TRUE(PatternList().empty());
}

TEST(PatternList, RefusesWhatItCannotMeanAsJavaDoes) {
    EXPECT_EQ(problem("a++"), "\"a++\": possessive quantifiers are not supported");
    EXPECT_EQ(problem("(?<=a)b"), "\"(?<=a)b\": \"(?<=\" is not supported");
    EXPECT_EQ(problem("(?i)a"), "\"(?i)a\": \"(?i)\" is not supported");
    EXPECT_EQ(problem("\\p{L}"), "\"\\p{L}\": \\p is not supported");
    EXPECT_EQ(problem("[a-z&&b]"),
              "\"[a-z&&b]\": an intersection of classes (&&) is not supported");
    EXPECT_EQ(problem("a&&b"), "none");
    EXPECT_TRUE(problem("(").starts_with("\"(\": not a regular expression: "));
}

}  // namespace
}  // namespace holdfast::relay::debezium
