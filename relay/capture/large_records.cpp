#include "capture/large_records.hpp"

#include <algorithm>
#include <utility>

#include "base/errors.hpp"
#include "base/log.hpp"

namespace holdfast::relay::capture {
namespace {

/// From baseOffset to the number of records.
constexpr std::int64_t kBatchOverhead = 61;
/// Attributes, and the deltas of timestamp and offset, which are 0 in the first record.
constexpr std::int64_t kRecordOverhead = 3;

/// Zigzag varint: each byte carries seven bits.
std::int64_t varint_bytes(std::int64_t value) {
    auto bits = static_cast<std::uint64_t>(value) << 1U;
    if (value < 0) {
        bits = ~bits;
    }
    std::int64_t bytes = 1;
    for (; bits >= 0x80; bits >>= 7U) {
        ++bytes;
    }
    return bytes;
}

/// Length and bytes; the length of null is -1.
std::int64_t field_bytes(const std::optional<std::string_view>& field) {
    const auto length = field ? static_cast<std::int64_t>(field->size()) : -1;
    return varint_bytes(length) + std::max<std::int64_t>(length, 0);
}

std::optional<std::string> copy(const std::optional<std::string_view>& text) {
    return text ? std::optional<std::string>(*text) : std::nullopt;
}

std::string takes(std::int64_t limit, std::int64_t size) {
    return "the topic takes " + std::to_string(limit) + " bytes (max.message.bytes), it needs " +
           std::to_string(size);
}

bool same(const LargeRecord& kept, const std::string& topic, const debezium::Record& record) {
    return kept.topic == topic && kept.event_id == record.event_id && kept.key == record.key &&
           kept.value == record.value &&
           std::ranges::equal(kept.headers, record.headers,
                              [](const auto& ours, const debezium::Header& theirs) {
                                  return ours.first == theirs.name && ours.second == theirs.value;
                              });
}

}  // namespace

std::int64_t batch_bytes(const debezium::Record& record) {
    std::int64_t bytes = kRecordOverhead + field_bytes(record.key) + field_bytes(record.value) +
                         varint_bytes(static_cast<std::int64_t>(record.headers.size()));
    for (const debezium::Header& header : record.headers) {
        bytes += field_bytes(header.name) + field_bytes(header.value);
    }
    return kBatchOverhead + varint_bytes(bytes) + bytes;
}

LargeRecordSink::LargeRecordSink(RecordSink& inner, LargeRecordStore* store,
                                 const TooLargeOptions& options, metrics::CaptureMetrics& metrics)
    : inner_(inner), store_(store), metrics_(metrics), compressed_(options.compressed) {
    for (const TooLargeRule& rule : options.rules) {
        try {
            rules_.push_back({rule.topic, std::regex(rule.topic), rule.policy});
        } catch (const std::regex_error& error) {
            throw FatalError(ExitCode::kConfig, "[[too_large]] topic \"" + rule.topic +
                                                    "\" is no expression: " + error.what());
        }
    }
}

TopicId LargeRecordSink::topic(std::string_view name) {
    const TopicId topic = inner_.topic(name);
    const auto index = static_cast<std::size_t>(topic);
    if (topics_.size() <= index) {
        topics_.resize(index + 1);
    }
    topics_[index] = {.name = std::string(name), .policy = policy_of(name), .limit = {}};
    return topic;
}

TooLargePolicy LargeRecordSink::policy_of(std::string_view topic) const {
    const auto rule = std::ranges::find_if(rules_, [&](const Rule& candidate) {
        return candidate.name == topic ||
               std::regex_match(topic.begin(), topic.end(), candidate.expression);
    });
    return rule == rules_.end() ? TooLargePolicy::kHalt : rule->policy;
}

std::optional<std::int64_t> LargeRecordSink::limit_of(TopicId topic) {
    Topic& known = topics_[static_cast<std::size_t>(topic)];
    if (known.known != turn_) {
        known.known = turn_;
        known.limit = inner_.max_message_bytes(topic);
    }
    return known.limit;
}

SendResult LargeRecordSink::send(TopicId topic, std::int32_t partition,
                                 const debezium::Record& record, std::uint64_t ticket) {
    const std::optional<std::int64_t> limit = limit_of(topic);
    if (limit) {
        const std::int64_t size = batch_bytes(record);
        const bool may_shrink =
            compressed_ && topics_[static_cast<std::size_t>(topic)].policy == TooLargePolicy::kHalt;
        if (size > *limit && !may_shrink) {
            return divert(topic, partition, record, ticket, takes(*limit, size));
        }
    }
    try {
        return pass_on(topic, partition, record, ticket);
    } catch (const FatalError& error) {
        if (error.code() != ExitCode::kMessageTooLarge) {
            throw;
        }
        // The client has a limit of its own, message.max.bytes, on key and value.
        return divert(topic, partition, record, ticket, error.what());
    }
}

SendResult LargeRecordSink::pass_on(TopicId topic, std::int32_t partition,
                                    const debezium::Record& record, std::uint64_t ticket) {
    const SendResult result = inner_.send(topic, partition, record, ticket);
    if (result == SendResult::kAccepted) {
        ++outstanding_;
    }
    return result;
}

SendResult LargeRecordSink::divert(TopicId topic, std::int32_t partition,
                                   const debezium::Record& record, std::uint64_t ticket,
                                   const std::string& reason) {
    const Topic& known = topics_[static_cast<std::size_t>(topic)];
    if (known.policy == TooLargePolicy::kHalt || store_ == nullptr) {
        return halt(reason);
    }
    if (!keep(known, record, reason)) {
        return SendResult::kFull;
    }
    if (known.policy == TooLargePolicy::kClaimCheck) {
        return send_claim_check(topic, partition, record, ticket);
    }
    log::warn("record_dead_lettered", {{"topic", known.name},
                                       {"event_id", record.event_id},
                                       {"dead_letter", pending_->kept->id},
                                       {"size_bytes", pending_->record->size_bytes}});
    metrics_.large_dead_letters.add();
    pending_.reset();
    diverted_.push_back(ticket);
    inner_.wake();
    return SendResult::kAccepted;
}

SendResult LargeRecordSink::halt(const std::string& reason) const {
    if (outstanding_ > 0) {
        return SendResult::kFull;
    }
    throw FatalError(ExitCode::kMessageTooLarge, reason);
}

bool LargeRecordSink::keep(const Topic& topic, const debezium::Record& record,
                           const std::string& reason) {
    if (!pending_ || !same(*pending_->record, topic.name, record)) {
        auto large = std::make_shared<LargeRecord>();
        large->policy = topic.policy;
        large->topic = topic.name;
        large->key = copy(record.key);
        large->value = copy(record.value);
        for (const debezium::Header& header : record.headers) {
            large->headers.emplace_back(header.name, copy(header.value));
        }
        large->event_id = record.event_id;
        large->size_bytes = batch_bytes(record);
        large->reason = reason;
        pending_ = Pending{large, std::nullopt};
        store_->keep(std::move(large));
    }
    if (!pending_->kept) {
        pending_->kept = store_->kept();
    }
    return pending_->kept.has_value();
}

SendResult LargeRecordSink::send_claim_check(TopicId topic, std::int32_t partition,
                                             const debezium::Record& record, std::uint64_t ticket) {
    const LargeRecordStore::Kept& kept = *pending_->kept;
    const std::string& name = topics_[static_cast<std::size_t>(topic)].name;
    const std::string value = R"({"claimCheck":{"id":")" + kept.id + R"(","topic":")" + name +
                              R"(","sizeBytes":)" + std::to_string(pending_->record->size_bytes) +
                              R"(,"sha256":")" + kept.sha256 + "\"}}";
    std::vector<debezium::Header> headers(record.headers.begin(), record.headers.end());
    headers.push_back({kClaimCheckHeader, kept.id});
    debezium::Record claim_check = record;
    claim_check.value = value;
    claim_check.headers = headers;
    const std::optional<std::int64_t> limit = limit_of(topic);
    if (const std::int64_t size = batch_bytes(claim_check); limit && size > *limit) {
        return halt("key and headers are too large even for a claim check: " + takes(*limit, size));
    }
    const SendResult result = pass_on(topic, partition, claim_check, ticket);
    if (result == SendResult::kAccepted) {
        log::info("claim_check_sent", {{"topic", name},
                                       {"event_id", record.event_id},
                                       {"claim_check", kept.id},
                                       {"size_bytes", pending_->record->size_bytes}});
        metrics_.claim_checks.add();
        pending_.reset();
    }
    return result;
}

void LargeRecordSink::poll(DeliveryHandler& handler) {
    ++turn_;
    handler_ = &handler;
    inner_.poll(*this);
    for (const std::uint64_t ticket : std::exchange(diverted_, {})) {
        handler.on_delivery({.ticket = ticket, .delivered = true, .reason = {}});
    }
}

void LargeRecordSink::on_delivery(const Delivery& delivery) {
    --outstanding_;
    handler_->on_delivery(delivery);
}

}  // namespace holdfast::relay::capture
