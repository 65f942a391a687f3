#include "adapters/producer_sink.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "capture/pipeline.hpp"

namespace holdfast::relay::adapters {
namespace {

/// An idempotent producer can come to a state that it cannot leave (its sequence is unknown to the
/// broker, or it was fenced).  Nothing is lost by that: the slot still has what is not confirmed,
/// so a new producer and a new stream from there are the cure, not a person.
[[noreturn]] void rethrow(const FatalError& error) {
    if (error.code() == ExitCode::kInternal) {
        throw capture::DeliveryFailedError(error.what());
    }
    throw error;
}

}  // namespace

ProducerSink::ProducerSink(const kafka::Properties& properties, Observer observer)
    : producer_(properties), observer_(std::move(observer)) {}

capture::TopicId ProducerSink::topic(std::string_view name) {
    const kafka::ProducerTopic* topic = &producer_.topic(name);
    const auto known = std::ranges::find(topics_, topic);
    const auto index = static_cast<std::size_t>(known - topics_.begin());
    if (known == topics_.end()) {
        topics_.push_back(topic);
    }
    return static_cast<capture::TopicId>(index);
}

std::optional<std::int32_t> ProducerSink::partition_count(capture::TopicId topic) {
    return producer_.partition_count(at(topic));
}

capture::SendResult ProducerSink::send(capture::TopicId topic, std::int32_t partition,
                                       const debezium::Record& record, std::uint64_t ticket) {
    headers_.clear();
    for (const debezium::Header& header : record.headers) {
        headers_.push_back({header.name, header.value});
    }
    const kafka::OutgoingRecord outgoing{.key = record.key,
                                         .value = record.value,
                                         .headers = headers_,
                                         .timestamp_ms = record.timestamp_ms};
    try {
        return producer_.produce(at(topic), partition, outgoing, ticket) ==
                       kafka::ProduceResult::kQueued
                   ? capture::SendResult::kAccepted
                   : capture::SendResult::kFull;
    } catch (const FatalError& error) {
        rethrow(error);
    }
}

void ProducerSink::poll(capture::DeliveryHandler& handler) {
    try {
        producer_.poll([&handler](const kafka::DeliveryReport& report) {
            capture::Delivery delivery{.ticket = report.opaque,
                                       .partition = report.partition,
                                       .offset = report.offset,
                                       .delivered = report.error == kafka::ErrorClass::kNone,
                                       .failure = ExitCode::kOk,
                                       .reason = {}};
            std::string reason;
            if (!delivery.delivered) {
                reason = kafka::describe(report.code);
                delivery.failure = failure_of(report.error);
                delivery.reason = reason;
            }
            handler.on_delivery(delivery);
        });
    } catch (const FatalError& error) {
        rethrow(error);
    }
    if (observer_.kafka_connected != nullptr) {
        observer_.kafka_connected->set(producer_.connected() ? 1 : 0);
    }
    if (observer_.turns != nullptr) {
        observer_.turns->fetch_add(1, std::memory_order_relaxed);
    }
    if (observer_.after_poll) {
        observer_.after_poll();
    }
}

ExitCode failure_of(kafka::ErrorClass error) {
    switch (error) {
        case kafka::ErrorClass::kMessageTooLarge:
            return ExitCode::kMessageTooLarge;
        case kafka::ErrorClass::kTopicMissing:
            return ExitCode::kTopicMissing;
        case kafka::ErrorClass::kDenied:
            return ExitCode::kPermissionDenied;
        case kafka::ErrorClass::kNone:
        case kafka::ErrorClass::kRetriable:
        case kafka::ErrorClass::kFenced:
        case kafka::ErrorClass::kOffsetGap:
        case kafka::ErrorClass::kFatal:
            break;
    }
    // With a new producer, from the confirmed position: loses nothing.
    return ExitCode::kOk;
}

}  // namespace holdfast::relay::adapters
