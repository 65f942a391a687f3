#include "kafka/producer.hpp"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "base/poll.hpp"
#include "kafka/mock_broker.hpp"

namespace holdfast::relay::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class KafkaProducer : public ::testing::Test {
 protected:
    Properties properties(const Properties& more = {}) const {
        Properties all{{"bootstrap.servers", broker_.bootstrap_servers()}};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }
    /// Waits on the producer's descriptor, as a pipeline does.
    static std::int32_t wait_for_partitions(Producer& producer, const ProducerTopic& topic) {
        const auto until = steady_clock::now() + seconds(10);
        while (steady_clock::now() < until) {
            if (const auto count = producer.partition_count(topic)) {
                return *count;
            }
            std::array<pollfd, 1> wait{pollfd{producer.fd(), POLLIN, 0}};
            wait_for(wait, milliseconds(100));
            producer.poll([](const DeliveryReport&) {});
        }
        return -1;
    }
    /// A topic of one partition, which the producer knows.
    ProducerTopic& orders(Producer& producer) {
        broker_.create_topic("orders", 1);
        ProducerTopic& topic = producer.topic("orders");
        EXPECT_EQ(wait_for_partitions(producer, topic), 1);
        return topic;
    }
    std::vector<DeliveryReport> flush(Producer& producer) {
        EXPECT_TRUE(producer.flush(
            seconds(20), [&](const DeliveryReport& report) { reports_.push_back(report); }));
        return std::exchange(reports_, {});
    }
    /// Produces; where the partition's first record is under way, after that one.
    void send(Producer& producer, const ProducerTopic& topic, std::int32_t partition,
              std::uint64_t ticket) {
        const OutgoingRecord record{.key = "k", .value = "v"};
        if (producer.produce(topic, partition, record, ticket) == ProduceResult::kQueued) {
            return;
        }
        EXPECT_TRUE(producer.flush(
            seconds(20), [&](const DeliveryReport& report) { reports_.push_back(report); }));
        ASSERT_EQ(producer.produce(topic, partition, record, ticket), ProduceResult::kQueued);
    }

    MockBroker broker_;
    std::vector<DeliveryReport> reports_;
};

TEST_F(KafkaProducer, ReportsTopicPartitionOffsetAndTicketOfEachRecord) {
    broker_.create_topic("orders", 3);
    Producer producer(properties());
    ProducerTopic& topic = producer.topic("orders");
    ASSERT_EQ(wait_for_partitions(producer, topic), 3);
    for (std::uint64_t i = 0; i < 30; ++i) {
        send(producer, topic, static_cast<std::int32_t>(i % 3), i);
    }
    const auto reports = flush(producer);
    ASSERT_EQ(reports.size(), 30U);
    std::map<std::int32_t, std::int64_t> next;
    for (const DeliveryReport& report : reports) {
        EXPECT_EQ(report.error, ErrorClass::kNone);
        EXPECT_EQ(report.topic, &topic);
        EXPECT_EQ(report.partition, static_cast<std::int32_t>(report.opaque % 3));
        EXPECT_EQ(report.offset, next[report.partition]++);
        EXPECT_EQ(report.bytes, 2U);
    }
    EXPECT_EQ(producer.outstanding(), 0U);
    EXPECT_TRUE(producer.connected());
}

TEST_F(KafkaProducer, KnowsATopicByItsName) {
    Producer producer(properties());
    EXPECT_EQ(&producer.topic("a"), &producer.topic("a"));
    EXPECT_NE(&producer.topic("a"), &producer.topic("b"));
}

TEST_F(KafkaProducer, LetsTheBrokerCreateAMissingTopic) {
    Producer producer(properties());
    EXPECT_EQ(wait_for_partitions(producer, producer.topic("made-by-asking")), 4);
}

TEST_F(KafkaProducer, MissingTopicIsAnErrorAfterItsTime) {
    Producer producer(properties({{"allow.auto.create.topics", "false"}}),
                      {.give_up = milliseconds(300), .ask_again = milliseconds(50)});
    const ProducerTopic& topic = producer.topic("missing");
    try {
        wait_for_partitions(producer, topic);
        FAIL() << "no error";
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kTopicMissing);
        EXPECT_NE(std::string(error.what()).find("missing"), std::string::npos);
    }
}

TEST_F(KafkaProducer, KeepsOrderThroughRetriableErrors) {
    Producer producer(properties({{"retry.backoff.ms", "10"}}));
    ProducerTopic& topic = orders(producer);
    constexpr std::int16_t kProduce = 0;
    rd_kafka_mock_push_request_errors(
        broker_.cluster(), kProduce, 3, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
    for (std::uint64_t i = 0; i < 50; ++i) {
        send(producer, topic, 0, i);
    }
    const auto reports = flush(producer);
    ASSERT_EQ(reports.size(), 50U);
    for (std::size_t i = 0; i < reports.size(); ++i) {
        EXPECT_EQ(reports[i].error, ErrorClass::kNone);
        EXPECT_EQ(reports[i].opaque, i);
    }
}

TEST_F(KafkaProducer, ReportsWhatTheBrokerWillNeverTake) {
    Producer producer(properties());
    ProducerTopic& topic = orders(producer);
    constexpr std::int16_t kProduce = 0;
    rd_kafka_mock_push_request_errors(broker_.cluster(), kProduce, 1,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    ASSERT_EQ(producer.produce(topic, 0, {.key = "k", .value = "v"}, 7), ProduceResult::kQueued);
    std::vector<DeliveryReport> reports;
    const auto until = steady_clock::now() + seconds(10);
    while (reports.empty() && steady_clock::now() < until) {
        std::array<pollfd, 1> wait{pollfd{producer.fd(), POLLIN, 0}};
        wait_for(wait, milliseconds(100));
        producer.poll([&](const DeliveryReport& report) { reports.push_back(report); });
    }
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].error, ErrorClass::kMessageTooLarge);
    EXPECT_EQ(reports[0].opaque, 7U);
    EXPECT_EQ(reports[0].offset, -1);
}

TEST_F(KafkaProducer, TakesASecondRecordOfAPartitionAfterTheFirstIsAcknowledged) {
    broker_.create_topic("orders", 2);
    Producer producer(properties());
    ProducerTopic& topic = producer.topic("orders");
    ASSERT_EQ(wait_for_partitions(producer, topic), 2);
    const OutgoingRecord record{.key = "k", .value = "v"};
    EXPECT_EQ(producer.produce(topic, 0, record, 1), ProduceResult::kQueued);
    EXPECT_EQ(producer.produce(topic, 0, record, 2), ProduceResult::kQueueFull);
    EXPECT_EQ(producer.produce(topic, 1, record, 3), ProduceResult::kQueued);
    EXPECT_EQ(flush(producer).size(), 2U);
    EXPECT_EQ(producer.produce(topic, 0, record, 2), ProduceResult::kQueued);
    EXPECT_EQ(producer.produce(topic, 0, record, 4), ProduceResult::kQueued);
    EXPECT_EQ(flush(producer).size(), 2U);
}

TEST_F(KafkaProducer, TakesNothingMoreAfterARecordThatIsRefused) {
    Producer producer(properties({{"batch.num.messages", "1"}}));
    ProducerTopic& topic = orders(producer);
    send(producer, topic, 0, 0);
    ASSERT_EQ(flush(producer).size(), 1U);
    constexpr std::int16_t kProduce = 0;
    rd_kafka_mock_push_request_errors(broker_.cluster(), kProduce, 1,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    for (std::uint64_t i = 1; i < 4; ++i) {
        static_cast<void>(producer.produce(topic, 0, {.key = "k", .value = "v"}, i));
    }
    std::vector<DeliveryReport> reports;
    const auto until = steady_clock::now() + seconds(10);
    while (reports.empty() && steady_clock::now() < until) {
        std::array<pollfd, 1> wait{pollfd{producer.fd(), POLLIN, 0}};
        wait_for(wait, milliseconds(100));
        producer.poll([&](const DeliveryReport& report) { reports.push_back(report); });
    }
    ASSERT_FALSE(reports.empty());
    // (What was under way is refused by a real broker, for its sequence number, but not by this
    // one.)
    EXPECT_EQ(reports[0].opaque, 1U);
    EXPECT_EQ(reports[0].error, ErrorClass::kMessageTooLarge);
    EXPECT_EQ(producer.produce(topic, 0, {.key = "k", .value = "v"}, 4), ProduceResult::kQueueFull);
}

TEST_F(KafkaProducer, RefusesARecordThatIsTooLargeForTheClient) {
    broker_.create_topic("orders", 1);
    Producer producer(properties({{"message.max.bytes", "2000"}}));
    ProducerTopic& topic = producer.topic("orders");
    const std::string value(3000, 'x');
    try {
        static_cast<void>(producer.produce(topic, 0, {.key = "k", .value = value}, 1));
        FAIL() << "no error";
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kMessageTooLarge);
        EXPECT_NE(std::string(error.what()).find("orders"), std::string::npos);
    }
    EXPECT_EQ(producer.outstanding(), 0U);
}

TEST_F(KafkaProducer, FullQueueIsAnAnswerAndReadableDescriptorTellsWhenToGoOn) {
    broker_.create_topic("orders", 1);
    Producer producer(properties({{"queue.buffering.max.messages", "10"}}));
    ProducerTopic& topic = producer.topic("orders");
    std::uint64_t sent = 0;
    std::uint64_t full = 0;
    std::uint64_t reported = 0;
    const auto until = steady_clock::now() + seconds(20);
    while (reported < 200 && steady_clock::now() < until) {
        while (sent < 200 && producer.produce(topic, 0, {.key = "k", .value = "v"}, sent) ==
                                 ProduceResult::kQueued) {
            ++sent;
        }
        full += sent < 200 ? 1 : 0;
        std::array<pollfd, 1> wait{pollfd{producer.fd(), POLLIN, 0}};
        wait_for(wait, seconds(1));
        reported += producer.poll([](const DeliveryReport&) {});
    }
    EXPECT_EQ(reported, 200U);
    EXPECT_GT(full, 0U);
}

TEST_F(KafkaProducer, SendsNowWhatWouldLingerAndHasItsReport) {
    Producer producer(properties());
    ProducerTopic& topic = orders(producer);
    send(producer, topic, 0, 0);
    flush(producer);
    // Nobody waits for a report here but send_now(), and not for as long as records linger.
    std::size_t reported = 0;
    for (std::uint64_t ticket = 1; ticket <= 20; ++ticket) {
        send(producer, topic, 0, ticket);
        producer.send_now();
        reported += producer.poll([&](const DeliveryReport&) {});
    }
    EXPECT_GT(reported, 0U);
    reported += flush(producer).size();
    EXPECT_EQ(reported, 20U);
}

TEST_F(KafkaProducer, ReportsOfWhatWasSentNowMakeItsDescriptorReadable) {
    Producer producer(properties());
    ProducerTopic& topic = orders(producer);
    send(producer, topic, 0, 1);
    std::vector<DeliveryReport> reports;
    const auto until = steady_clock::now() + seconds(20);
    producer.send_now();
    while (reports.empty() && steady_clock::now() < until) {
        std::array<pollfd, 1> wait{pollfd{producer.fd(), POLLIN, 0}};
        wait_for(wait, seconds(20));
        producer.poll([&](const DeliveryReport& report) { reports.push_back(report); });
    }
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports.front().opaque, 1U);
}

TEST_F(KafkaProducer, KeepsALingerOfTheUsers) {
    Producer producer(properties({{"linger.ms", "900000"}}));
    ProducerTopic& topic = orders(producer);
    ASSERT_EQ(producer.produce(topic, 0, {.value = "v"}, 1), ProduceResult::kQueued);
    producer.send_now();
    EXPECT_EQ(producer.poll([](const DeliveryReport&) {}), 0U);
    EXPECT_EQ(producer.outstanding(), 1U);
}

TEST_F(KafkaProducer, NeverGivesUpWhileTheBrokerIsDown) {
    Producer producer(properties({{"reconnect.backoff.max.ms", "200"}}));
    ProducerTopic& topic = orders(producer);
    send(producer, topic, 0, 0);
    ASSERT_EQ(flush(producer).size(), 1U);
    rd_kafka_mock_broker_set_down(broker_.cluster(), 1);
    for (std::uint64_t i = 0; i < 10; ++i) {
        ASSERT_EQ(producer.produce(topic, 0, {.key = "k", .value = "v"}, i),
                  ProduceResult::kQueued);
    }
    std::size_t reports = 0;
    EXPECT_FALSE(producer.flush(milliseconds(500), [&](const DeliveryReport&) { ++reports; }));
    EXPECT_EQ(reports, 0U);
    rd_kafka_mock_broker_set_up(broker_.cluster(), 1);
    const auto delivered = flush(producer);
    ASSERT_EQ(delivered.size(), 10U);
    for (std::size_t i = 0; i < delivered.size(); ++i) {
        EXPECT_EQ(delivered[i].opaque, i);
        EXPECT_EQ(delivered[i].error, ErrorClass::kNone);
    }
}

TEST_F(KafkaProducer, RefusesWhatLibrdkafkaDoesNotTake) {
    const Properties misspelt{{"bootstrap.server", "x"}};
    EXPECT_THROW(Producer{misspelt}, FatalError);
}

}  // namespace
}  // namespace holdfast::relay::kafka
