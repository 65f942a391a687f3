// Fits the database to incremental snapshots: a session of its own, made when it is first needed
// and again when it is lost.  Nothing that it does waits for long: not for a lock, not for a
// standby, not for a query that has to look at too much.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/errors.hpp"
#include "capture/chunk_source.hpp"
#include "postgres/chunk_reader.hpp"
#include "postgres/connect_options.hpp"
#include "postgres/session.hpp"

namespace holdfast::relay::adapters {

struct ChunkSourceOptions {
    std::string slot;
    std::string publication;
    std::int64_t chunk_rows = 1024;
};

class ChunkSource final : public capture::ChunkSource {
 public:
    ChunkSource(postgres::ConnectOptions connect, ChunkSourceOptions options, const Clock& clock);

    capture::TransactionHorizon horizon() override;
    std::optional<capture::SnapshotWork> next_work() override;
    std::optional<capture::SnapshotChunk> read(const capture::SnapshotWork& work,
                                               const capture::StreamedXids& streamed) override;
    void emit_watermark(const capture::SnapshotWork& work, const std::string& watermark) override;
    void record_progress(const capture::SnapshotWork& work, bool completed) override;
    void fail(const capture::SnapshotWork& work, const std::string& reason) override;

 private:
    template <typename Call>
    auto guarded(Call&& call);
    postgres::Session& session();
    void find_oldest_unknown(postgres::Session& session);
    [[nodiscard]] bool may_read(std::string_view snapshot, const capture::StreamedXids& streamed);

    postgres::ConnectOptions connect_;
    ChunkSourceOptions options_;
    const Clock& clock_;
    std::optional<postgres::Session> session_;

    /// What was streamed before this process began is not known.  With synchronous replication it
    /// may not be visible yet, so that everything before this one has to have ended first.
    std::optional<std::uint64_t> unknown_before_;
    bool looked_for_unknown_ = false;
};

/// "10:20:10,14" as pg_current_snapshot() writes it: xmin, xmax, those in progress.  Throws
/// RetryableError for anything else.
[[nodiscard]] capture::TransactionHorizon transaction_horizon(std::string_view snapshot);

/// What was read, as the stream would have it.
[[nodiscard]] capture::SnapshotChunk snapshot_chunk(const postgres::TableChunk& chunk,
                                                    std::int64_t read_time_us);

}  // namespace holdfast::relay::adapters
