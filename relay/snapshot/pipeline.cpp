#include "snapshot/pipeline.hpp"

#include <poll.h>

#include <algorithm>

#include "base/errors.hpp"
#include "base/poll.hpp"

namespace holdfast::relay::snapshot {
namespace {

using debezium::SnapshotMarker;
using std::chrono::microseconds;
using std::chrono::milliseconds;

/// A turn reads at most this many rows of a source before it looks at the others.
constexpr int kMaxBurstRows = 1'000;
/// The longest that run() waits without looking at the clock.
constexpr milliseconds kLongestWait{1'000};

/// What an acknowledgement comes back with: table and chunk in one number.
constexpr unsigned kTableShift = 40;

std::uint64_t ticket(std::size_t table, std::uint64_t chunk) {
    return (static_cast<std::uint64_t>(table) << kTableShift) | chunk;
}

}  // namespace

Pipeline::Pipeline(capture::RecordSink& sink, std::vector<Table> tables,
                   const std::vector<RowSource*>& sources, Ledger& ledger, const Clock& clock,
                   metrics::CaptureMetrics& metrics, PipelineOptions options)
    : options_(std::move(options)),
      ledger_(ledger),
      clock_(clock),
      events_(options_.connector, topics_, options_.run_id),
      sender_(sink, topics_, *this, metrics, nullptr),
      metrics_(metrics) {
    for (Table& table : tables) {
        Progress progress;
        progress.read_to = table.after;
        progress.sent_to = table.after;
        progress.rows_sent = table.rows_sent;
        progress.rows_read = table.rows_sent;
        any_row_ = any_row_ || table.rows_sent > 0;
        progress.table = std::move(table);
        tables_.push_back(std::move(progress));
    }
    for (RowSource* source : sources) {
        readers_.push_back({.source = source, .table = std::nullopt});
    }
}

bool Pipeline::run(const EventFd& stop) {
    std::optional<TimePoint> deadline;
    while (true) {
        turn();
        if (!deadline && done()) {
            return true;
        }
        const TimePoint now = clock_.now();
        if (deadline && (sender_.in_flight().count() == 0 || now >= *deadline)) {
            for (Progress& progress : tables_) {
                if (progress.save_due) {
                    save(progress);
                }
            }
            return false;
        }
        std::vector<pollfd> wait{{sender_.fd(), POLLIN, 0}, {deadline ? -1 : stop.fd(), POLLIN, 0}};
        if (may_read()) {
            for (const Reader& reader : readers_) {
                if (reader.table) {
                    wait.push_back({reader.source->fd(), POLLIN, 0});
                }
            }
        }
        wait_for(wait, more_to_read_ ? microseconds::zero() : microseconds(kLongestWait));
        if (wait[1].revents != 0) {
            deadline = clock_.now() + options_.drain_limit;
            stopping_ = true;
            for (Reader& reader : readers_) {
                reader.table.reset();
            }
            next_table_ = tables_.size();
        }
    }
}

void Pipeline::turn() {
    sender_.poll();
    sender_.throw_failure();
    more_to_read_ = false;
    if (send_waiting()) {
        for (Reader& reader : readers_) {
            if (may_read()) {
                more_to_read_ = read(reader) || more_to_read_;
            }
        }
        if (!stopping_ && all_read() && held_ && may_read()) {
            release_held(SnapshotMarker::kLast);
        }
    }
    if (all_read() || !may_read()) {
        // Nothing comes that could fill a batch.
        sender_.send_now();
    }
    save_due(clock_.now());
    sender_.publish_metrics();
}

bool Pipeline::done() const noexcept {
    return std::ranges::all_of(tables_, &Progress::completed);
}

bool Pipeline::all_read() const noexcept {
    return next_table_ == tables_.size() &&
           std::ranges::none_of(readers_,
                                [](const Reader& reader) { return reader.table.has_value(); });
}

bool Pipeline::at_bound() const noexcept {
    return sender_.in_flight().bytes() >= options_.max_in_flight_bytes;
}

// ---- Reading

bool Pipeline::read(Reader& reader) {
    for (int n = 0; n < kMaxBurstRows; ++n) {
        if (!reader.table) {
            if (next_table_ == tables_.size()) {
                return false;
            }
            reader.table = next_table_++;
            bind(tables_[*reader.table].table);
            begin_chunk(reader);
        }
        const RowSource::Next next = reader.source->next();
        if (next.kind == RowSource::Next::Kind::kNothing) {
            return false;
        }
        if (next.kind == RowSource::Next::Kind::kEnd) {
            end_chunk(reader, true);
            continue;
        }
        ++reader.rows;
        // The row beyond the chunk only tells that there is one.
        const bool beyond = reader.limit > 0 && reader.rows == reader.limit;
        if (!beyond) {
            take_row(reader, next.row, next.last);
        }
        if (next.last) {
            end_chunk(reader, !beyond);
            if (beyond) {
                begin_chunk(reader);
            }
        }
        if (!may_read()) {
            return false;
        }
    }
    return true;
}

void Pipeline::begin_chunk(Reader& reader) {
    Progress& progress = tables_[*reader.table];
    progress.chunks.emplace_back();
    reader.rows = 0;
    reader.limit = progress.table.key.empty() ? 0 : options_.chunk_rows + 1;
    reader.source->start(progress.table, progress.read_to, reader.limit);
}

void Pipeline::end_chunk(Reader& reader, bool final) {
    Progress& progress = tables_[*reader.table];
    Chunk& chunk = progress.chunks.back();
    chunk.read = true;
    chunk.final = final;
    chunk.last_key = progress.read_to;
    if (!progress.save_due) {
        progress.save_due = clock_.now() + options_.save_interval;
    }
    if (final) {
        reader.table.reset();
    }
}

void Pipeline::take_row(Reader& reader, pgoutput::Tuple row, bool final) {
    const std::size_t table = *reader.table;
    Progress& progress = tables_[table];
    Chunk& chunk = progress.chunks.back();
    const bool first = progress.rows_read == 0;
    const SnapshotMarker marker = !any_row_ ? SnapshotMarker::kFirst
                                  : final   ? SnapshotMarker::kLastInDataCollection
                                  : first   ? SnapshotMarker::kFirstInDataCollection
                                            : SnapshotMarker::kTrue;
    any_row_ = true;
    metrics_.initial_snapshot_rows.add();
    ++progress.rows_read;
    ++chunk.rows;
    ++chunk.unacknowledged;
    if (final || chunk.rows == options_.chunk_rows) {
        Key key;
        for (const std::size_t column : progress.table.key) {
            key.emplace_back(row[column].bytes);
        }
        progress.read_to = key.empty() ? std::nullopt : std::optional(std::move(key));
    }
    if (final) {
        hold(table, row, marker);
    } else {
        send(table, progress.first_chunk + progress.chunks.size() - 1, row, marker);
    }
}

void Pipeline::bind(const Table& table) {
    std::vector<pgoutput::Column> columns;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const auto found = std::ranges::find(table.description.columns, table.columns[i],
                                             &debezium::ColumnDescription::name);
        if (found == table.description.columns.end()) {
            throw RetryableError("table " + table.description.schema + "." +
                                 table.description.name + " has lost its column " +
                                 table.columns[i] + " while its snapshot was being prepared");
        }
        columns.push_back({.part_of_key = std::ranges::find(table.key, i) != table.key.end(),
                           .name = found->name,
                           .type = found->type,
                           .modifier = found->modifier});
    }
    events_.bind({.id = table.id,
                  .schema = table.description.schema,
                  .name = table.description.name,
                  .replica_identity = table.replica_identity,
                  .columns = columns},
                 table.description);
}

// ---- Sending

void Pipeline::hold(std::size_t table, pgoutput::Tuple row, SnapshotMarker marker) {
    Held held{.table = table,
              .chunk = tables_[table].first_chunk + tables_[table].chunks.size() - 1,
              .kinds = {},
              .bytes = {},
              .marker = marker};
    for (const pgoutput::Value& value : row) {
        held.kinds.push_back(value.kind);
        held.bytes.emplace_back(value.bytes);
    }
    if (held_) {
        release_held(held_->marker);
    }
    held_ = std::move(held);
}

void Pipeline::release_held(SnapshotMarker marker) {
    const Held held = std::move(*held_);
    held_.reset();
    std::vector<pgoutput::Value> row;
    for (std::size_t i = 0; i < held.kinds.size(); ++i) {
        row.push_back({held.kinds[i], held.bytes[i]});
    }
    send(held.table, held.chunk, row, marker);
}

void Pipeline::send(std::size_t table, std::uint64_t chunk, pgoutput::Tuple row,
                    SnapshotMarker marker) {
    const std::int64_t now_us = clock_.system_time().count();
    waiting_ = events_.snapshot_row(tables_[table].table.id, row, marker,
                                    {.lsn = options_.lsn, .xid = options_.xid, .now_us = now_us});
    waiting_origin_.transaction = ticket(table, chunk);
    waiting_origin_.lsn = options_.lsn;
    waiting_origin_.commit_time_us = now_us;
    if (waiting_.empty()) {
        on_acknowledged(waiting_origin_);
    }
    send_waiting();
}

bool Pipeline::send_waiting() {
    while (!waiting_.empty()) {
        if (!sender_.send(waiting_.front(), waiting_origin_)) {
            return false;
        }
        waiting_ = waiting_.subspan(1);
    }
    return true;
}

// ---- Progress

void Pipeline::on_acknowledged(const capture::InFlightRecord& record) {
    Progress& progress = tables_[record.transaction >> kTableShift];
    const std::uint64_t chunk = record.transaction & ((1ULL << kTableShift) - 1);
    --progress.chunks.at(chunk - progress.first_chunk).unacknowledged;
}

void Pipeline::save_due(TimePoint now) {
    for (Progress& progress : tables_) {
        const bool final = !progress.chunks.empty() && progress.chunks.back().final &&
                           std::ranges::all_of(progress.chunks, [](const Chunk& chunk) {
                               return chunk.unacknowledged == 0;
                           });
        if (final || (progress.save_due && now >= *progress.save_due)) {
            save(progress);
        }
    }
}

void Pipeline::save(Progress& progress) {
    bool advanced = false;
    while (!progress.chunks.empty() && progress.chunks.front().read &&
           progress.chunks.front().unacknowledged == 0) {
        const Chunk& chunk = progress.chunks.front();
        progress.sent_to = chunk.last_key;
        progress.rows_sent += chunk.rows;
        progress.completed = chunk.final;
        progress.chunks.pop_front();
        ++progress.first_chunk;
        advanced = true;
    }
    if (advanced) {
        ledger_.save(progress.table, progress.sent_to, progress.rows_sent, progress.completed);
    }
    progress.save_due.reset();
    if (std::ranges::any_of(progress.chunks, &Chunk::read)) {
        progress.save_due = clock_.now() + options_.save_interval;
    }
}

}  // namespace holdfast::relay::snapshot
