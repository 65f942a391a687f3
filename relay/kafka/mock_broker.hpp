// librdkafka's mock cluster as an object: a Kafka-protocol broker in this process, on a loopback
// port that it picks itself, for trying things out and for tests.  It keeps at most 5 MB or
// 100,000 records per partition (the oldest go first) and nothing across a restart.  Topics that
// are made by their first mention have 4 partitions.
#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdint>
#include <memory>
#include <string>

#include "kafka/handles.hpp"

namespace holdfast::relay::kafka {

struct MockBrokerOptions {
    int brokers = 1;
    int group_initial_rebalance_delay_ms = 0;  ///< Kafka: 3000
};

class MockBroker {
 public:
    explicit MockBroker(const MockBrokerOptions& options = {});
    ~MockBroker();
    MockBroker(const MockBroker&) = delete;
    MockBroker& operator=(const MockBroker&) = delete;

    /// "127.0.0.1:34567"
    [[nodiscard]] std::string bootstrap_servers() const;

    /// Throws FatalError when the cluster refuses (for example, the topic exists).
    void create_topic(const std::string& name, int partitions);

    /// For fault injection in tests.
    [[nodiscard]] rd_kafka_mock_cluster_t* cluster() const { return cluster_; }

 private:
    ClientHandle client_;
    rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

}  // namespace holdfast::relay::kafka
