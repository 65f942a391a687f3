// Sends records and keeps the books on them until the sink has reported: topics and partitions,
// what is in flight, the first failure.  What an acknowledgement means is its owner's business.
//
// Thread rule: one thread calls everything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.hpp"
#include "capture/in_flight.hpp"
#include "capture/partitioner.hpp"
#include "capture/record_sink.hpp"
#include "debezium/record.hpp"
#include "debezium/topic_names.hpp"
#include "metrics/relay_metrics.hpp"

namespace holdfast::relay::capture {

/// The sink lost a record for a reason that may pass.  The sender and its sink are of no more use:
/// make both anew and send again what is not acknowledged.
class DeliveryFailedError : public RetryableError {
 public:
    using RetryableError::RetryableError;
};

/// Told of each delivered record, in the order of acknowledgement.  For capture.record_offsets.
class PositionListener {
 public:
    virtual ~PositionListener() = default;
    /// Quick, and does not throw.  The views are valid for the call; ids longer than
    /// InFlightRecord::kMaxIdLength are cut.
    virtual void on_position(std::string_view event_id, std::string_view topic,
                             std::int32_t partition, std::int64_t offset) noexcept = 0;
};

/// Told of each record that Kafka, or what keeps it in Kafka's stead, has.
class AcknowledgementListener {
 public:
    virtual ~AcknowledgementListener() = default;
    virtual void on_acknowledged(const InFlightRecord& record) = 0;
};

class RecordSender final : private DeliveryHandler {
 public:
    /// All references must outlive the sender; `positions` may be null.  Metrics: deliveries and
    /// what is in flight.
    RecordSender(RecordSink& sink, const debezium::TopicNames& topics,
                 AcknowledgementListener& listener, metrics::CaptureMetrics& metrics,
                 PositionListener* positions);

    /// Sends `record` behind all that were sent before.  Of `origin`, the owner fills in
    /// `transaction`, `lsn` and `commit_time_us`.  False = the sink is full or does not know the
    /// topic yet: again after poll().  Throws FatalError kMessageTooLarge, kMalformedEvent (the
    /// record asks for a partition that is not there), and what the sink throws.
    bool send(const debezium::Record& record, InFlightRecord origin);

    void send_now() { sink_.send_now(); }

    /// Takes what the sink reports.  Failures wait for throw_failure().
    void poll();

    [[nodiscard]] bool failed() const noexcept { return failure_.has_value(); }
    /// Throws DeliveryFailedError or FatalError when a record was not delivered.
    void throw_failure() const;

    [[nodiscard]] const InFlight& in_flight() const noexcept { return in_flight_; }
    /// Poll this for reading, then call poll().
    [[nodiscard]] int fd() const { return sink_.fd(); }

    void publish_metrics() noexcept;

 private:
    /// The first delivery that failed; thrown when the sink has handed over all its reports.
    struct Failure {
        ExitCode code;
        std::string message;
    };

    void on_delivery(const Delivery& delivery) override;
    void note_failure(const Delivery& delivery, const InFlightRecord& record);
    /// For messages: which record, without its content.
    [[nodiscard]] std::string described(const InFlightRecord& record) const;
    TopicId sink_topic(std::uint32_t topic);

    RecordSink& sink_;
    const debezium::TopicNames& topics_;
    AcknowledgementListener& listener_;
    metrics::CaptureMetrics& metrics_;
    PositionListener* positions_;

    InFlight in_flight_;
    Partitioner partitioner_;
    std::vector<TopicId> sink_topics_;  ///< by debezium::Record::topic
    std::optional<Failure> failure_;
};

}  // namespace holdfast::relay::capture
