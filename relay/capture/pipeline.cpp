#include "capture/pipeline.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "base/poll.hpp"

namespace holdfast::relay::capture {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

/// An advance of the confirmed LSN is reported when this much has passed since the last status:
/// soon enough that a crash repeats little, seldom enough that it costs nothing.
constexpr milliseconds kAdvanceInterval{200};

/// A turn reads at most this much before it looks at acknowledgements and the clock again.
constexpr int kMaxBurstMessages = 2000;
constexpr std::size_t kMaxBurstBytes = 512 * 1024;

/// From this rate on, and while changes come this long after their commit, there is a backlog, and
/// full batches matter more than some milliseconds: records linger in the sink, and
/// acknowledgements are not waited for.  The window is long enough not to take a burst for it.
constexpr std::uint64_t kFastRecordsPerMillisecond = 16;
constexpr microseconds kBacklogDelay{50'000};
constexpr milliseconds kRateWindow{10};

}  // namespace

Pipeline::Pipeline(RecordSink& sink, TranslatorOptions translator, TableCatalog* catalog,
                   const Clock& clock, metrics::CaptureMetrics& metrics, PipelineOptions options,
                   PositionListener* listener, IncrementalSnapshot* snapshot)
    : translator_(std::move(translator), catalog, snapshot),
      clock_(clock),
      metrics_(metrics),
      options_(options),
      snapshot_(snapshot),
      sender_(sink, translator_.topics(), *this, metrics, listener) {}

bool Pipeline::run(ChangeSource& source, const EventFd& stop) {
    attach(source);
    std::optional<TimePoint> deadline;
    while (true) {
        Need need = turn();
        if (deadline) {
            const TimePoint now = clock_.now();
            if (settled() || now >= *deadline) {
                send_status();
                return settled();
            }
            need.timeout = std::min(need.timeout, std::chrono::ceil<microseconds>(*deadline - now));
        }
        const auto events = static_cast<short>((need.source_readable ? POLLIN : 0) |
                                               (source_->wants_write() ? POLLOUT : 0));
        // A descriptor without events would still report a hang-up, again and again.
        std::array<pollfd, 3> wait{pollfd{events != 0 ? source_->fd() : -1, events, 0},
                                   pollfd{sender_.fd(), POLLIN, 0},
                                   pollfd{deadline ? -1 : stop.fd(), POLLIN, 0}};
        wait_for(wait, need.timeout);
        if (wait[2].revents != 0) {
            begin_drain();
            deadline = clock_.now() + options_.drain_limit;
        }
    }
}

void Pipeline::wait_without_source(milliseconds limit, Wait wait, const EventFd& stop) {
    source_ = nullptr;
    waiting_ = {};
    end_.reset();
    tracker_.abandon();
    const TimePoint deadline = clock_.now() + limit;
    while (true) {
        now_us_ = clock_.system_time().count();
        sender_.poll();
        publish_metrics();
        sender_.throw_failure();
        const TimePoint now = clock_.now();
        if (now >= deadline || (wait == Wait::kUntilSettled && settled())) {
            return;
        }
        std::array<pollfd, 2> descriptors{pollfd{sender_.fd(), POLLIN, 0},
                                          pollfd{stop.fd(), POLLIN, 0}};
        wait_for(descriptors, std::chrono::ceil<microseconds>(deadline - now));
        if (descriptors[1].revents != 0) {
            return;
        }
    }
}

void Pipeline::attach(ChangeSource& source) {
    source_ = &source;
    // What the last stream left unfinished comes again, and its OIDs mean nothing in this one.
    waiting_ = {};
    end_.reset();
    tracker_.abandon();
    if (std::exchange(attached_, true)) {
        // What was read behind the confirmed LSN comes again.
        last_commit_ = std::min(last_commit_, tracker_.confirmed());
    }
    translator_.attach(last_commit_);
    heartbeat_due_ = clock_.now() + options_.heartbeat_interval;
    received_ = tracker_.confirmed();
    reported_ = {};
    last_status_ = clock_.now();
    reply_requested_ = false;
    draining_ = false;
    more_to_read_ = false;
    gather_until_ = {};
    fast_ = false;
    window_start_ = clock_.now();
    window_records_ = 0;
}

Pipeline::Need Pipeline::turn() {
    now_us_ = clock_.system_time().count();
    const std::int64_t in_flight = sender_.in_flight().count();
    sender_.poll();
    if (sender_.failed()) {
        report_before_halt();
        sender_.throw_failure();
    }
    if (!fast_ && sender_.in_flight().count() > 0 && sender_.in_flight().count() < in_flight) {
        // What could not leave before that acknowledgement would begin to linger with it.
        sender_.send_now();
    }
    const TimePoint now = clock_.now();
    if (source_->wants_write()) {
        source_->flush();
    }
    if (send_waiting() && may_read(now)) {
        read(now);
    }
    send_heartbeat_if_due(now);
    advance_snapshot();
    send_status_if_due(now);
    publish_metrics();
    return next_need(now);
}

void Pipeline::begin_drain() {
    draining_ = true;
}

// ---- Reading

bool Pipeline::at_bound() const noexcept {
    return sender_.in_flight().bytes() >= options_.max_in_flight_bytes;
}

bool Pipeline::may_read(TimePoint now) const noexcept {
    if (!waiting_.empty() || at_bound() || (draining_ && !tracker_.is_open())) {
        return false;
    }
    return !gathers(now);
}

bool Pipeline::gathers(TimePoint now) const noexcept {
    return sender_.in_flight().count() > 0 && now < gather_until_;
}

void Pipeline::read(TimePoint now) {
    std::size_t bytes = 0;
    const std::uint64_t first_ticket = sender_.in_flight().next_ticket();
    more_to_read_ = true;
    for (int n = 0; n < kMaxBurstMessages && bytes < kMaxBurstBytes; ++n) {
        const SourceMessage message = source_->next();
        if (message.kind == SourceMessage::Kind::kNothing) {
            more_to_read_ = false;
            break;
        }
        take(message);
        bytes += message.payload.size();
        if (!waiting_.empty() || at_bound()) {
            metrics_.queue_full.add();
            break;
        }
        if (draining_ && !tracker_.is_open()) {
            break;
        }
    }
    const std::uint64_t records = sender_.in_flight().next_ticket() - first_ticket;
    const bool was_fast = fast_;
    note_rate(now, records);
    // What lingers when the backlog ends, or at the bound, has nothing to wait for.
    if ((!fast_ && (records > 0 || was_fast)) || at_bound()) {
        sender_.send_now();
    }
    gather_until_ = now + (fast_ ? options_.fast_gather_limit : options_.gather_limit);
}

void Pipeline::note_rate(TimePoint now, std::uint64_t records) {
    window_records_ += records;
    const auto elapsed = now - window_start_;
    if (elapsed >= kRateWindow) {
        const auto elapsed_ms = static_cast<std::uint64_t>(elapsed / milliseconds(1));
        fast_ = window_records_ >= kFastRecordsPerMillisecond * elapsed_ms &&
                server_delay_ >= kBacklogDelay;
        window_start_ = now;
        window_records_ = 0;
    }
}

void Pipeline::take(const SourceMessage& message) {
    server_ = std::max(server_, message.wal_end);
    received_ = std::max({received_, message.wal_start, message.wal_end});
    if (message.kind == SourceMessage::Kind::kKeepalive) {
        if (!translator_.holds_confirmation()) {
            tracker_.keepalive(message.wal_end);
        }
        reply_requested_ = reply_requested_ || message.reply_requested;
        return;
    }
    const pgoutput::Message decoded = decoder_.decode(message.payload);
    if (!tracker_.is_open()) {
        // Never before the commit that it belongs to, and not read for every change.
        now_us_ = clock_.system_time().count();
    }
    if (std::holds_alternative<pgoutput::Begin>(decoded)) {
        tracker_.open();
    }
    const debezium::Records records = translator_.translate(
        decoded, {message.wal_start, now_us_}, pgoutput::Timestamp{message.server_time_us});
    server_delay_ = microseconds(message.server_time_us - translator_.position().event_time.value);
    if (const auto* commit = std::get_if<pgoutput::Commit>(&decoded)) {
        received_ = std::max(received_, commit->end_lsn);
        last_commit_ = commit->end_lsn;
        offer(records, commit->end_lsn);
    } else if (records.empty()) {
        return;
    } else if (const auto* lone = std::get_if<pgoutput::LogicalMessage>(&decoded);
               lone != nullptr && !tracker_.is_open()) {
        // A transaction of its own, which ends where the message ends.
        tracker_.open();
        offer(records, lone->lsn);
    } else {
        offer(records, std::nullopt);
    }
}

// ---- Sending

void Pipeline::offer(debezium::Records records, std::optional<Lsn> end) {
    waiting_ = records;
    end_ = end;
    send_waiting();
}

bool Pipeline::send_waiting() {
    while (!waiting_.empty()) {
        if (!send(waiting_.front())) {
            // What lingers takes the room that this record waits for.
            sender_.send_now();
            return false;
        }
        waiting_ = waiting_.subspan(1);
    }
    if (end_) {
        end_transaction();
    }
    return true;
}

void Pipeline::end_transaction() {
    const Lsn end = *std::exchange(end_, std::nullopt);
    if (tracker_.commit(end)) {
        metrics_.transactions.add();
        metrics_.commit_to_confirm.observe(now_us_ -
                                           translator_.position().event_time.unix_microseconds());
    }
}

bool Pipeline::send(const debezium::Record& record) {
    const debezium::EventRouter::Position& position = translator_.position();
    InFlightRecord origin;
    origin.transaction = tracker_.ticket();
    origin.lsn = position.lsn;
    origin.commit_time_us = position.event_time.unix_microseconds();
    if (!sender_.send(record, origin)) {
        return false;
    }
    tracker_.add();
    return true;
}

void Pipeline::send_heartbeat_if_due(TimePoint now) {
    if (options_.heartbeat_interval.count() == 0 || now < heartbeat_due_ || !waiting_.empty() ||
        draining_ || at_bound()) {
        return;
    }
    heartbeat_due_ = now + options_.heartbeat_interval;
    const Lsn end = std::max(last_commit_, tracker_.confirmed());
    if (end == Lsn{}) {
        return;  // nothing that it could vouch for yet
    }
    const debezium::Records records = translator_.heartbeat(now_us_);
    if (records.empty()) {
        return;
    }
    if (tracker_.is_open()) {
        offer(records, std::nullopt);
    } else {
        tracker_.open();
        offer(records, end);
    }
    sender_.send_now();
}

// ---- Snapshots

bool Pipeline::may_read_chunk() const noexcept {
    return waiting_.empty() && !at_bound() && !draining_ && !tracker_.is_open() &&
           !translator_.holds_confirmation();
}

void Pipeline::advance_snapshot() {
    if (snapshot_ == nullptr) {
        return;
    }
    snapshot_->confirm(tracker_.confirmed());
    if (may_read_chunk()) {
        snapshot_->read_if_due();
    }
}

// ---- Acknowledgements

void Pipeline::on_acknowledged(const InFlightRecord& record) {
    if (tracker_.ack(record.transaction)) {
        metrics_.transactions.add();
        metrics_.commit_to_confirm.observe(now_us_ - record.commit_time_us);
    }
}

// ---- Status

void Pipeline::send_status() {
    const Lsn confirmed = tracker_.confirmed();
    source_->send_status(std::max(received_, confirmed), confirmed);
    reported_ = confirmed;
    reply_requested_ = false;
    last_status_ = clock_.now();
}

void Pipeline::report_before_halt() {
    try {
        send_status();
    } catch (const Error&) {
        // The failure that is about to be thrown matters more; the slot merely repeats a little.
    }
}

milliseconds Pipeline::status_interval() const {
    const milliseconds limit = source_->silence_limit();
    return limit.count() > 0 ? std::min(options_.status_interval, limit / 3)
                             : options_.status_interval;
}

void Pipeline::send_status_if_due(TimePoint now) {
    const bool advanced = tracker_.confirmed() > reported_;
    if (reply_requested_ || now - last_status_ >= status_interval() ||
        (advanced && now - last_status_ >= kAdvanceInterval)) {
        send_status();
    }
}

Pipeline::Need Pipeline::next_need(TimePoint now) const {
    Need need;
    if (waiting_.empty() && !at_bound() && (!draining_ || tracker_.is_open())) {
        const bool gather = gathers(now);
        if (more_to_read_ && !gather) {
            return need;
        }
        need.source_readable = !gather;
        need.timeout =
            gather ? std::chrono::ceil<microseconds>(gather_until_ - now) : microseconds::max();
    } else {
        need.timeout = microseconds::max();
    }
    TimePoint status_due = last_status_ + status_interval();
    if (tracker_.confirmed() > reported_) {
        status_due = std::min(status_due, last_status_ + kAdvanceInterval);
    }
    TimePoint due = status_due;
    if (options_.heartbeat_interval.count() > 0) {
        due = std::min(due, heartbeat_due_);
    }
    if (snapshot_ != nullptr) {
        using Room = IncrementalSnapshot::Room;
        due = std::min(
            due, snapshot_->due(may_read_chunk() ? Room::kForChunk : Room::kNone).value_or(due));
    }
    need.timeout =
        std::clamp(std::chrono::ceil<microseconds>(due - now), microseconds::zero(), need.timeout);
    return need;
}

void Pipeline::publish_metrics() noexcept {
    sender_.publish_metrics();
    metrics_.received_lsn.set(static_cast<std::int64_t>(received_.value));
    metrics_.confirmed_lsn.set(static_cast<std::int64_t>(reported_.value));
    metrics_.server_lsn.set(static_cast<std::int64_t>(server_.value));
}

}  // namespace holdfast::relay::capture
