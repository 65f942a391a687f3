#include "debezium/topic_naming.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::relay::debezium {
namespace {

ConnectorOptions options() {
    ConnectorOptions made;
    made.topic_prefix = "app";
    return made;
}

TEST(TopicNaming, JoinsWhatIsNotBlank) {
    EXPECT_EQ(data_change_topic(options(), "public", "orders"), "app.public.orders");
    EXPECT_EQ(data_change_topic(options(), " ", "orders"), "app.orders");
    ConnectorOptions dashes = options();
    dashes.topic_delimiter = "-";
    EXPECT_EQ(data_change_topic(dashes, "public", "orders"), "app-public-orders");
    EXPECT_EQ(transaction_topic(dashes), "app-transaction");
    EXPECT_EQ(heartbeat_topic(dashes), "__debezium-heartbeat-app");
    EXPECT_EQ(message_topic(dashes), "app.message");
}

TEST(TopicNaming, ReplacesWhatKafkaDoesNotTakeByUnit) {
    EXPECT_EQ(data_change_topic(options(), "a b", "a$b"), "app.a_b.a_b");
    EXPECT_EQ(data_change_topic(options(), "caf\u00E9", "\U0001F600"), "app.caf_.__");
}

TEST(TopicNaming, CutsAtWhatKafkaTakes) {
    EXPECT_EQ(data_change_topic(options(), std::string(200, 's'), std::string(200, 't')),
              "app." + std::string(200, 's') + "." + std::string(44, 't'));
}

TEST(TopicNaming, DotsAloneAreNoTopic) {
    ConnectorOptions dot;
    dot.topic_prefix = ".";
    EXPECT_EQ(data_change_topic(dot, "", ""), "_");
    dot.topic_prefix = "..";
    EXPECT_EQ(data_change_topic(dot, "", ""), "__");
}

TEST(TopicNaming, PartsCanBeNamed) {
    ConnectorOptions named = options();
    named.topic_transaction = "tx";
    named.topic_heartbeat_prefix = "beat";
    EXPECT_EQ(transaction_topic(named), "app.tx");
    EXPECT_EQ(heartbeat_topic(named), "beat.app");
    named.topic_heartbeat_name = "beats";
    EXPECT_EQ(heartbeat_topic(named), "beats");
}

}  // namespace
}  // namespace holdfast::relay::debezium
