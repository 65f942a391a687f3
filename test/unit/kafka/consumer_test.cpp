#include "kafka/consumer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/errors.hpp"
#include "base/poll.hpp"
#include "kafka/mock_broker.hpp"
#include "kafka/producer.hpp"

namespace holdfast::relay::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

const std::vector<std::string> kTopics{"payments"};

class KafkaConsumer : public ::testing::Test {
 protected:
    void SetUp() override { broker_.create_topic("payments", 2); }

    Properties properties() const { return {{"bootstrap.servers", broker_.bootstrap_servers()}}; }
    void fill(std::int32_t partition, int count) {
        Producer producer(properties());
        ProducerTopic& topic = producer.topic("payments");
        const std::vector<Header> headers{{"id", "event"}, {"none", std::nullopt}, {"empty", ""}};
        for (int i = 0; i < count; ++i) {
            const std::string value = std::to_string(filled_[partition]++);
            ASSERT_EQ(producer.produce(topic, partition,
                                       {.key = "key",
                                        .value = value,
                                        .headers = headers,
                                        .timestamp_ms = 1'700'000'000'123},
                                       0),
                      ProduceResult::kQueued);
            if (i == 0) {  // the first record of a partition goes alone
                ASSERT_TRUE(producer.flush(seconds(10), [](const DeliveryReport&) {}));
            }
        }
        ASSERT_TRUE(producer.flush(seconds(10), [](const DeliveryReport& report) {
            ASSERT_EQ(report.error, ErrorClass::kNone);
        }));
    }
    /// Events until `enough` says so, waiting on the descriptor as a pipeline does.
    static void pump(Consumer& consumer, const std::function<bool(ConsumerEvent&)>& enough,
                     seconds limit = seconds(20)) {
        const auto until = steady_clock::now() + limit;
        while (steady_clock::now() < until) {
            while (auto event = consumer.poll()) {
                if (enough(*event)) {
                    return;
                }
            }
            std::array<pollfd, 1> wait{pollfd{consumer.fd(), POLLIN, 0}};
            wait_for(wait, milliseconds(500));
        }
        FAIL() << "nothing more comes";
    }
    static std::vector<TopicPartition> wait_assigned(Consumer& consumer) {
        std::vector<TopicPartition> given;
        pump(consumer, [&](ConsumerEvent& event) {
            if (auto* assigned = std::get_if<PartitionsAssigned>(&event)) {
                given = assigned->partitions;
                return true;
            }
            return false;
        });
        std::ranges::sort(given);
        return given;
    }
    static std::vector<std::string> read(Consumer& consumer, std::size_t count) {
        std::vector<std::string> values;
        pump(consumer, [&](ConsumerEvent& event) {
            if (auto* record = std::get_if<IncomingRecord>(&event)) {
                values.emplace_back(record->value().value_or("NULL"));
            }
            return values.size() == count;
        });
        return values;
    }
    static std::vector<std::string> numbers(int from, int to) {
        std::vector<std::string> texts;
        for (int i = from; i < to; ++i) {
            texts.push_back(std::to_string(i));
        }
        return texts;
    }

    MockBroker broker_;

 private:
    std::map<std::int32_t, int> filled_;
};

TEST_F(KafkaConsumer, StartsWhereTheCallerSays) {
    fill(0, 10);
    Consumer consumer(properties(), "group", kTopics);
    EXPECT_EQ(wait_assigned(consumer),
              (std::vector<TopicPartition>{{"payments", 0}, {"payments", 1}}));
    const std::vector<TopicPosition> positions{{{"payments", 0}, 7}, {{"payments", 1}, 0}};
    consumer.assign(positions);
    EXPECT_EQ(read(consumer, 3), numbers(7, 10));
    EXPECT_TRUE(consumer.connected());
}

TEST_F(KafkaConsumer, GivesNothingBeforePositionsAreSet) {
    fill(0, 10);
    Consumer consumer(properties(), "group", kTopics);
    wait_assigned(consumer);
    const auto until = steady_clock::now() + milliseconds(300);
    while (steady_clock::now() < until) {
        EXPECT_FALSE(consumer.poll().has_value());
    }
}

TEST_F(KafkaConsumer, HandsOutKeyHeadersAndTimestamp) {
    fill(1, 1);
    Consumer consumer(properties(), "group", kTopics);
    wait_assigned(consumer);
    consumer.assign(std::vector<TopicPosition>{{{"payments", 1}, 0}});
    pump(consumer, [&](ConsumerEvent& event) {
        const auto* record = std::get_if<IncomingRecord>(&event);
        if (record == nullptr) {
            return false;
        }
        EXPECT_EQ(record->topic(), "payments");
        EXPECT_EQ(record->partition(), 1);
        EXPECT_EQ(record->offset(), 0);
        EXPECT_EQ(record->key(), "key");
        EXPECT_EQ(record->timestamp_ms(), 1'700'000'000'123);
        std::vector<std::pair<std::string, std::optional<std::string>>> headers;
        record->for_each_header([&](std::string_view name, std::optional<std::string_view> value) {
            headers.emplace_back(name, value);
        });
        EXPECT_EQ(headers, (std::vector<std::pair<std::string, std::optional<std::string>>>{
                               {"id", "event"}, {"none", std::nullopt}, {"empty", ""}}));
        return true;
    });
}

TEST_F(KafkaConsumer, AnswersWatermarks) {
    fill(0, 5);
    Consumer consumer(properties(), "group", kTopics);
    const Watermarks marks = consumer.watermarks({"payments", 0}, seconds(10));
    EXPECT_EQ(marks.low, 0);
    EXPECT_EQ(marks.high, 5);
}

TEST_F(KafkaConsumer, PositionBeyondTheLogIsAGapAndNotAJump) {
    fill(0, 5);
    Consumer consumer(properties(), "group", kTopics);
    wait_assigned(consumer);
    consumer.assign(std::vector<TopicPosition>{{{"payments", 0}, 99}});
    try {
        pump(
            consumer, [](ConsumerEvent&) { return false; }, seconds(10));
        FAIL() << "no error";
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kInboxOffsetGap);
        EXPECT_NE(std::string(error.what()).find("payments"), std::string::npos);
    }
}

TEST_F(KafkaConsumer, PauseAndResumeLoseAndRepeatNothing) {
    fill(0, 500);
    Consumer consumer(properties(), "group", kTopics);
    wait_assigned(consumer);
    const TopicPartition first{"payments", 0};
    consumer.assign(std::vector<TopicPosition>{{first, 0}});
    std::vector<std::string> values = read(consumer, 10);
    for (int round = 0; round < 5; ++round) {
        consumer.pause(first);
        EXPECT_FALSE(consumer.poll().has_value());
        consumer.resume(first);
        const auto more = read(consumer, 10);
        values.insert(values.end(), more.begin(), more.end());
    }
    const auto rest = read(consumer, 500 - values.size());
    values.insert(values.end(), rest.begin(), rest.end());
    EXPECT_EQ(values, numbers(0, 500));
}

TEST_F(KafkaConsumer, SeeksBackAndForth) {
    fill(0, 100);
    Consumer consumer(properties(), "group", kTopics);
    wait_assigned(consumer);
    const TopicPartition first{"payments", 0};
    consumer.assign(std::vector<TopicPosition>{{first, 0}});
    EXPECT_EQ(read(consumer, 20), numbers(0, 20));
    consumer.seek({first, 5});
    EXPECT_EQ(read(consumer, 3), numbers(5, 8));
    consumer.seek({first, 90});
    EXPECT_EQ(read(consumer, 10), numbers(90, 100));
    EXPECT_EQ(consumer.known_high(first), 100);
}

TEST_F(KafkaConsumer, SecondMemberTakesPartitionsAway) {
    fill(0, 3);
    fill(1, 3);
    Consumer one(properties(), "group", kTopics);
    const auto all = wait_assigned(one);
    ASSERT_EQ(all.size(), 2U);
    one.assign(std::vector<TopicPosition>{{all[0], 0}, {all[1], 0}});
    read(one, 6);

    Consumer two(properties(), "group", kTopics);
    std::size_t revoked_at_once = 0;  // the group may need more than one round to settle
    std::vector<TopicPartition> of_one;
    std::vector<TopicPartition> of_two;
    const auto until = steady_clock::now() + seconds(20);
    while ((of_one.size() != 1 || of_two.size() != 1) && steady_clock::now() < until) {
        for (auto [consumer, given] : {std::pair{&one, &of_one}, std::pair{&two, &of_two}}) {
            while (auto event = consumer->poll()) {
                if (auto* assigned = std::get_if<PartitionsAssigned>(&*event)) {
                    *given = assigned->partitions;
                    std::vector<TopicPosition> positions;
                    for (const TopicPartition& at : assigned->partitions) {
                        positions.push_back({at, 3});
                    }
                    consumer->assign(positions);
                } else if (auto* gone = std::get_if<PartitionsRevoked>(&*event)) {
                    revoked_at_once = std::max(revoked_at_once, gone->partitions.size());
                    given->clear();
                }
            }
        }
        std::array<pollfd, 2> wait{pollfd{one.fd(), POLLIN, 0}, pollfd{two.fd(), POLLIN, 0}};
        wait_for(wait, milliseconds(100));
    }
    EXPECT_EQ(revoked_at_once, 2U);
    ASSERT_EQ(of_one.size(), 1U);
    ASSERT_EQ(of_two.size(), 1U);
    EXPECT_NE(of_one[0], of_two[0]);
}

TEST_F(KafkaConsumer, LeavesAGroupWhoseBrokerIsGoneWithinSeconds) {
    auto consumer = std::make_unique<Consumer>(properties(), "group", kTopics);
    wait_assigned(*consumer);
    rd_kafka_mock_broker_set_down(broker_.cluster(), 1);
    const auto start = steady_clock::now();
    consumer.reset();
    EXPECT_LT(steady_clock::now() - start, seconds(8));
}

}  // namespace
}  // namespace holdfast::relay::kafka
