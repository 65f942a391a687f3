#include "debezium/topic_router.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace holdfast::relay::debezium {
namespace {

std::string route(std::string_view regex, std::string_view replacement, const std::string& value) {
    return TopicRouter(regex, replacement).apply(value);
}

std::string problem(std::string_view regex, std::string_view replacement) {
    try {
        TopicRouter(regex, replacement);
        return "none";
    } catch (const TopicRouterError& error) {
        return error.what();
    }
}

TEST(TopicRouter, TakesTheValueByDefault) {
    EXPECT_EQ(route("(?<routedByValue>.*)", "${routedByValue}", "order-created"), "order-created");
    EXPECT_EQ(route("(?<routedByValue>.*)", "outbox.event.${routedByValue}", "Order"),
              "outbox.event.Order");
}

TEST(TopicRouter, KnowsGroupsByNumberAndName) {
    EXPECT_EQ(route("(.*)-(.*)", "$2.$1", "order-created"), "created.order");
    EXPECT_EQ(route("(?<a>\\w+)-(?:x|y)-(?<b>\\w+)", "${b}_${a}_$0", "p-y-q"), "q_p_p-y-q");
    EXPECT_EQ(route("([(])(?<n>.)", "${n}$1", "(z"), "z(");
    EXPECT_EQ(route("\\((?<n>.)", "${n}", "(z"), "z");
}

TEST(TopicRouter, ReadsANumberOnlyAsFarAsSuchAGroupExists) {
    EXPECT_EQ(route("(.)(.*)", "$12", "ab"), "a2");
    EXPECT_EQ(route("(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.*)", "$11", "abcdefghijkl"), "kl");
}

TEST(TopicRouter, ValueThatDoesNotMatchAsAWholeIsTheTopic) {
    EXPECT_EQ(route("order", "x", "orders"), "orders");
    EXPECT_EQ(route("order-.*", "x", "payment-failed"), "payment-failed");
}

TEST(TopicRouter, AppendsAVersionOnceAndBeforeDlqAsDocumented) {
    for (const auto& [value, topic] : std::map<std::string, std::string>{
             {"order-created", "order-created-v1"},
             {"payment-event", "payment-event-v1"},
             {"payment-completed-v1-dlq", "payment-completed-v1-dlq"},
             {"payment-completed-dlq", "payment-completed-v1-dlq"}}) {
        EXPECT_EQ(route("^(?<routedByValue>.*?)(?:-v1)?(?<dlq>-dlq)?$", "${routedByValue}-v1${dlq}",
                        value),
                  topic);
    }
}

TEST(TopicRouter, ReplacesOnlyTheFirstMatchAsJavaDoes) {
    // The whole value matches by the second alternative, the first match in it is the first one.
    EXPECT_EQ(route("a|ab", "X", "ab"), "Xb");
    EXPECT_EQ(route("(a)?b", "<$1>", "b"), "<>");
}

TEST(TopicRouter, TakesEscapesInTheReplacementLiterally) {
    EXPECT_EQ(route("(.*)", "\\$1-\\\\-$1", "v"), "$1-\\-v");
}

TEST(TopicRouter, RefusesWhatItWouldReadDifferentlyThanJava) {
    EXPECT_EQ(problem("(?i)order", "x"), "route.topic.regex: \"(?i)\" is not supported");
    EXPECT_EQ(problem("(?<=a)b", "x"), "route.topic.regex: \"(?<=\" is not supported");
    EXPECT_EQ(problem("(?>a)", "x"), "route.topic.regex: \"(?>a\" is not supported");
    EXPECT_EQ(problem("\\p{Lu}", "x"), "route.topic.regex: \\p is not supported");
    EXPECT_EQ(problem("[a[b]]", "x"),
              "route.topic.regex: a class inside of a class is not supported");
    for (const char* regex : {"a*+", "a++", "a?+", "a{2}+"}) {
        EXPECT_EQ(problem(regex, "x"),
                  "route.topic.regex: possessive quantifiers are not supported");
    }
    EXPECT_EQ(problem("a\\++[*+]", "x"), "none");
}

TEST(TopicRouter, NamesWhatIsWrong) {
    EXPECT_TRUE(problem("(", "x").starts_with("route.topic.regex: not a regular expression"));
    EXPECT_EQ(problem("a\\", "x"), "route.topic.regex: it ends with a backslash");
    EXPECT_EQ(problem("(?<a_b>.)", "x"),
              "route.topic.regex: a group's name is letters and digits: \"a_b\"");
    EXPECT_EQ(problem("(?<a>.)(?<a>.)", "x"), "route.topic.regex: two groups are named \"a\"");
    EXPECT_EQ(problem("(.*)", "${b}"),
              "route.topic.replacement: route.topic.regex has no group named \"b\"");
    EXPECT_EQ(problem("(.*)", "${b"),
              "route.topic.replacement: route.topic.regex has no group named \"b\"");
    EXPECT_EQ(problem("(.*)", "$2"), "route.topic.replacement: route.topic.regex has no group 2");
    EXPECT_EQ(problem("(.*)", "a$"),
              "route.topic.replacement: a $ is followed by a number or a {name}; write \\$ for a "
              "dollar sign");
    EXPECT_EQ(problem("(.*)", "a\\"), "route.topic.replacement: it ends with a backslash");
}

TEST(TopicRouter, KnowsLegalTopics) {
    EXPECT_TRUE(is_legal_topic("order-created_V2.x"));
    EXPECT_TRUE(is_legal_topic(std::string(249, 'a')));
    for (const std::string& name :
         {std::string(), std::string("."), std::string(".."), std::string("a b"),
          std::string("재고"), std::string("a/b"), std::string(250, 'a')}) {
        EXPECT_FALSE(is_legal_topic(name)) << name;
    }
}

}  // namespace
}  // namespace holdfast::relay::debezium
