#include "kafka/compacted_topic.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "base/errors.hpp"
#include "kafka/mock_broker.hpp"
#include "kafka/producer.hpp"

namespace holdfast::relay::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class CompactedTopic : public ::testing::Test {
 protected:
    void SetUp() override { broker_.create_topic("offsets", 3); }

    void put(std::int32_t partition, std::optional<std::string_view> key,
             std::optional<std::string_view> value, std::int64_t timestamp_ms = 1'000) {
        ASSERT_EQ(producer_.produce(
                      producer_.topic("offsets"), partition,
                      {.key = key, .value = value, .headers = {}, .timestamp_ms = timestamp_ms}, 0),
                  ProduceResult::kQueued);
        ASSERT_TRUE(producer_.flush(seconds(10), [](const DeliveryReport& report) {
            ASSERT_EQ(report.error, ErrorClass::kNone);
        }));
    }
    std::map<std::string, std::string> read(const std::string& topic = "offsets") {
        return read_compacted_topic(properties_, topic, seconds(20));
    }

    MockBroker broker_;
    Properties properties_{{"bootstrap.servers", broker_.bootstrap_servers()}};
    Producer producer_{properties_};
};

TEST_F(CompactedTopic, TheNewestRecordOfAKeyCounts) {
    put(0, "a", "1");
    put(2, "b", "2");
    put(0, "a", "3");
    EXPECT_EQ(read(), (std::map<std::string, std::string>{{"a", "3"}, {"b", "2"}}));
}

TEST_F(CompactedTopic, WithinAPartitionTheClockDoesNotCount) {
    put(0, "a", "1", 5'000);
    put(0, "a", "2", 4'000);
    EXPECT_EQ(read(), (std::map<std::string, std::string>{{"a", "2"}}));
}

TEST_F(CompactedTopic, AcrossPartitionsTheLaterRecordCounts) {
    put(1, "a", "later", 5'000);
    put(0, "a", "earlier", 4'000);
    put(2, "a", "earlier", 3'000);
    EXPECT_EQ(read(), (std::map<std::string, std::string>{{"a", "later"}}));
}

TEST_F(CompactedTopic, ATombstoneRemovesAKeyAndARecordWithoutKeyIsNone) {
    put(0, "a", "1");
    put(0, "a", std::nullopt);
    put(0, std::nullopt, "2");
    put(0, "b", "");
    EXPECT_EQ(read(), (std::map<std::string, std::string>{{"b", ""}}));
}

TEST_F(CompactedTopic, AnEmptyTopicHasNothing) {
    EXPECT_TRUE(read().empty());
}

TEST_F(CompactedTopic, SilentBrokersAreNamedInTime) {
    EXPECT_THROW(static_cast<void>(read_compacted_topic({{"bootstrap.servers", "127.0.0.1:9"}},
                                                        "offsets", milliseconds(300))),
                 RetryableError);
}

}  // namespace
}  // namespace holdfast::relay::kafka
