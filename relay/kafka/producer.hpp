// Sends records to Kafka and reports what became of each.  Idempotent, acks=all, no time limit: a
// record is delivered, or fails for a reason that a person has to look at.  Never drops: when its
// bounded queue is full, produce() says so.  Nothing but send_now() and flush() waits.
//
// Thread rule: one thread calls everything; poll fd() for reading, then call poll().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_fd.hpp"
#include "kafka/bootstrap.hpp"
#include "kafka/errors.hpp"
#include "kafka/handles.hpp"
#include "kafka/properties.hpp"
#include "kafka/topic_directory.hpp"

namespace holdfast::relay::kafka {

struct Header {
    std::string_view name;
    std::optional<std::string_view> value;
};

/// A record, borrowed for the call: produce() copies it.
struct OutgoingRecord {
    std::optional<std::string_view> key{};
    std::optional<std::string_view> value{};  ///< nullopt = tombstone
    std::span<const Header> headers{};
    std::int64_t timestamp_ms = 0;  ///< 0 = now
};

/// A topic that this producer knows; comes from Producer::topic(), lives as long as the producer.
class ProducerTopic {
 public:
    [[nodiscard]] const std::string& name() const { return name_; }

 private:
    friend class Producer;
    std::string name_;
    TopicHandle handle_;
    std::size_t directory_index_ = 0;
};

/// What became of a record.
struct DeliveryReport {
    std::uint64_t opaque = 0;  ///< as given to produce()
    const ProducerTopic* topic = nullptr;
    std::int32_t partition = -1;
    std::int64_t offset = -1;  ///< -1 unless delivered
    std::size_t bytes = 0;     ///< key and value
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    ErrorClass error = ErrorClass::kNone;
};

enum class ProduceResult { kQueued, kQueueFull };

class Producer {
 public:
    /// Does not wait for a broker.  Throws FatalError(kConfig).
    explicit Producer(const Properties& properties, DirectoryOptions directory = {});
    /// Discards what is not delivered (the slot still has it).
    ~Producer();
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    /// The topic of that name, made and looked up at its first mention.
    ProducerTopic& topic(std::string_view name);

    /// Number of partitions, without waiting: nullopt until the brokers have answered; fd() then
    /// becomes readable.  Throws FatalError kTopicMissing or kPermissionDenied.
    [[nodiscard]] std::optional<std::int32_t> partition_count(const ProducerTopic& topic);

    /// max.message.bytes of the topic: the largest batch that it takes.  nullopt until the brokers
    /// have answered, and when they do not tell.
    [[nodiscard]] std::optional<std::int64_t> max_message_bytes(const ProducerTopic& topic) {
        return directory_->max_message_bytes(topic.directory_index_);
    }

    /// Lets librdkafka choose the partition: murmur2 of the key as the Java client does, at random
    /// without a key.
    static constexpr std::int32_t kPartitionByKey = RD_KAFKA_PARTITION_UA;

    /// Queues a record.  `opaque` comes back in its delivery report.  The first record of a
    /// partition has to be acknowledged before a second one is taken (kQueueFull): a broker that
    /// does not know the producer takes any sequence number as the first, so that a record behind
    /// one that it refuses would overtake it.
    /// Throws FatalError kMessageTooLarge (larger than message.max.bytes; not queued), or what
    /// classify() makes of other refusals.
    ProduceResult produce(const ProducerTopic& topic, std::int32_t partition,
                          const OutgoingRecord& record, std::uint64_t opaque);

    /// Sends what is queued now, rather than when batches are full or linger.ms is over, and waits
    /// until all of it is acknowledged, for 5 ms at most; fd() is readable then.  On the way to
    /// Kafka and back no thread but the client's own wakes up.  Without effect where the properties
    /// set linger.ms: then that is what is wanted.
    void send_now();

    /// Reads all delivery reports that are there, without waiting.  Throws FatalError when the
    /// client has failed for good (idempotence lost, fenced, authentication refused).
    /// Returns the number of reports.
    std::size_t poll(const std::function<void(const DeliveryReport&)>& report);

    /// As poll(), until nothing is outstanding or the time is over.  True = nothing outstanding.
    bool flush(std::chrono::milliseconds limit,
               const std::function<void(const DeliveryReport&)>& report);

    /// Records queued or in flight, reports not yet read included.
    [[nodiscard]] std::size_t outstanding() const;

    /// Readable when poll() has something to read or a partition_count() may have changed.
    [[nodiscard]] int fd() const { return wake_.fd(); }

    /// Makes fd() readable.  Any thread.
    void wake() const { wake_.signal(); }

    /// Whether a broker answered when one was last asked; false at first and after all of them have
    /// gone, until one answers again.
    [[nodiscard]] bool connected() const { return directory_->reachable(); }

 private:
    struct ClientError {
        rd_kafka_resp_err_t code;
        std::string reason;
    };

    void note(const rd_kafka_message_t& message);
    void handle(const ClientError& error);
    enum class Contact : std::uint8_t { kNone, kFirstInFlight, kMade };
    [[nodiscard]] Contact& contact(const ProducerTopic& topic, std::int32_t partition);
    [[nodiscard]] bool a_record_was_refused();
    [[noreturn]] void throw_fatal();

    EventFd wake_;
    ClientHandle client_;
    QueueHandle queue_;
    std::deque<std::unique_ptr<ProducerTopic>> topics_;
    std::vector<std::vector<Contact>> contacts_;  ///< by directory index and partition
    std::unique_ptr<TopicDirectory> directory_;
    bool lingers_ = false;
    std::optional<Bootstrap> bootstrap_;
    // What the client's callbacks left for poll(): nothing may be thrown through its C code.
    std::vector<DeliveryReport> reports_;
    std::vector<DeliveryReport> handed_over_;
    std::vector<ClientError> errors_;
};

}  // namespace holdfast::relay::kafka
