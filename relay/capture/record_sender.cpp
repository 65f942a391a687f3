#include "capture/record_sender.hpp"

namespace holdfast::relay::capture {
namespace {

constexpr const char* kTooLargeHint =
    "Raise max.message.bytes of the topic (and message.max.bytes of the relay's [kafka] section) "
    "above the size of the event, then start again: nothing has been skipped.";

std::string sizes(std::size_t key, std::size_t value) {
    return "key " + std::to_string(key) + " bytes, value " + std::to_string(value) + " bytes";
}

}  // namespace

RecordSender::RecordSender(RecordSink& sink, const debezium::TopicNames& topics,
                           AcknowledgementListener& listener, metrics::CaptureMetrics& metrics,
                           PositionListener* positions)
    : sink_(sink), topics_(topics), listener_(listener), metrics_(metrics), positions_(positions) {}

bool RecordSender::send(const debezium::Record& record, InFlightRecord origin) {
    const TopicId topic = sink_topic(record.topic);
    const auto partitions = sink_.partition_count(topic);
    if (!partitions) {
        return false;
    }
    const std::size_t key_size = record.key ? record.key->size() : 0;
    const std::size_t value_size = record.value ? record.value->size() : 0;
    if (record.partition && *record.partition >= *partitions) {
        throw FatalError(ExitCode::kMalformedEvent,
                         "event \"" + std::string(record.event_id) + "\" at " +
                             origin.lsn.to_string() + " asks for partition " +
                             std::to_string(*record.partition) + " of topic " +
                             topics_[record.topic] + ", which has " + std::to_string(*partitions),
                         "Give the topic as many partitions, then start again: nothing has been "
                         "skipped.");
    }
    const std::int32_t partition =
        record.partition
            ? *record.partition
            : partitioner_.choose(topic, record.key, *partitions, key_size + value_size);
    origin.topic = record.topic;
    origin.key_bytes = static_cast<std::uint32_t>(key_size);
    origin.value_bytes = static_cast<std::uint32_t>(value_size);
    origin.set_id(record.event_id);
    try {
        if (sink_.send(topic, partition, record, in_flight_.next_ticket()) == SendResult::kFull) {
            return false;
        }
    } catch (const FatalError& error) {
        if (error.code() != ExitCode::kMessageTooLarge) {
            throw;
        }
        throw FatalError(ExitCode::kMessageTooLarge,
                         described(origin) + " is too large (" + sizes(key_size, value_size) +
                             "): " + error.what(),
                         kTooLargeHint);
    }
    in_flight_.add(origin);
    return true;
}

void RecordSender::poll() {
    sink_.poll(*this);
}

TopicId RecordSender::sink_topic(std::uint32_t topic) {
    while (sink_topics_.size() <= topic) {
        sink_topics_.push_back(
            sink_.topic(topics_[static_cast<std::uint32_t>(sink_topics_.size())]));
    }
    return sink_topics_[topic];
}

void RecordSender::on_delivery(const Delivery& delivery) {
    const InFlightRecord& record = in_flight_.take(delivery.ticket);
    if (!delivery.delivered) {
        metrics_.delivery_failures.add();
        note_failure(delivery, record);
        return;
    }
    const bool in_kafka = delivery.offset >= 0;
    if (in_kafka) {
        metrics_.events.add();
        metrics_.event_bytes.add(record.bytes());
    }
    if (positions_ != nullptr && in_kafka && !record.id().empty()) {
        positions_->on_position(record.id(), topics_[record.topic], delivery.partition,
                                delivery.offset);
    }
    listener_.on_acknowledged(record);
}

void RecordSender::note_failure(const Delivery& delivery, const InFlightRecord& record) {
    // What failed only because another record did says so with kOk: the other one is the cause.
    if (failure_ && (failure_->code != ExitCode::kOk || delivery.failure == ExitCode::kOk)) {
        return;
    }
    // Never acknowledged, so nothing from this transaction on will ever be confirmed.
    failure_ = {delivery.failure, described(record) + " was not delivered (" +
                                      sizes(record.key_bytes, record.value_bytes) +
                                      "): " + std::string(delivery.reason)};
}

void RecordSender::throw_failure() const {
    if (!failure_) {
        return;
    }
    if (failure_->code == ExitCode::kOk) {
        throw DeliveryFailedError(failure_->message);
    }
    throw FatalError(failure_->code, failure_->message,
                     failure_->code == ExitCode::kMessageTooLarge ? kTooLargeHint : "");
}

std::string RecordSender::described(const InFlightRecord& record) const {
    return (record.id().empty() ? "the change at " + record.lsn.to_string()
                                : "event \"" + std::string(record.id()) + "\"") +
           " for topic " + topics_[record.topic];
}

void RecordSender::publish_metrics() noexcept {
    metrics_.in_flight_records.set(in_flight_.count());
    metrics_.in_flight_bytes.set(in_flight_.payload_bytes());
}

}  // namespace holdfast::relay::capture
