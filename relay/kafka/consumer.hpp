// One member of a consumer group whose offsets are kept elsewhere: the group only shares out the
// partitions, and the caller says where each begins.  Nothing is committed to Kafka by itself;
// commit() is for monitoring.
//
// Thread rule: one thread calls everything; poll fd() for reading, then call poll() until it
// returns nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/event_fd.hpp"
#include "kafka/bootstrap.hpp"
#include "kafka/errors.hpp"
#include "kafka/handles.hpp"
#include "kafka/properties.hpp"

namespace holdfast::relay::kafka {

struct TopicPartition {
    std::string topic;
    std::int32_t partition = 0;
    friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

struct TopicPosition {
    TopicPartition at;
    std::int64_t offset = 0;  ///< of the next message
};

/// First offset that is still there, and the one after the last (read_committed: after the last
/// that is stable).
struct Watermarks {
    std::int64_t low = 0;
    std::int64_t high = 0;
};

/// The group has given us these partitions, and nothing comes from them until assign() is called.
/// Earlier partitions have been taken away by a PartitionsRevoked before.
struct PartitionsAssigned {
    std::vector<TopicPartition> partitions;
};
/// The group takes everything back; the consumer has already let go when the caller sees this.
struct PartitionsRevoked {
    std::vector<TopicPartition> partitions;
    bool lost = false;  ///< the group has thrown us out: another member may own them already
};

/// A message, owned; its views live as long as it.
class IncomingRecord {
 public:
    explicit IncomingRecord(MessageHandle message) : message_(std::move(message)) {}

    [[nodiscard]] std::string_view topic() const;
    [[nodiscard]] std::int32_t partition() const { return message_->partition; }
    [[nodiscard]] std::int64_t offset() const { return message_->offset; }
    [[nodiscard]] std::optional<std::string_view> key() const;
    [[nodiscard]] std::optional<std::string_view> value() const;
    [[nodiscard]] std::int64_t timestamp_ms() const;  ///< -1 = the message has none

    /// Calls `visit(std::string_view name, std::optional<std::string_view> value)` for each header
    /// in order.
    template <typename Visit>
    void for_each_header(Visit&& visit) const {
        rd_kafka_headers_t* headers = nullptr;
        if (rd_kafka_message_headers(message_.get(), &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return;
        }
        const char* name = nullptr;
        const void* value = nullptr;
        std::size_t size = 0;
        for (std::size_t index = 0; rd_kafka_header_get_all(headers, index, &name, &value, &size) ==
                                    RD_KAFKA_RESP_ERR_NO_ERROR;
             ++index) {
            visit(std::string_view(name),
                  value == nullptr ? std::nullopt
                                   : std::optional<std::string_view>(
                                         std::in_place, static_cast<const char*>(value), size));
        }
    }

 private:
    MessageHandle message_;
};

using ConsumerEvent = std::variant<PartitionsAssigned, PartitionsRevoked, IncomingRecord>;

class Consumer {
 public:
    /// Joins `group` for `topics`; does not wait for a broker.  Throws FatalError(kConfig).
    Consumer(const Properties& properties, const std::string& group,
             std::span<const std::string> topics);
    /// Leaves the group.
    ~Consumer();
    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;

    /// The next event, without waiting; nullopt = none now.
    /// Throws FatalError kInboxOffsetGap (a position is no longer in the log: retention or
    /// truncation), kPermissionDenied, kInternal.  Passing trouble with brokers is the library's to
    /// heal and shows in connected() and in the log only; a topic that does not exist yet is waited
    /// for.
    [[nodiscard]] std::optional<ConsumerEvent> poll();

    /// Fetch from these positions and nothing else; replaces the assignment before it.  Waits for a
    /// tenth of a second when that one has itself only just replaced another.
    void assign(std::span<const TopicPosition> positions);

    /// Asks the leader.  Waits up to `limit`; throws RetryableError when there is no answer.
    [[nodiscard]] Watermarks watermarks(const TopicPartition& at, std::chrono::milliseconds limit);

    /// The end of the log as the last fetch has told it; nullopt = not known yet.  Never waits.
    [[nodiscard]] std::optional<std::int64_t> known_high(const TopicPartition& at) const;

    /// No records of the partition come until resume(), which must belong to a pause(): without one
    /// it makes librdkafka drop what it has fetched.  A pause ends with the assignment.
    void pause(const TopicPartition& at);
    void resume(const TopicPartition& at);

    /// Fetch from `position` next.  Throws RetryableError when the library refuses for now.
    void seek(const TopicPosition& position);

    /// Tells the brokers how far the group is, for lag monitors; asynchronous, failures do not
    /// matter.
    void commit(std::span<const TopicPosition> positions);

    [[nodiscard]] int fd() const { return wake_.fd(); }
    [[nodiscard]] bool connected() const { return connected_; }

 private:
    static void on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t code,
                             rd_kafka_topic_partition_list_t* partitions, void* opaque);
    rd_kafka_resp_err_t replace_assignment(const rd_kafka_topic_partition_list_t* list);
    void on_error(const rd_kafka_message_t& message);
    void warn_missing(const std::string& reason);

    EventFd wake_;
    std::string group_;
    ClientHandle client_;
    QueueHandle queue_;
    std::optional<Bootstrap> bootstrap_;
    std::deque<ConsumerEvent> events_;
    std::chrono::steady_clock::time_point missing_logged_{};
    std::chrono::steady_clock::time_point removed_at_{};  ///< when partitions left the assignment
    bool assigned_ = false;                               ///< the assignment is not empty
    bool closing_ = false;
    bool connected_ = false;
};

}  // namespace holdfast::relay::kafka
