#include "kafka/topic_directory.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <latch>
#include <optional>
#include <semaphore>

#include "kafka/handles.hpp"
#include "kafka/mock_broker.hpp"

namespace holdfast::relay::kafka {
namespace {

using std::chrono::seconds;

/// A directory of one topic of a mock cluster.
class TopicDirectoryTest : public ::testing::Test {
 protected:
    TopicDirectoryTest() {
        std::array<char, 512> reason{};
        rd_kafka_conf_t* conf = rd_kafka_conf_new();
        rd_kafka_conf_set(conf, "bootstrap.servers", broker_.bootstrap_servers().c_str(), nullptr,
                          0);
        client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason.data(), reason.size()));
        topic_.reset(rd_kafka_topic_new(client_.get(), "orders", nullptr));
    }

    MockBroker broker_;
    ClientHandle client_;
    TopicHandle topic_;
};

// Whoever is told and asks, and is told to wait, waits for good: nobody tells him again.
TEST_F(TopicDirectoryTest, TellsOfAnAnswerWhenItCanBeHad) {
    broker_.create_topic("orders", 3);
    TopicDirectory* directory = nullptr;
    std::latch added{1};
    std::binary_semaphore told{0};
    std::optional<std::int32_t> seen;  // the directory's thread's until it has told
    TopicDirectory owner(client_.get(), DirectoryOptions{}, [&] {
        added.wait();
        if (!seen && (seen = directory->partitions(0))) {
            told.release();
        }
    });
    directory = &owner;
    directory->add(topic_.get());
    added.count_down();
    ASSERT_TRUE(told.try_acquire_for(seconds(10)));
    EXPECT_EQ(seen, 3);
}

}  // namespace
}  // namespace holdfast::relay::kafka
