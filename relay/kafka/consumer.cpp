#include "kafka/consumer.hpp"

#include <array>
#include <thread>
#include <utility>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "kafka/client_log.hpp"

namespace holdfast::relay::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint64_t kWakeUp = 1;
constexpr int kSeekMs = 5'000;
constexpr milliseconds kCloseLimit{3'000};
constexpr milliseconds kFetcherStopTime{100};
constexpr std::chrono::seconds kMissingInterval{60};

PartitionListHandle make_list(std::size_t size) {
    return PartitionListHandle(rd_kafka_topic_partition_list_new(static_cast<int>(size)));
}

PartitionListHandle list_of(std::span<const TopicPosition> positions) {
    PartitionListHandle list = make_list(positions.size());
    for (const TopicPosition& position : positions) {
        rd_kafka_topic_partition_list_add(list.get(), position.at.topic.c_str(),
                                          position.at.partition)
            ->offset = position.offset;
    }
    return list;
}

PartitionListHandle list_of(const TopicPartition& at) {
    PartitionListHandle list = make_list(1);
    rd_kafka_topic_partition_list_add(list.get(), at.topic.c_str(), at.partition);
    return list;
}

std::vector<TopicPartition> partitions_of(const rd_kafka_topic_partition_list_t& list) {
    std::vector<TopicPartition> partitions;
    partitions.reserve(static_cast<std::size_t>(list.cnt));
    for (int i = 0; i < list.cnt; ++i) {
        partitions.push_back({list.elems[i].topic, list.elems[i].partition});
    }
    return partitions;
}

std::string name_of(const TopicPartition& at) {
    return at.topic + "/" + std::to_string(at.partition);
}

}  // namespace

std::string_view IncomingRecord::topic() const {
    return rd_kafka_topic_name(message_->rkt);
}

std::optional<std::string_view> IncomingRecord::key() const {
    if (message_->key == nullptr) {
        return std::nullopt;
    }
    return std::string_view(static_cast<const char*>(message_->key), message_->key_len);
}

std::optional<std::string_view> IncomingRecord::value() const {
    if (message_->payload == nullptr) {
        return std::nullopt;
    }
    return std::string_view(static_cast<const char*>(message_->payload), message_->len);
}

std::int64_t IncomingRecord::timestamp_ms() const {
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const std::int64_t timestamp = rd_kafka_message_timestamp(message_.get(), &type);
    return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp;
}

Consumer::Consumer(const Properties& properties, const std::string& group,
                   std::span<const std::string> topics)
    : group_(group) {
    ConfHandle conf = make_conf(properties, ClientKind::kConsumer);
    std::array<char, 512> problem{};
    if (rd_kafka_conf_set(conf.get(), "group.id", group.c_str(), problem.data(), problem.size()) !=
        RD_KAFKA_CONF_OK) {
        throw FatalError(ExitCode::kConfig, "[[inbox]] group: " + std::string(problem.data()));
    }
    rd_kafka_conf_set_opaque(conf.get(), this);
    rd_kafka_conf_set_rebalance_cb(conf.get(), on_rebalance);
    client_.reset(rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), problem.data(), problem.size()));
    if (!client_) {
        throw FatalError(ExitCode::kConfig, "[kafka]: " + std::string(problem.data()));
    }
    static_cast<void>(conf.release());  // rd_kafka_new() has taken it
    rd_kafka_poll_set_consumer(client_.get());
    queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
    bootstrap_.emplace(client_.get());
    rd_kafka_queue_io_event_enable(queue_.get(), wake_.fd(), &kWakeUp, sizeof kWakeUp);

    const PartitionListHandle list = make_list(topics.size());
    for (const std::string& topic : topics) {
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    }
    const rd_kafka_resp_err_t code = rd_kafka_subscribe(client_.get(), list.get());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        throw FatalError(ExitCode::kConfig, "group " + group + ": " + describe(code));
    }
}

Consumer::~Consumer() {
    closing_ = true;
    rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
    const QueueHandle closing(rd_kafka_queue_new(client_.get()));
    const ErrorHandle error(rd_kafka_consumer_close_queue(client_.get(), closing.get()));
    const auto until = steady_clock::now() + kCloseLimit;
    while (!error && rd_kafka_consumer_closed(client_.get()) == 0 && steady_clock::now() < until) {
        rd_kafka_queue_poll_callback(closing.get(), 50);
    }
    queue_.reset();
    if (rd_kafka_consumer_closed(client_.get()) == 0) {
        // The group's coordinator does not answer: it will notice by the session's timeout.
        rd_kafka_destroy_flags(client_.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
}

void Consumer::on_rebalance(rd_kafka_t* client, rd_kafka_resp_err_t code,
                            rd_kafka_topic_partition_list_t* partitions, void* opaque) {
    auto* self = static_cast<Consumer*>(opaque);
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && !self->closing_) {
        self->connected_ = true;
        self->events_.emplace_back(PartitionsAssigned{partitions_of(*partitions)});
        return;
    }
    const bool lost = rd_kafka_assignment_lost(client) != 0;
    self->replace_assignment(nullptr);
    // librdkafka remembers a pause beyond the assignment that it was meant for.
    rd_kafka_resume_partitions(client, partitions);
    if (!self->closing_) {
        self->events_.emplace_back(PartitionsRevoked{partitions_of(*partitions), lost});
    }
}

std::optional<ConsumerEvent> Consumer::poll() {
    bootstrap_->poll(connected_);
    while (events_.empty()) {
        MessageHandle message(rd_kafka_consumer_poll(client_.get(), 0));
        if (message && message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            on_error(*message);
        } else if (message) {
            connected_ = true;
            if (events_.empty()) {
                return IncomingRecord(std::move(message));
            }
            events_.emplace_back(IncomingRecord(std::move(message)));
        } else if (events_.empty() && !wake_.drain()) {
            return std::nullopt;
        }
    }
// gcc 12 takes the members of a variant's other alternatives for uninitialised (PR 105562).
#ifndef __clang__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
    std::optional<ConsumerEvent> event(std::move(events_.front()));
    events_.pop_front();
    return event;
#ifndef __clang__
#pragma GCC diagnostic pop
#endif
}

void Consumer::on_error(const rd_kafka_message_t& message) {
    const rd_kafka_resp_err_t code = message.err;
    const std::string reason = rd_kafka_message_errstr(&message);
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        std::array<char, 512> text{};
        const auto fatal = rd_kafka_fatal_error(client_.get(), text.data(), text.size());
        throw FatalError(ExitCode::kInternal, "the consumer of group " + group_ +
                                                  " has failed: " + text.data() + " (" +
                                                  rd_kafka_err2name(fatal) + ")");
    }
    switch (classify(code)) {
        case ErrorClass::kOffsetGap: {
            const std::string at =
                message.rkt == nullptr
                    ? std::string()
                    : name_of({rd_kafka_topic_name(message.rkt), message.partition}) + " ";
            throw_error(code,
                        at + "at offset " + std::to_string(message.offset) + " (" + reason + ")");
        }
        case ErrorClass::kDenied:
            // A login that once worked may be refused for a moment while brokers restart.
            if (code != RD_KAFKA_RESP_ERR__AUTHENTICATION || !connected_) {
                throw_error(code, "group " + group_ + ": " + reason);
            }
            break;
        case ErrorClass::kTopicMissing:
            warn_missing(reason);
            return;
        default:
            break;
    }
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        connected_ = false;
        bootstrap_->all_brokers_down();
    }
    log_client_line(log::Level::kWarn, "kafka_error", rd_kafka_err2name(code),
                    "group " + group_ + ": " + reason);
}

void Consumer::warn_missing(const std::string& reason) {
    const auto now = steady_clock::now();
    if (missing_logged_ == steady_clock::time_point{} || now - missing_logged_ > kMissingInterval) {
        missing_logged_ = now;
        log::warn("inbox_topic_missing", {{"group", group_}, {"message", reason}});
    }
}

// librdkafka 2.14 aborts (rdkafka_assignment.c, "rktp_started") when a partition is removed a
// second time before its fetcher has stopped: for instance by an assignment that crosses with a
// revocation, and the answer to that.  Nothing tells when a fetcher has stopped; it takes a
// millisecond or so.
rd_kafka_resp_err_t Consumer::replace_assignment(const rd_kafka_topic_partition_list_t* list) {
    if (assigned_) {
        std::this_thread::sleep_until(removed_at_ + kFetcherStopTime);
    }
    const rd_kafka_resp_err_t code = rd_kafka_assign(client_.get(), list);
    if (assigned_) {
        removed_at_ = steady_clock::now();
    }
    assigned_ = list != nullptr && list->cnt > 0;
    return code;
}

void Consumer::assign(std::span<const TopicPosition> positions) {
    const PartitionListHandle list = list_of(positions);
    const rd_kafka_resp_err_t code = replace_assignment(list.get());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        throw RetryableError("cannot take partitions of group " + group_ + ": " + describe(code));
    }
}

Watermarks Consumer::watermarks(const TopicPartition& at, milliseconds limit) {
    Watermarks found;
    const rd_kafka_resp_err_t code =
        rd_kafka_query_watermark_offsets(client_.get(), at.topic.c_str(), at.partition, &found.low,
                                         &found.high, static_cast<int>(limit.count()));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return found;
    }
    if (classify(code) == ErrorClass::kDenied) {
        throw_error(code, name_of(at));
    }
    throw RetryableError("no offsets of " + name_of(at) + ": " + describe(code));
}

std::optional<std::int64_t> Consumer::known_high(const TopicPartition& at) const {
    std::int64_t low = RD_KAFKA_OFFSET_INVALID;
    std::int64_t high = RD_KAFKA_OFFSET_INVALID;
    if (rd_kafka_get_watermark_offsets(client_.get(), at.topic.c_str(), at.partition, &low,
                                       &high) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        high < 0) {
        return std::nullopt;
    }
    return high;
}

void Consumer::pause(const TopicPartition& at) {
    rd_kafka_pause_partitions(client_.get(), list_of(at).get());
}

void Consumer::resume(const TopicPartition& at) {
    rd_kafka_resume_partitions(client_.get(), list_of(at).get());
}

void Consumer::seek(const TopicPosition& position) {
    const PartitionListHandle list = list_of(std::span<const TopicPosition>(&position, 1));
    const ErrorHandle error(rd_kafka_seek_partitions(client_.get(), list.get(), kSeekMs));
    const rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error.get()) : list->elems[0].err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        throw RetryableError("cannot seek in " + name_of(position.at) + ": " + describe(code));
    }
}

void Consumer::commit(std::span<const TopicPosition> positions) {
    if (!positions.empty()) {
        rd_kafka_commit(client_.get(), list_of(positions).get(), 1);
    }
}

}  // namespace holdfast::relay::kafka
