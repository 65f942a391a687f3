// Where the pipeline writes: a producer with a bounded queue that reports what became of each
// record.  Owned by the pipeline's module and fitted to Kafka by an adapter, so that tests can use
// an in-memory one.
//
// Thread rule: the pipeline's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/errors.hpp"
#include "debezium/record.hpp"

namespace holdfast::relay::capture {

/// Stands for a topic; comes from RecordSink::topic() and is valid as long as the sink.
enum class TopicId : std::uint32_t {};

enum class SendResult {
    kAccepted,  ///< the sink has a copy and will report on it
    kFull,      ///< not taken: offer it again after fd() was readable and poll() was called
};

/// What became of a record.
struct Delivery {
    std::uint64_t ticket = 0;     ///< as given to send()
    std::int32_t partition = -1;  ///< where it is, when delivered, as the next
    std::int64_t offset = -1;     ///< -1 when delivered: it is kept elsewhere, not in Kafka
    bool delivered = false;
    /// When it was not: what has to happen.  kOk = try again from the last confirmed position,
    /// kMessageTooLarge = the topic does not take this record, others = stop with this code.
    ExitCode failure = ExitCode::kOk;
    /// When it was not: the broker's or client's reason, without row content; valid for the call.
    std::string_view reason;
};

/// Who is told.
class DeliveryHandler {
 public:
    virtual ~DeliveryHandler() = default;
    virtual void on_delivery(const Delivery& delivery) = 0;
};

class RecordSink {
 public:
    virtual ~RecordSink() = default;

    /// The topic of that name.  Slow: callers keep the result.
    virtual TopicId topic(std::string_view name) = 0;

    /// Number of partitions, without waiting: nullopt until it is known; fd() then becomes
    /// readable.  Throws FatalError when there is no such topic.
    [[nodiscard]] virtual std::optional<std::int32_t> partition_count(TopicId topic) = 0;

    /// max.message.bytes of the topic: the largest batch that it takes.  nullopt while that is not
    /// known, and when nobody tells.  Without waiting.
    [[nodiscard]] virtual std::optional<std::int64_t> max_message_bytes(TopicId topic) = 0;

    /// Queues a copy of `record` for exactly that partition, behind all that was sent before.
    /// `ticket` comes back in its Delivery, and each accepted record has exactly one.  Never
    /// blocks.  Throws FatalError: kMessageTooLarge when the client already knows that no broker
    /// will take it.
    virtual SendResult send(TopicId topic, std::int32_t partition, const debezium::Record& record,
                            std::uint64_t ticket) = 0;

    /// Sends what is queued now, rather than when a batch is full.  May wait for the reports on it,
    /// for some milliseconds; fd() is readable then.
    virtual void send_now() = 0;

    /// Hands over all reports that are there, without waiting.  Reports of one partition come in
    /// the order of sending.  Throws FatalError when the client has failed for good.
    virtual void poll(DeliveryHandler& handler) = 0;

    /// Poll this for reading, then call poll().
    [[nodiscard]] virtual int fd() const = 0;

    /// Makes fd() readable.  Any thread.
    virtual void wake() const = 0;
};

}  // namespace holdfast::relay::capture
