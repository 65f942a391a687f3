#include "capture/incremental_snapshot.hpp"

#include <algorithm>
#include <utility>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "base/uuid.hpp"

namespace holdfast::relay::capture {
namespace {

using std::chrono::milliseconds;

/// A table that is locked, or a database that does not answer: each attempt holds the stream up for
/// as long as the chunk source waits.
constexpr milliseconds kRetryInitial{200};
constexpr milliseconds kRetryCap{30'000};
/// From a commit's record to its visibility it is microseconds, or the way to a standby and back.
constexpr milliseconds kVisibilityInitial{5};
constexpr milliseconds kVisibilityCap{1'000};

/// What a chunk has to have in common with a definition so that one stands for the other.
bool same_columns(const pgoutput::CachedRelation& a, const pgoutput::CachedRelation& b) {
    return a.schema() == b.schema() && a.name() == b.name() && a.columns() == b.columns();
}

std::string_view member(std::span<const debezium::Member> members, std::string_view name) {
    const auto found = std::ranges::find(members, name, &debezium::Member::name);
    return found == members.end() ? std::string_view() : found->text;
}

}  // namespace

IncrementalSnapshot::IncrementalSnapshot(ChunkSource& source, const Clock& clock,
                                         metrics::CaptureMetrics& metrics, std::string slot)
    : source_(source),
      clock_(clock),
      metrics_(metrics),
      slot_(std::move(slot)),
      retry_(kRetryInitial, kRetryCap),
      visibility_(kVisibilityInitial, kVisibilityCap) {}

void IncrementalSnapshot::begin_pipeline(Captures captures) {
    captures_ = std::move(captures);
    drop_chunk();
}

// ---- The stream

void IncrementalSnapshot::attach() {
    open_xid_.reset();
    const bool sent_whole = phase_ == Phase::kUnconfirmed && end_;
    if (!sent_whole && phase_ != Phase::kConfirmed) {
        drop_chunk();
    }
}

void IncrementalSnapshot::begin(Xid xid) {
    open_xid_ = xid;
    streamed_.add(xid);
}

void IncrementalSnapshot::commit(Lsn end) {
    open_xid_.reset();
    if (phase_ == Phase::kUnconfirmed && !end_) {
        end_ = end;
        // The records have gone out.
        left_.clear();
        row_of_key_.clear();
        chunk_->rows = {};
    }
}

void IncrementalSnapshot::define(const pgoutput::CachedRelation& relation) {
    if (!watches(relation.id())) {
        const bool replaces = phase_ == Phase::kWindow &&
                              relation.schema() == chunk_->relation.schema() &&
                              relation.name() == chunk_->relation.name();
        if (replaces) {
            drop_chunk();
        }
        return;
    }
    key_position_.clear();
    if (!same_columns(relation, chunk_->relation)) {
        drop_chunk();
    }
}

void IncrementalSnapshot::change(const pgoutput::CachedRelation& relation, pgoutput::Tuple new_row,
                                 pgoutput::Tuple old_row) {
    if (key_position_.empty() && !locate_key(relation)) {
        drop_chunk();
        return;
    }
    if (!new_row.empty()) {
        drop_row(new_row, old_row);
    }
    if (!old_row.empty() && phase_ == Phase::kWindow) {
        drop_row(old_row, {});
    }
}

void IncrementalSnapshot::truncate(pgoutput::RelationId relation) {
    if (watches(relation)) {
        dropped_.assign(dropped_.size(), true);
    }
}

const SnapshotChunk* IncrementalSnapshot::message(std::string_view content) {
    std::span<const debezium::Member> members;
    try {
        members = members_.parse(content);
    } catch (const debezium::JsonError& error) {
        // Anybody may write a message with any prefix.
        log::warn("snapshot_message_ignored", {{"reason", error.what()}});
        return nullptr;
    }
    if (member(members, "slot") != slot_) {
        return nullptr;
    }
    if (const std::string_view watermark = member(members, "watermark"); !watermark.empty()) {
        if (phase_ != Phase::kWindow || watermark != watermark_) {
            return nullptr;  // of a chunk that was given up
        }
        left_.clear();
        for (std::size_t row = 0; row < chunk_->rows.count(); ++row) {
            if (!dropped_[row]) {
                left_.push_back(chunk_->rows[row]);
            }
        }
        work_.rows_sent += static_cast<std::int64_t>(left_.size());
        end_.reset();
        phase_ = Phase::kUnconfirmed;
        return &*chunk_;
    }
    if (open_xid_) {
        rings_.push_back(*open_xid_);
    }
    const bool stops = phase_ == Phase::kWindow && member(members, "action") == "stop-snapshot" &&
                       member(members, "snapshot_id") == std::to_string(work_.snapshot_id);
    if (stops) {
        drop_chunk();
    } else if (phase_ == Phase::kIdle || phase_ == Phase::kLook) {
        look_now();
    }
    return nullptr;
}

// ---- Keys

/// Where the key's columns are in the tuples of `relation`.
bool IncrementalSnapshot::locate_key(const pgoutput::CachedRelation& relation) {
    for (const std::size_t column : chunk_->key) {
        const auto found = relation.find_column(chunk_->relation.columns()[column].name);
        if (!found) {
            key_position_.clear();
            return false;
        }
        key_position_.push_back(*found);
    }
    return true;
}

std::optional<std::string_view> IncrementalSnapshot::key_of(pgoutput::Tuple row,
                                                            pgoutput::Tuple fallback) {
    key_text_.clear();
    for (const std::size_t column : key_position_) {
        const pgoutput::Value* value = column < row.size() ? &row[column] : nullptr;
        if (value != nullptr && value->kind == pgoutput::Value::Kind::kUnchanged) {
            value = column < fallback.size() ? &fallback[column] : nullptr;
        }
        if (value == nullptr || value->kind != pgoutput::Value::Kind::kText) {
            return std::nullopt;
        }
        key_text_ += std::to_string(value->bytes.size());
        key_text_ += ':';
        key_text_ += value->bytes;
    }
    return key_text_;
}

void IncrementalSnapshot::drop_row(pgoutput::Tuple row, pgoutput::Tuple fallback) {
    if (!key_of(row, fallback)) {
        drop_chunk();  // any of its rows could be meant
        return;
    }
    if (const auto found = row_of_key_.find(key_text_); found != row_of_key_.end()) {
        dropped_[found->second] = true;
    }
}

// ---- The pipeline

void IncrementalSnapshot::confirm(Lsn confirmed) {
    if (phase_ == Phase::kUnconfirmed && end_ && confirmed >= *end_) {
        phase_ = Phase::kConfirmed;
        due_ = clock_.now();
    }
    if (phase_ == Phase::kConfirmed && clock_.now() >= due_) {
        keep_progress();
    }
}

void IncrementalSnapshot::read_if_due() {
    if (phase_ == Phase::kLook && clock_.now() >= due_) {
        read_next();
    }
}

std::optional<IncrementalSnapshot::TimePoint> IncrementalSnapshot::due(Room room) const {
    if (phase_ == Phase::kConfirmed || (phase_ == Phase::kLook && room == Room::kForChunk)) {
        return due_;
    }
    return std::nullopt;
}

void IncrementalSnapshot::look_now() {
    phase_ = Phase::kLook;
    due_ = clock_.now();
}

void IncrementalSnapshot::drop_chunk() {
    chunk_.reset();
    left_.clear();
    row_of_key_.clear();
    key_position_.clear();
    watermark_.clear();
    end_.reset();
    look_now();
}

void IncrementalSnapshot::keep_progress() {
    try {
        source_.record_progress(work_, chunk_->last);
    } catch (const RetryableError& error) {
        retry(error.what());
        return;
    } catch (const SnapshotError& error) {
        // Stopped meanwhile, most likely; the next look says.
        log::warn("incremental_snapshot_progress_refused",
                  {{"snapshot_id", work_.snapshot_id}, {"reason", error.what()}});
    }
    retry_.reset();
    drop_chunk();
}

void IncrementalSnapshot::read_next() {
    SnapshotWork work;
    try {
        if (!rings_are_visible()) {
            wait_until_visible();
            return;
        }
        std::optional<SnapshotWork> next = source_.next_work();
        if (!next) {
            phase_ = Phase::kIdle;
            retry_.reset();
            return;
        }
        work = std::move(*next);
    } catch (const RetryableError& error) {
        retry(error.what());
        return;
    } catch (const SnapshotError& error) {
        log::error("incremental_snapshot_failed", {{"reason", error.what()}});
        phase_ = Phase::kIdle;
        return;
    }
    try {
        if (!captures_(work.schema, work.table)) {
            throw SnapshotError("table " + work.schema + "." + work.table +
                                " is not captured: see the lists in [connector]; an outbox has no "
                                "snapshot, because its rows are events already");
        }
        std::optional<SnapshotChunk> chunk = source_.read(work, streamed_);
        if (!chunk) {
            wait_until_visible();
            return;
        }
        open_window(work, std::move(*chunk));
        retry_.reset();
        visibility_.reset();
    } catch (const RetryableError& error) {
        retry(error.what());
    } catch (const SnapshotError& error) {
        fail(work, error.what());
    }
}

void IncrementalSnapshot::require_same_key(const SnapshotWork& work, const SnapshotChunk& chunk) {
    ReadBy by{
        .snapshot_id = work.snapshot_id, .ordinal = work.ordinal, .columns = chunk.key_definition};
    const bool other_than_noted =
        !work.last_key.empty() && !work.key_columns.empty() && work.key_columns != by.columns;
    if (other_than_noted || (read_by_.snapshot_id == by.snapshot_id &&
                             read_by_.ordinal == by.ordinal && read_by_ != by)) {
        throw SnapshotError("the key of table " + chunk.relation.qualified_name() +
                            " is not what it was when the snapshot began: ask for it again");
    }
    read_by_ = std::move(by);
}

void IncrementalSnapshot::open_window(SnapshotWork work, SnapshotChunk chunk) {
    require_same_key(work, chunk);
    metrics_.incremental_snapshot_rows.add(chunk.rows.count());
    work.key_columns = read_by_.columns;
    if (!chunk.last_key.empty()) {
        work.last_key = chunk.last_key;
    }
    work_ = std::move(work);
    if (chunk.rows.count() == 0) {
        source_.record_progress(work_, chunk.last);
        look_now();
        return;
    }
    chunk_ = std::move(chunk);
    key_position_ = chunk_->key;
    for (std::size_t row = 0; row < chunk_->rows.count(); ++row) {
        if (!key_of(chunk_->rows[row], {})) {
            throw SnapshotError("the key of table " + chunk_->relation.qualified_name() +
                                " has no value in a row");
        }
        row_of_key_.emplace(key_text_, row);
    }
    key_position_.clear();
    dropped_.assign(chunk_->rows.count(), false);
    watermark_ = random_uuid();
    phase_ = Phase::kWindow;
    source_.emit_watermark(work_, watermark_);
}

void IncrementalSnapshot::fail(const SnapshotWork& work, const std::string& reason) {
    drop_chunk();
    log::error("incremental_snapshot_failed", {{"snapshot_id", work.snapshot_id},
                                               {"table", work.schema + "." + work.table},
                                               {"reason", reason}});
    try {
        source_.fail(work, reason);
    } catch (const RetryableError& error) {
        retry(error.what());
    } catch (const SnapshotError& error) {
        log::warn("incremental_snapshot_progress_refused",
                  {{"snapshot_id", work.snapshot_id}, {"reason", error.what()}});
        phase_ = Phase::kIdle;
    }
}

void IncrementalSnapshot::retry(const std::string& reason) {
    const milliseconds pause = retry_.next();
    log::warn("incremental_snapshot_retry",
              {{"reason", reason}, {"attempt", retry_.attempts()}, {"backoff_ms", pause.count()}});
    if (phase_ != Phase::kConfirmed) {
        drop_chunk();
    }
    due_ = clock_.now() + pause;
}

void IncrementalSnapshot::wait_until_visible() {
    drop_chunk();
    due_ = clock_.now() + visibility_.next();
}

/// A request is streamed before it can be seen, like any commit.
bool IncrementalSnapshot::rings_are_visible() {
    if (rings_.empty()) {
        return true;
    }
    const TransactionHorizon horizon = source_.horizon();
    std::erase_if(rings_, [&](Xid xid) { return horizon.sees(xid); });
    if (rings_.empty()) {
        visibility_.reset();
    }
    return rings_.empty();
}

}  // namespace holdfast::relay::capture
