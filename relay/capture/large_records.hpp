// What becomes of a record that its topic does not take because of its size.  A sink in front of
// the sink: it knows the size that a record has in Kafka before it is sent, compares it with the
// topic's max.message.bytes, and follows the policy of the topic.  Nothing is ever cut, and what is
// not sent itself is durable elsewhere before the pipeline hears that it is delivered.
//
//     halt         what was sent before is delivered first, then FatalError(kMessageTooLarge)
//     claim-check  the record is kept, and a small one that names where is sent in its place
//     dead-letter  the record is kept as a dead letter, and counts as delivered
//
// Source of the size: Kafka documentation, "Message Format" (record batch of magic 2).
//
// Thread rule: the pipeline's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/record_sink.hpp"
#include "metrics/relay_metrics.hpp"

namespace holdfast::relay::capture {

enum class TooLargePolicy { kHalt, kClaimCheck, kDeadLetter };

struct TooLargeRule {
    std::string topic;  ///< its name, or an expression (ECMAScript) that matches all of it
    TooLargePolicy policy = TooLargePolicy::kHalt;
};

struct TooLargeOptions {
    std::vector<TooLargeRule> rules;  ///< the first that fits counts; none = kHalt
    /// Records are compressed on the way, and the limit is on what is left of them: whether one is
    /// too large to be sent at all, only the broker can say.
    bool compressed = false;
};

/// What a batch of this record alone takes, uncompressed: what max.message.bytes limits.
[[nodiscard]] std::int64_t batch_bytes(const debezium::Record& record);

/// A record that is not sent, as a copy.
struct LargeRecord {
    TooLargePolicy policy = TooLargePolicy::kHalt;
    std::string topic;
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::vector<std::pair<std::string, std::optional<std::string>>> headers;
    std::string event_id;
    std::int64_t size_bytes = 0;  ///< of its batch
    std::string reason;           ///< who does not take it, and what they would
};

/// Where such records are kept.
class LargeRecordStore {
 public:
    virtual ~LargeRecordStore() = default;

    struct Kept {
        std::string id;      ///< of the claim, or of the dead letter
        std::string sha256;  ///< of a claim
    };
    /// Begins to keep it, and forgets what it was asked for before.  Never blocks; the sink becomes
    /// readable when there is an answer.  Shared with the thread that does the work: the pipeline
    /// may have turned to another record by then.
    virtual void keep(std::shared_ptr<const LargeRecord> record) = 0;

    /// Where it is; nullopt until it is durable.  Throws FatalError when it cannot be kept.
    virtual std::optional<Kept> kept() = 0;
};

class LargeRecordSink final : public RecordSink, private DeliveryHandler {
 public:
    /// The header of a claim check; its value is the id for holdfast.fetch_event().
    static constexpr std::string_view kClaimCheckHeader = "holdfast.claim-check";

    /// All references must outlive the sink; `store` may be null when every rule says halt.
    /// Throws FatalError(kConfig) for an expression that is none.
    LargeRecordSink(RecordSink& inner, LargeRecordStore* store, const TooLargeOptions& options,
                    metrics::CaptureMetrics& metrics);

    TopicId topic(std::string_view name) override;
    [[nodiscard]] std::optional<std::int32_t> partition_count(TopicId topic) override {
        return inner_.partition_count(topic);
    }
    [[nodiscard]] std::optional<std::int64_t> max_message_bytes(TopicId topic) override {
        return inner_.max_message_bytes(topic);
    }
    SendResult send(TopicId topic, std::int32_t partition, const debezium::Record& record,
                    std::uint64_t ticket) override;
    void send_now() override { inner_.send_now(); }
    void poll(DeliveryHandler& handler) override;
    [[nodiscard]] int fd() const override { return inner_.fd(); }
    void wake() const override { inner_.wake(); }

 private:
    struct Rule {
        std::string name;
        std::regex expression;
        TooLargePolicy policy;
    };
    struct Topic {
        std::string name;
        TooLargePolicy policy = TooLargePolicy::kHalt;
        std::optional<std::int64_t> limit;  ///< as it was in the turn `known`
        std::uint64_t known = 0;
    };
    struct Pending {
        std::shared_ptr<const LargeRecord> record;
        std::optional<LargeRecordStore::Kept> kept;
    };

    void on_delivery(const Delivery& delivery) override;
    [[nodiscard]] TooLargePolicy policy_of(std::string_view topic) const;
    [[nodiscard]] std::optional<std::int64_t> limit_of(TopicId topic);
    SendResult pass_on(TopicId topic, std::int32_t partition, const debezium::Record& record,
                       std::uint64_t ticket);
    SendResult divert(TopicId topic, std::int32_t partition, const debezium::Record& record,
                      std::uint64_t ticket, const std::string& reason);
    [[nodiscard]] SendResult halt(const std::string& reason) const;
    /// Whether the record is durable elsewhere.
    bool keep(const Topic& topic, const debezium::Record& record, const std::string& reason);
    SendResult send_claim_check(TopicId topic, std::int32_t partition,
                                const debezium::Record& record, std::uint64_t ticket);

    RecordSink& inner_;
    LargeRecordStore* store_;
    metrics::CaptureMetrics& metrics_;
    std::vector<Rule> rules_;
    bool compressed_;

    std::vector<Topic> topics_;            ///< by TopicId
    std::uint64_t turn_ = 1;               ///< counts poll()
    std::uint64_t outstanding_ = 0;        ///< accepted by inner_ and not reported on
    std::optional<Pending> pending_;       ///< what is being kept, or is kept and not yet sent
    std::vector<std::uint64_t> diverted_;  ///< tickets of dead letters that are to be reported
    DeliveryHandler* handler_ = nullptr;   ///< during poll()
};

}  // namespace holdfast::relay::capture
