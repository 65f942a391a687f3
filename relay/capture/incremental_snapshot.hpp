// Reads tables while the stream goes on, chunk by chunk, so that every row that nobody changes
// becomes a record, and none is older than an event that was sent before it.
//
// A chunk is read in a snapshot of its own, then a watermark is put into the stream behind it.
// Until the watermark comes back, every row of the chunk that the stream changes is dropped: the
// event is as new or newer.  What is left goes out in the watermark's transaction, and progress is
// kept when that is confirmed; after a crash the chunk is read again from there.
//
// Knows neither PostgreSQL nor Kafka: the translator tells what the stream brings, the pipeline
// when there is time to read, what is confirmed.
//
// Sources: Debezium documentation, "Incremental snapshots"; Andreakis and Papapanagiotou, "DBLog: A
// Watermark Based Change-Data-Capture Framework".
//
// Thread rule: one thread calls everything.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/lsn.hpp"
#include "capture/chunk_source.hpp"
#include "capture/streamed_xids.hpp"
#include "debezium/json_members.hpp"
#include "metrics/relay_metrics.hpp"
#include "pgoutput/messages.hpp"
#include "pgoutput/relation_cache.hpp"

namespace holdfast::relay::capture {

class IncrementalSnapshot {
 public:
    using TimePoint = std::chrono::steady_clock::time_point;
    /// Whether changes of the table become change events.
    using Captures = std::function<bool(std::string_view schema, std::string_view table)>;

    /// All references must outlive this.  Messages about other slots than `slot` mean nothing.
    IncrementalSnapshot(ChunkSource& source, const Clock& clock, metrics::CaptureMetrics& metrics,
                        std::string slot);

    /// Another pipeline begins: what the last one has sent and not confirmed is read again.
    void begin_pipeline(Captures captures);

    // ---- What the stream brings.  The rows of a chunk are in the events' order.

    /// A new stream: it begins with what is not confirmed.
    void attach();
    void begin(Xid xid);
    /// The open transaction ends at `end`.
    void commit(Lsn end);
    /// A definition, which is the relation's from now on.
    void define(const pgoutput::CachedRelation& relation);
    /// Whether changes of the relation have to be told.
    [[nodiscard]] bool watches(pgoutput::RelationId relation) const noexcept {
        return phase_ == Phase::kWindow && chunk_->relation.id() == relation;
    }
    /// A row of a relation that is watched was inserted, updated or deleted; an empty tuple is one
    /// that the change does not have.
    void change(const pgoutput::CachedRelation& relation, pgoutput::Tuple new_row,
                pgoutput::Tuple old_row);
    void truncate(pgoutput::RelationId relation);
    /// The content of a message with the prefix kSnapshotPrefix.  When it is the watermark that
    /// ends the window: the chunk, of which rows() are left; valid until the next call of anything.
    const SnapshotChunk* message(std::string_view content);
    /// The rows that are left of it.
    [[nodiscard]] const std::vector<pgoutput::Tuple>& rows() const noexcept { return left_; }

    // ---- When the pipeline has time

    /// Everything before `confirmed` is in Kafka.  Keeps progress if that is due.
    void confirm(Lsn confirmed);
    /// Reads a chunk if one is due.  May not be called while a transaction of the stream is open,
    /// whose changes have been told in part.
    void read_if_due();
    /// When there is something to do without the stream: a chunk to read, if there is `room` for
    /// one, or progress to keep.  nullopt = nothing until the stream or Kafka says so.
    enum class Room { kNone, kForChunk };
    [[nodiscard]] std::optional<TimePoint> due(Room room) const;

 private:
    enum class Phase {
        kIdle,         ///< nothing is asked for
        kLook,         ///< at due_: look for work
        kWindow,       ///< the chunk waits for its watermark
        kUnconfirmed,  ///< its rows are sent; end_ is where their transaction ends
        kConfirmed,    ///< at due_: keep progress
    };

    void look_now();
    void drop_chunk();
    void read_next();
    void open_window(SnapshotWork work, SnapshotChunk chunk);
    void require_same_key(const SnapshotWork& work, const SnapshotChunk& chunk);
    void keep_progress();
    void advance_work();
    void fail(const SnapshotWork& work, const std::string& reason);
    void retry(const std::string& reason);
    void wait_until_visible();
    [[nodiscard]] bool rings_are_visible();

    /// The key's values of a row of `relation` as one text; nullopt = it does not say.
    std::optional<std::string_view> key_of(pgoutput::Tuple row, pgoutput::Tuple fallback);
    void drop_row(pgoutput::Tuple row, pgoutput::Tuple fallback);
    [[nodiscard]] bool locate_key(const pgoutput::CachedRelation& relation);

    ChunkSource& source_;
    const Clock& clock_;
    metrics::CaptureMetrics& metrics_;
    std::string slot_;
    Captures captures_;

    Phase phase_ = Phase::kIdle;
    TimePoint due_{};
    Backoff retry_;
    Backoff visibility_;

    StreamedXids streamed_;
    std::optional<Xid> open_xid_;
    std::vector<Xid> rings_;  ///< transactions that ask for something, not known to be visible

    /// By which key a table is being read: `last_key` has values only.
    struct ReadBy {
        std::int64_t snapshot_id = 0;
        std::int32_t ordinal = 0;
        std::vector<std::string> columns{};

        bool operator==(const ReadBy&) const = default;
    };
    ReadBy read_by_;

    SnapshotWork work_;
    std::optional<SnapshotChunk> chunk_;
    std::string watermark_;
    std::unordered_map<std::string, std::size_t> row_of_key_;
    std::vector<bool> dropped_;              ///< by row of the chunk
    std::vector<std::size_t> key_position_;  ///< in the stream's tuples; empty = to be found
    std::string key_text_;
    std::vector<pgoutput::Tuple> left_;
    std::optional<Lsn> end_;

    debezium::JsonMembers members_;
};

}  // namespace holdfast::relay::capture
