// kafka::Producer as capture::RecordSink.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "capture/record_sink.hpp"
#include "kafka/producer.hpp"
#include "metrics/values.hpp"

namespace holdfast::relay::adapters {

class ProducerSink final : public capture::RecordSink {
 public:
    /// What happens beside the records; everything must outlive the sink.
    struct Observer {
        metrics::Gauge* kafka_connected = nullptr;
        /// Counts the turns of the loop that polls this sink: the watchdog's sign of life.
        std::atomic<std::uint64_t>* turns = nullptr;
        /// Called after each poll().
        std::function<void()> after_poll;
    };

    /// Throws FatalError(kConfig).
    ProducerSink(const kafka::Properties& properties, Observer observer);

    capture::TopicId topic(std::string_view name) override;
    [[nodiscard]] std::optional<std::int32_t> partition_count(capture::TopicId topic) override;
    [[nodiscard]] std::optional<std::int64_t> max_message_bytes(capture::TopicId topic) override {
        return producer_.max_message_bytes(at(topic));
    }
    capture::SendResult send(capture::TopicId topic, std::int32_t partition,
                             const debezium::Record& record, std::uint64_t ticket) override;
    void send_now() override { producer_.send_now(); }
    void poll(capture::DeliveryHandler& handler) override;
    [[nodiscard]] int fd() const override { return producer_.fd(); }
    void wake() const override { producer_.wake(); }

 private:
    [[nodiscard]] const kafka::ProducerTopic& at(capture::TopicId topic) const {
        return *topics_[static_cast<std::size_t>(topic)];
    }

    kafka::Producer producer_;
    Observer observer_;
    std::vector<const kafka::ProducerTopic*> topics_;
    std::vector<kafka::Header> headers_;  // reused
};

/// What a failed delivery asks for, in the terms of capture::Delivery::failure.
[[nodiscard]] ExitCode failure_of(kafka::ErrorClass error);

}  // namespace holdfast::relay::adapters
