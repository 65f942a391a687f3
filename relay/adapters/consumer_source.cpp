#include "adapters/consumer_source.hpp"

#include <utility>
#include <variant>
#include <vector>

namespace holdfast::relay::adapters {
namespace {

/// How long the pipeline may wait for an answer about one partition.
constexpr std::chrono::milliseconds kWatermarkLimit{5'000};

kafka::TopicPartition to_kafka(const inbox::Partition& partition) {
    return {partition.topic, partition.number};
}

std::vector<kafka::TopicPosition> to_kafka(std::span<const inbox::Position> positions) {
    std::vector<kafka::TopicPosition> result;
    result.reserve(positions.size());
    for (const inbox::Position& position : positions) {
        result.push_back({to_kafka(position.partition), position.offset});
    }
    return result;
}

std::vector<inbox::Partition> to_inbox(const std::vector<kafka::TopicPartition>& partitions) {
    std::vector<inbox::Partition> result;
    result.reserve(partitions.size());
    for (const kafka::TopicPartition& partition : partitions) {
        result.push_back({partition.topic, partition.partition});
    }
    return result;
}

std::optional<std::string> owned(std::optional<std::string_view> text) {
    return text ? std::optional<std::string>(std::in_place, *text) : std::nullopt;
}

inbox::SourceEvent to_inbox(const kafka::IncomingRecord& record) {
    inbox::Received received{.topic = std::string(record.topic()),
                             .partition = record.partition(),
                             .message = {.offset = record.offset(),
                                         .key = owned(record.key()),
                                         .value = owned(record.value()),
                                         .headers = {},
                                         .timestamp_ms = record.timestamp_ms()}};
    record.for_each_header(
        [&received](std::string_view name, std::optional<std::string_view> value) {
            received.message.headers.emplace_back(std::string(name), owned(value));
        });
    return received;
}

}  // namespace

std::optional<inbox::SourceEvent> ConsumerSource::poll() {
    const std::optional<kafka::ConsumerEvent> event = consumer_.poll();
    if (!event) {
        return std::nullopt;
    }
    if (const auto* assigned = std::get_if<kafka::PartitionsAssigned>(&*event)) {
        return inbox::Assigned{to_inbox(assigned->partitions)};
    }
    if (const auto* revoked = std::get_if<kafka::PartitionsRevoked>(&*event)) {
        return inbox::Revoked{to_inbox(revoked->partitions)};
    }
    return to_inbox(std::get<kafka::IncomingRecord>(*event));
}

inbox::Watermarks ConsumerSource::watermarks(const inbox::Partition& partition) {
    const kafka::Watermarks found = consumer_.watermarks(to_kafka(partition), kWatermarkLimit);
    return {found.low, found.high};
}

std::optional<std::int64_t> ConsumerSource::known_high(const inbox::Partition& partition) {
    return consumer_.known_high(to_kafka(partition));
}

void ConsumerSource::assign(std::span<const inbox::Position> positions) {
    consumer_.assign(to_kafka(positions));
}

void ConsumerSource::pause(const inbox::Partition& partition) {
    consumer_.pause(to_kafka(partition));
}

void ConsumerSource::resume(const inbox::Partition& partition) {
    consumer_.resume(to_kafka(partition));
}

void ConsumerSource::seek(const inbox::Position& position) {
    consumer_.seek({to_kafka(position.partition), position.offset});
}

void ConsumerSource::commit(std::span<const inbox::Position> positions) {
    consumer_.commit(to_kafka(positions));
}

}  // namespace holdfast::relay::adapters
