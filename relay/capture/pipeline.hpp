// From the slot to Kafka: reads WAL messages, decodes and translates them, sends the records, and
// confirms to PostgreSQL what Kafka has acknowledged (see ack_tracker.hpp for the rule).
//
// One thread around poll(2): the source's socket, the sink's descriptor, a stop event and a timer
// wake it.  It never sleeps and never blocks on either side, so status updates reach PostgreSQL in
// time whatever Kafka does.  What is in flight is bounded in bytes; at the bound, and when the sink
// is full, it stops reading from the source and goes on with acknowledgements and status updates.
//
// Thread rule: one thread calls everything.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/errors.hpp"
#include "base/event_fd.hpp"
#include "base/lsn.hpp"
#include "capture/ack_tracker.hpp"
#include "capture/change_source.hpp"
#include "capture/incremental_snapshot.hpp"
#include "capture/record_sender.hpp"
#include "capture/record_sink.hpp"
#include "capture/translator.hpp"
#include "debezium/record.hpp"
#include "metrics/relay_metrics.hpp"
#include "pgoutput/decoder.hpp"

namespace holdfast::relay::capture {

struct PipelineOptions {
    /// Keys, values and a fixed share per record, from send() to acknowledgement.  At least one
    /// record is always let through, however large.
    std::int64_t max_in_flight_bytes = 16LL * 1024 * 1024;

    /// A status goes out at least this often (and three times within the server's own limit).
    std::chrono::milliseconds status_interval{10'000};

    /// How long run() goes on after the stop event: for the rest of an open transaction and for
    /// acknowledgements.
    std::chrono::milliseconds drain_limit{8'000};

    /// While records are unacknowledged, changes are left to gather in the socket for at most this
    /// long after the last look.  The acknowledgement ends it: what came meanwhile leaves as one
    /// batch.  0 = read as soon as there is anything.
    std::chrono::microseconds gather_limit{5'000};

    /// The same while a backlog is read fast, where it only saves wake-ups: a Unix socket's buffer
    /// holds about ninety changes.
    std::chrono::microseconds fast_gather_limit{250};

    /// heartbeat.interval.ms: how often a heartbeat is sent; 0 = never.
    std::chrono::milliseconds heartbeat_interval{0};
};

/// Lives as long as its sink.  When the source is lost, run() again with a new one that starts from
/// confirmed(): acknowledgements of what was sent before still count.
class Pipeline final : private AcknowledgementListener {
 public:
    /// All references must outlive the pipeline; `listener` and `snapshot` may be null, `catalog`
    /// too when the translator makes no change events.
    Pipeline(RecordSink& sink, TranslatorOptions translator, TableCatalog* catalog,
             const Clock& clock, metrics::CaptureMetrics& metrics, PipelineOptions options,
             PositionListener* listener = nullptr, IncrementalSnapshot* snapshot = nullptr);

    /// The slot's confirmed position, if known, before the first run(): it counts as confirmed.
    void resume_from(Lsn slot_confirmed) { tracker_.keepalive(slot_confirmed); }
    /// Where the next stream begins (Translator::plan_start); call it before each run().
    [[nodiscard]] Lsn plan_start(Lsn slot_confirmed) {
        return translator_.plan_start(std::max(confirmed(), slot_confirmed));
    }
    /// Whether the last plan_start() found something that another program has sent already.
    [[nodiscard]] bool resumes() const noexcept { return translator_.resumes(); }
    /// End of the last transaction before the first run(), for source.sequence; 0 = not known.
    void set_last_commit(Lsn last_commit) { last_commit_ = last_commit; }

    /// Streams until `stop` is signalled, then drains: reads on to the end of an open transaction,
    /// waits for acknowledgements, sends a last status.  Returns whether everything that was sent
    /// is confirmed; false when the drain limit passed first.  Does not drain `stop`.
    ///
    /// Throws what source and sink throw; DeliveryFailedError; FatalError kMessageTooLarge,
    /// kOutboxShapeChanged, kPublicationChanged, kMalformedEvent, kInternal.  After an error of the
    /// source the pipeline can run() again.
    bool run(ChangeSource& source, const EventFd& stop);

    /// While there is no source: takes acknowledgements until `wait` is over or `stop` is
    /// signalled.  With kUntilSettled it also returns as soon as nothing is outstanding.
    enum class Wait { kWholeTime, kUntilSettled };
    void wait_without_source(std::chrono::milliseconds limit, Wait wait, const EventFd& stop);

    /// End LSN of what Kafka has; where the next stream starts.  0 = as the slot says.
    [[nodiscard]] Lsn confirmed() const noexcept { return tracker_.confirmed(); }

    /// Records sent and not acknowledged.
    [[nodiscard]] std::uint64_t unacknowledged() const noexcept {
        return tracker_.unacknowledged();
    }

    // What follows is one turn of the loop in run(), for tests that turn the clock by hand.

    /// What run() waits for after a turn.
    struct Need {
        std::chrono::microseconds timeout{};  ///< 0 = there is more to do now
        bool source_readable = false;
    };
    /// A source is attached: forgets the transaction that the last one left open.
    void attach(ChangeSource& source);
    /// Takes acknowledgements, reads and sends a bounded amount, sends a status if one is due.
    Need turn();
    /// From now on turn() reads only to the end of an open transaction.
    void begin_drain();
    /// Nothing is open and nothing is unacknowledged.
    [[nodiscard]] bool settled() const noexcept { return tracker_.idle(); }
    /// Sends a status now.
    void send_status();

 private:
    using TimePoint = std::chrono::steady_clock::time_point;

    void on_acknowledged(const InFlightRecord& record) override;

    [[nodiscard]] bool at_bound() const noexcept;
    [[nodiscard]] bool may_read(TimePoint now) const noexcept;
    [[nodiscard]] bool gathers(TimePoint now) const noexcept;
    void read(TimePoint now);
    void note_rate(TimePoint now, std::uint64_t records);
    void take(const SourceMessage& message);
    /// Offers the records to the sink, now or, if it is full, in later turns.  When all are
    /// accepted, the open transaction ends at `end`, if there is one.
    void offer(debezium::Records records, std::optional<Lsn> end);
    /// Returns whether the records that wait, if any, have been accepted.
    bool send_waiting();
    bool send(const debezium::Record& record);
    void end_transaction();
    void send_heartbeat_if_due(TimePoint now);
    void advance_snapshot();
    [[nodiscard]] bool may_read_chunk() const noexcept;

    void send_status_if_due(TimePoint now);
    void report_before_halt();
    [[nodiscard]] Need next_need(TimePoint now) const;
    [[nodiscard]] std::chrono::milliseconds status_interval() const;
    void publish_metrics() noexcept;

    Translator translator_;
    const Clock& clock_;
    metrics::CaptureMetrics& metrics_;
    PipelineOptions options_;
    IncrementalSnapshot* snapshot_;
    ChangeSource* source_ = nullptr;

    pgoutput::Decoder decoder_;
    AckTracker tracker_;
    RecordSender sender_;

    /// Not accepted yet.  They view the source's payload, so nothing is read meanwhile.
    debezium::Records waiting_;
    /// Where the open transaction ends as soon as nothing is waiting.
    std::optional<Lsn> end_;
    Lsn last_commit_;  ///< end of the last transaction that was read
    TimePoint heartbeat_due_{};

    Lsn received_;
    Lsn server_;
    Lsn reported_;  ///< confirmed LSN of the last status
    TimePoint last_status_{};
    bool reply_requested_ = false;
    bool draining_ = false;
    bool attached_ = false;  ///< to any source so far

    bool more_to_read_ = false;  ///< the last turn ended before the source was empty
    TimePoint gather_until_{};   ///< if anything is unacknowledged
    bool fast_ = false;          ///< a backlog is read, and the rate is high
    /// From the commit to the sending of the newest change, both by the server's clock.
    std::chrono::microseconds server_delay_{};
    TimePoint window_start_{};  ///< records are counted from here to know the rate
    std::uint64_t window_records_ = 0;
    std::int64_t now_us_ = 0;  ///< wall clock at the start of the turn, or of the last transaction
};

}  // namespace holdfast::relay::capture
