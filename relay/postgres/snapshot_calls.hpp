// The extension's bookkeeping of initial snapshots (sql/parts/68-snapshots.sql) as calls on one
// session.  Errors as Session::exec().
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/lsn.hpp"
#include "postgres/session.hpp"

namespace holdfast::relay::postgres {

struct SnapshotRunRow {
    std::int64_t id = 0;
    std::string status;  ///< RUNNING, COMPLETED, STOPPED, FAILED
    Lsn lsn;             ///< where it was taken; 0 = it has only been announced
};

struct SnapshotTableRow {
    int ordinal = 0;
    std::string schema;
    std::string table;
    bool completed = false;
    std::optional<std::vector<std::string>> last_key;
    std::vector<std::string> key_columns;  ///< definition of the key whose values last_key has
    std::int64_t rows_sent = 0;
};

/// The newest initial snapshot of the slot.
[[nodiscard]] std::optional<SnapshotRunRow> read_last_initial_snapshot(Session& session,
                                                                       const std::string& slot);

/// In their order.
[[nodiscard]] std::vector<SnapshotTableRow> read_snapshot_progress(Session& session,
                                                                   std::int64_t snapshot_id);

/// `tables` as schema and name, which get the ordinals from 1 on.  Returns the snapshot's id.
std::int64_t start_snapshot(Session& session, const std::string& slot,
                            const std::vector<std::pair<std::string, std::string>>& tables,
                            Lsn lsn);

/// A table that an unfinished snapshot is to read besides.  Returns its ordinal, the last.
int add_snapshot_table(Session& session, std::int64_t snapshot_id, const std::string& schema,
                       const std::string& table);

/// A table that is gone: the snapshot goes on without the rest of it.  False when nothing was to be
/// read of it any more.
bool skip_snapshot_table(Session& session, std::int64_t snapshot_id, int ordinal);

void save_snapshot_progress(Session& session, std::int64_t snapshot_id, int ordinal,
                            const std::optional<std::vector<std::string>>& last_key,
                            std::int64_t rows_sent, bool completed,
                            const std::vector<std::string>& key_columns);

/// `status`: COMPLETED, STOPPED or FAILED; `error`: why, nullptr = nothing to say.
void end_snapshot(Session& session, std::int64_t snapshot_id, const char* status,
                  const char* error = nullptr);

}  // namespace holdfast::relay::postgres
