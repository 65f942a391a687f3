#include "kafka/topic_directory.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "kafka/errors.hpp"
#include "kafka/topic_configuration.hpp"

namespace holdfast::relay::kafka {
namespace {

using std::chrono::steady_clock;

/// How long one question may take: also how long a destructor may wait.
constexpr int kQuestionMs = 1'000;

/// A topic that a broker is about to create is missing for so long without a word.
constexpr std::chrono::seconds kUnremarkable{2};

/// Between two questions while no broker answers.
constexpr std::chrono::milliseconds kUnreachableInterval{500};

}  // namespace

TopicDirectory::TopicDirectory(rd_kafka_t* client, DirectoryOptions options,
                               std::function<void()> changed)
    : client_(client),
      options_(options),
      changed_(std::move(changed)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

TopicDirectory::~TopicDirectory() = default;

std::size_t TopicDirectory::add(rd_kafka_topic_t* topic) {
    const std::scoped_lock lock(mutex_);
    entries_.push_back({.topic = topic, .first_asked = steady_clock::now()});
    wake_.notify_one();
    return entries_.size() - 1;
}

std::optional<std::int32_t> TopicDirectory::partitions(std::size_t index) {
    const std::scoped_lock lock(mutex_);
    const Entry& entry = entries_.at(index);
    const std::string name = rd_kafka_topic_name(entry.topic);
    switch (entry.state) {
        case State::kAsking:
            return std::nullopt;
        case State::kKnown:
            return entry.partitions;
        case State::kMissing:
            throw_error(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "topic " + name);
        case State::kDenied:
            throw_error(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "topic " + name);
    }
    return std::nullopt;
}

std::optional<std::int64_t> TopicDirectory::max_message_bytes(std::size_t index) {
    const std::scoped_lock lock(mutex_);
    return entries_.at(index).max_message_bytes;
}

void TopicDirectory::doubt() {
    const std::scoped_lock lock(mutex_);
    doubted_ = true;
    reachable_.store(false, std::memory_order_relaxed);
    wake_.notify_one();
}

void TopicDirectory::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
        const auto now = steady_clock::now();
        auto next = now + options_.refresh;
        if (doubted_) {
            doubted_ = false;
            rd_kafka_topic_t* const topic = entries_.empty() ? nullptr : entries_.front().topic;
            lock.unlock();
            ask_for_brokers(topic);
            lock.lock();
            doubted_ = !reachable();
            next = std::min(next, doubted_ ? steady_clock::now() + kUnreachableInterval : next);
        }
        // The mutex is released while asking: entries are only ever added behind.
        for (std::size_t i = 0; i < entries_.size() && !stop.stop_requested(); ++i) {
            Entry& entry = entries_[i];
            if (entry.due <= now) {
                Entry copy = entry;
                lock.unlock();
                ask_for(copy, steady_clock::now());
                lock.lock();
                const bool news = entry.state != copy.state || entry.partitions != copy.partitions;
                entry = copy;
                if (news) {
                    // Not before: whoever is told looks at once.
                    lock.unlock();
                    changed_();
                    lock.lock();
                }
            }
            next = std::min(next, entry.due);
        }
        const auto known = entries_.size();
        wake_.wait_until(lock, stop, next, [&] { return doubted_ || entries_.size() > known; });
        // An unanswered question is put again only after its interval, not at once.
        if (doubted_ && !reachable()) {
            const auto until = std::min(next, steady_clock::now() + kUnreachableInterval);
            wake_.wait_until(lock, stop, until, [&] { return entries_.size() > known; });
        }
    }
}

// A question without a topic is one for all topics that the client has heard of, and may create
// them whatever allow.auto.create.topics says.
void TopicDirectory::ask_for_brokers(rd_kafka_topic_t* topic) {
    bool answered = false;
    if (!heard_of_cluster_) {
        char* const cluster = rd_kafka_clusterid(client_, kQuestionMs);
        answered = heard_of_cluster_ = cluster != nullptr;
        rd_kafka_mem_free(client_, cluster);
    } else {
        const rd_kafka_metadata_t* raw = nullptr;
        answered =
            rd_kafka_metadata(client_, 0, topic, &raw, kQuestionMs) == RD_KAFKA_RESP_ERR_NO_ERROR;
        const MetadataHandle metadata(raw);
    }
    if (reachable_.exchange(answered, std::memory_order_relaxed) != answered) {
        changed_();
    }
}

void TopicDirectory::ask_for(Entry& entry, TimePoint now) {
    const rd_kafka_metadata_t* raw = nullptr;
    const rd_kafka_resp_err_t code = rd_kafka_metadata(client_, 0, entry.topic, &raw, kQuestionMs);
    const MetadataHandle metadata(raw);
    entry.due = now + options_.ask_again;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR || metadata->topic_cnt != 1) {
        // The brokers do not answer: the time that they are away does not count for give_up.
        if (entry.state == State::kAsking) {
            entry.first_asked = now;
        }
        return;
    }
    reachable_.store(true, std::memory_order_relaxed);
    const rd_kafka_metadata_topic_t& answer = metadata->topics[0];
    if (answer.err == RD_KAFKA_RESP_ERR_NO_ERROR && answer.partition_cnt > 0) {
        ask_for_limit(entry, now);
        entry.state = State::kKnown;
        entry.partitions = answer.partition_cnt;
        entry.due = now + options_.refresh;
    } else if (entry.state != State::kKnown) {
        // A topic that was known stays so: brokers report topics missing for moments.
        const ErrorClass error = classify(answer.err);
        if (error == ErrorClass::kDenied) {
            entry.state = State::kDenied;
        } else if (error == ErrorClass::kTopicMissing) {
            note_missing(entry, now);
        }
    }
}

void TopicDirectory::note_missing(Entry& entry, TimePoint now) const {
    const auto missing = now - entry.first_asked;
    if (missing > options_.give_up) {
        entry.state = State::kMissing;
    } else if (missing > kUnremarkable && !entry.remarked) {
        entry.remarked = true;
        const auto limit = std::chrono::duration_cast<std::chrono::seconds>(options_.give_up);
        log::warn("topic_awaited",
                  {{"topic", rd_kafka_topic_name(entry.topic)}, {"limit_s", limit.count()}});
    }
}

void TopicDirectory::ask_for_limit(Entry& entry, TimePoint now) {
    if (now < limits_due_) {
        return;
    }
    const std::string name = rd_kafka_topic_name(entry.topic);
    std::string reason;
    if (const auto entries =
            describe_configuration(client_, RD_KAFKA_RESOURCE_TOPIC, name,
                                   std::chrono::milliseconds(kQuestionMs), &reason)) {
        entry.max_message_bytes = number_in(*entries, "max.message.bytes");
        return;
    }
    // What is not told for one topic is not for the others either.
    limits_due_ = now + options_.refresh;
    log::info("topic_limit_unknown", {{"topic", name}, {"reason", reason}});
}

}  // namespace holdfast::relay::kafka
