// How many partitions each topic has and how large its batches may be, asked of the brokers by a
// thread of its own, so that whoever needs the answer on a hot path never waits for the network.
//
// Policy for a topic that does not exist: the question itself lets a broker with
// auto.create.topics.enable create it (unless the user has set allow.auto.create.topics=false).  A
// topic that is still missing 30 s after it was first asked for is reported missing.  A cluster
// that does not tell a topic's configuration is asked again with the next refresh; until then its
// batches have no limit that is known.
//
// Thread rule: partitions() and max_message_bytes() from any one thread; the directory's thread
// only asks and notes.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "kafka/handles.hpp"

namespace holdfast::relay::kafka {

struct DirectoryOptions {
    std::chrono::milliseconds give_up{30'000};   ///< for a missing topic
    std::chrono::milliseconds ask_again{200};    ///< while a topic is unknown
    std::chrono::milliseconds refresh{300'000};  ///< for known topics
};

class TopicDirectory {
 public:
    /// `client` must outlive the directory.  `changed` is called from the directory's thread
    /// whenever an answer has come, and can be had.
    TopicDirectory(rd_kafka_t* client, DirectoryOptions options, std::function<void()> changed);
    ~TopicDirectory();
    TopicDirectory(const TopicDirectory&) = delete;
    TopicDirectory& operator=(const TopicDirectory&) = delete;

    /// Adds a topic and starts to ask for it; returns its index.  `topic` must outlive the
    /// directory.
    std::size_t add(rd_kafka_topic_t* topic);

    /// nullopt while it is not known.  Throws FatalError kTopicMissing or kPermissionDenied when
    /// that is the answer.
    [[nodiscard]] std::optional<std::int32_t> partitions(std::size_t index);

    /// max.message.bytes of a topic whose partitions are known; nullopt when the cluster has not
    /// told.
    [[nodiscard]] std::optional<std::int64_t> max_message_bytes(std::size_t index);

    /// Whether the last question was answered.  Any thread.
    [[nodiscard]] bool reachable() const { return reachable_.load(std::memory_order_relaxed); }

    /// Asks again now: somebody has heard that the brokers are gone.  Any thread.
    void doubt();

 private:
    using TimePoint = std::chrono::steady_clock::time_point;
    enum class State { kAsking, kKnown, kMissing, kDenied };
    struct Entry {
        rd_kafka_topic_t* topic = nullptr;
        State state = State::kAsking;
        std::int32_t partitions = 0;
        std::optional<std::int64_t> max_message_bytes{};
        bool remarked = false;  ///< that it is missing
        TimePoint first_asked{};
        TimePoint due{};
    };

    void run(const std::stop_token& stop);
    void ask_for_brokers(rd_kafka_topic_t* topic);
    void ask_for(Entry& entry, TimePoint now);
    void note_missing(Entry& entry, TimePoint now) const;
    void ask_for_limit(Entry& entry, TimePoint now);

    rd_kafka_t* client_;
    DirectoryOptions options_;
    std::function<void()> changed_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::atomic<bool> reachable_{false};
    bool doubted_ = true;
    bool heard_of_cluster_ = false;  ///< the directory's thread's, as the next
    TimePoint limits_due_{};         ///< when a cluster that did not tell one is asked for limits
    std::deque<Entry> entries_;      // elements never move
    std::jthread thread_;
};

}  // namespace holdfast::relay::kafka
