#include "kafka/flusher.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>

#include "kafka/handles.hpp"
#include "kafka/mock_broker.hpp"
#include "kafka/properties.hpp"

namespace holdfast::relay::kafka {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

class KafkaFlusher : public ::testing::Test {
 protected:
    KafkaFlusher() {
        broker_.create_topic("orders", 1);
        ConfHandle conf =
            make_conf({{"bootstrap.servers", broker_.bootstrap_servers()}, {"linger.ms", "900000"}},
                      ClientKind::kProducer);
        rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_DR);
        std::array<char, 512> problem{};
        client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), problem.data(), problem.size()));
        EXPECT_TRUE(client_) << problem.data();
        static_cast<void>(conf.release());
        queue_.reset(rd_kafka_queue_get_main(client_.get()));
        topic_.reset(rd_kafka_topic_new(client_.get(), "orders", nullptr));
    }
    void produce() {
        std::string value = "v";
        ASSERT_EQ(rd_kafka_produce(topic_.get(), 0, RD_KAFKA_MSG_F_COPY, value.data(), value.size(),
                                   nullptr, 0, nullptr),
                  0);
    }
    /// One look for a delivery report.
    bool reported() {
        const EventHandle event(rd_kafka_queue_poll(queue_.get(), 20));
        return event && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_DR;
    }

    MockBroker broker_;
    ClientHandle client_;
    QueueHandle queue_;
    TopicHandle topic_;
};

TEST_F(KafkaFlusher, SendsWhatWouldLingerForAQuarterOfAnHour) {
    Flusher flusher(client_.get());
    for (int n = 0; n < 3; ++n) {
        produce();
        bool delivered = false;
        // More than once, because a wish has no effect before the broker is connected.
        for (const auto until = steady_clock::now() + seconds(20);
             !delivered && steady_clock::now() < until;) {
            flusher.send_now();
            delivered = reported();
        }
        EXPECT_TRUE(delivered);
    }
}

TEST_F(KafkaFlusher, EndsWhileSomethingLingers) {
    produce();
    Flusher flusher(client_.get());
    flusher.send_now();
}

}  // namespace
}  // namespace holdfast::relay::kafka
