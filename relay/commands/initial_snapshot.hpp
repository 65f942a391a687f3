// The initial snapshot of `run`: whether one is due, and what it takes to take it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapters/snapshot_rows.hpp"
#include "base/clock.hpp"
#include "base/event_fd.hpp"
#include "capture/record_sink.hpp"
#include "commands/stream_preparation.hpp"
#include "config/config.hpp"
#include "metrics/relay_metrics.hpp"
#include "postgres/catalog.hpp"
#include "postgres/exported_snapshot.hpp"
#include "postgres/session.hpp"
#include "postgres/snapshot_calls.hpp"
#include "snapshot/mode.hpp"
#include "snapshot/table.hpp"

namespace holdfast::relay::commands {

class InitialSnapshot {
 public:
    /// All references must outlive this.
    InitialSnapshot(const config::Config& config, const postgres::StreamRequirements& required,
                    std::string run_id, const Clock& clock, metrics::RelayMetrics& metrics);

    /// snapshot.mode is initial_only: nothing comes behind the snapshot.
    [[nodiscard]] bool nothing_follows() const noexcept {
        return mode_ == snapshot::Mode::kInitialOnly;
    }

    /// Before the slot is looked at: which step is next, with what is there now.  From then on no
    /// other relay takes a snapshot for the slot, as long as `session` lives.  Throws
    /// SlotInUseError when another one does, SqlError, RetryableError; FatalError kConfig when the
    /// extension is missing that keeps the progress.
    [[nodiscard]] snapshot::Step next_step(postgres::Session& session, SlotPolicy policy) const;

    /// Before a slot is made: notes that it needs a snapshot, so that it is never streamed from
    /// without one, whatever happens in between.  What an earlier slot's has sent does not count.
    void announce(postgres::Session& session) const;

    /// Takes the snapshot or goes on with it.  `exported` is nullopt unless it was made with the
    /// slot.  Returns false when `stop` was signalled first.  Throws what the snapshot's pipeline
    /// throws; FatalError kPermissionDenied.
    bool take(postgres::Session& session, snapshot::Step step,
              std::optional<postgres::ExportedSnapshot> exported, capture::RecordSink& sink,
              const EventFd& stop);

 private:
    struct Run {
        std::int64_t id = 0;
        std::vector<snapshot::Table> tables;  ///< that are not completed
    };
    [[nodiscard]] adapters::SnapshotTables read_tables(postgres::Session& session) const;
    /// Notes it instead of an unfinished one.
    Run begin(postgres::Session& session, const adapters::SnapshotTables& tables, Lsn lsn) const;
    /// nullopt = none of its tables is known yet.
    std::optional<Run> resume(postgres::Session& session,
                              const adapters::SnapshotTables& tables) const;

    const config::Config& config_;
    const postgres::StreamRequirements& required_;
    std::string run_id_;
    const Clock& clock_;
    metrics::RelayMetrics& metrics_;
    snapshot::Mode mode_;
    bool taken_ = false;  ///< by this process
};

}  // namespace holdfast::relay::commands
