#include "kafka/compacted_topic.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "kafka/errors.hpp"
#include "kafka/handles.hpp"

namespace holdfast::relay::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Never joined: librdkafka wants a name before it lets a client read.
constexpr const char* kGroup = "holdfast-relay-reader";
constexpr milliseconds kPoll{100};

struct Newest {
    std::int64_t timestamp_ms = -1;
    std::int32_t partition = -1;
    std::optional<std::string> value;
};

class Reader {
 public:
    Reader(const Properties& properties, std::string topic, milliseconds limit)
        : topic_(std::move(topic)), deadline_(steady_clock::now() + limit) {
        ConfHandle conf = make_conf(properties, ClientKind::kConsumer);
        std::array<char, 512> problem{};
        if (rd_kafka_conf_set(conf.get(), "group.id", kGroup, problem.data(), problem.size()) !=
                RD_KAFKA_CONF_OK ||
            rd_kafka_conf_set(conf.get(), "enable.partition.eof", "true", problem.data(),
                              problem.size()) != RD_KAFKA_CONF_OK) {
            throw FatalError(ExitCode::kConfig, "[kafka]: " + std::string(problem.data()));
        }
        client_.reset(rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), problem.data(), problem.size()));
        if (!client_) {
            throw FatalError(ExitCode::kConfig, "[kafka]: " + std::string(problem.data()));
        }
        static_cast<void>(conf.release());  // rd_kafka_new() has taken it
        rd_kafka_poll_set_consumer(client_.get());
    }

    std::map<std::string, std::string> read() {
        assign(partitions());
        while (!unfinished_.empty()) {
            const MessageHandle message(
                rd_kafka_consumer_poll(client_.get(), static_cast<int>(kPoll.count())));
            if (message) {
                take(*message);
            } else if (left() <= milliseconds(0)) {
                throw RetryableError("topic " + topic_ + " could not be read to its end in time");
            }
        }
        rd_kafka_consumer_close(client_.get());
        std::map<std::string, std::string> result;
        for (auto& [key, newest] : newest_) {
            if (newest.value) {
                result.emplace(key, std::move(*newest.value));
            }
        }
        return result;
    }

 private:
    [[nodiscard]] milliseconds left() const {
        return std::chrono::ceil<milliseconds>(deadline_ - steady_clock::now());
    }
    [[nodiscard]] int left_ms() const {
        return static_cast<int>(std::max(left(), milliseconds(1)).count());
    }

    int partitions() {
        const TopicHandle topic(rd_kafka_topic_new(client_.get(), topic_.c_str(), nullptr));
        const rd_kafka_metadata_t* raw = nullptr;
        const rd_kafka_resp_err_t code =
            rd_kafka_metadata(client_.get(), 0, topic.get(), &raw, left_ms());
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            throw_error(code, "asking for topic " + topic_);
        }
        const MetadataHandle metadata(raw);
        const std::span topics(metadata->topics, static_cast<std::size_t>(metadata->topic_cnt));
        if (topics.size() != 1 || topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            throw_error(topics.empty() ? RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART : topics[0].err,
                        "asking for topic " + topic_);
        }
        return topics[0].partition_cnt;
    }

    void assign(int count) {
        const PartitionListHandle list(rd_kafka_topic_partition_list_new(count));
        for (int partition = 0; partition < count; ++partition) {
            // Where it begins by its number: "the beginning" would be where a reset leads, and
            // resets are off.
            std::int64_t low = 0;
            std::int64_t high = 0;
            const rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
                client_.get(), topic_.c_str(), partition, &low, &high, left_ms());
            if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
                throw_error(code, "asking for the ends of topic " + topic_);
            }
            if (low < high) {
                rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), partition)->offset =
                    low;
                unfinished_.insert(partition);
            }
        }
        const rd_kafka_resp_err_t code = rd_kafka_assign(client_.get(), list.get());
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            throw_error(code, "reading topic " + topic_);
        }
    }

    void take(const rd_kafka_message_t& message) {
        if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            unfinished_.erase(message.partition);  // again when more was written meanwhile
            return;
        }
        if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (classify(message.err) == ErrorClass::kRetriable && left() > milliseconds(0)) {
                return;  // the library goes on by itself
            }
            throw_error(message.err, "reading topic " + topic_);
        }
        if (message.key == nullptr) {
            return;
        }
        rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        const std::int64_t timestamp_ms = rd_kafka_message_timestamp(&message, &type);
        Newest& newest =
            newest_[std::string(static_cast<const char*>(message.key), message.key_len)];
        // Within a partition the order is the log's, whatever clocks say.
        if (newest.partition != message.partition && timestamp_ms < newest.timestamp_ms) {
            return;
        }
        newest.timestamp_ms = timestamp_ms;
        newest.partition = message.partition;
        newest.value.reset();
        if (message.payload != nullptr) {
            newest.value.emplace(static_cast<const char*>(message.payload), message.len);
        }
    }

    std::string topic_;
    steady_clock::time_point deadline_;
    ClientHandle client_;
    std::set<std::int32_t> unfinished_;  ///< partitions
    std::map<std::string, Newest> newest_;
};

}  // namespace

std::map<std::string, std::string> read_compacted_topic(const Properties& properties,
                                                        const std::string& topic,
                                                        milliseconds limit) {
    return Reader(properties, topic, limit).read();
}

}  // namespace holdfast::relay::kafka
