// What people and alerts want to know of the snapshots of a slot, of both kinds, from the
// extension's tables (sql/parts/68-snapshots.sql).  Errors as Session::exec().
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "postgres/session.hpp"

namespace holdfast::relay::postgres {

/// The snapshots of one kind and status.
struct SnapshotCount {
    std::string kind;    ///< initial, incremental
    std::string status;  ///< as in holdfast.snapshot_run
    std::int64_t snapshots = 0;
    std::int64_t tables = 0;            ///< 0 for those that have ended
    std::int64_t tables_remaining = 0;  ///< of these, REQUESTED or RUNNING
    std::int64_t started_seconds = 0;   ///< the first, Unix time; 0 = none has, or they have ended
};

[[nodiscard]] std::vector<SnapshotCount> read_snapshot_counts(Session& session,
                                                              const std::string& slot);

/// A snapshot that has not ended, or that FAILED.
struct SnapshotOverview {
    std::int64_t id = 0;
    std::string kind;
    std::string status;
    std::string started_at;  ///< "" = not yet
    std::int64_t tables = 0;
    std::int64_t tables_completed = 0;
    std::int64_t rows_sent = 0;  ///< that Kafka has
    /// Of all its tables, by the planner's statistics; never less than rows_sent.  nullopt when a
    /// table has none, or only the rows are read that a condition is true for.
    std::optional<std::int64_t> rows_estimated;
    std::vector<std::string> reading;  ///< schema.table, as SQL writes them
    std::string last_error;
};

/// The oldest first, which is the order in which they are taken.
[[nodiscard]] std::vector<SnapshotOverview> read_snapshot_overview(Session& session,
                                                                   const std::string& slot);

}  // namespace holdfast::relay::postgres
