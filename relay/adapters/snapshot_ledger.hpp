// The extension's bookkeeping of a snapshot as snapshot::Ledger.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "postgres/session.hpp"
#include "postgres/snapshot_calls.hpp"
#include "snapshot/ledger.hpp"

namespace holdfast::relay::adapters {

class SnapshotLedger final : public snapshot::Ledger {
 public:
    /// `session` outlives this.
    SnapshotLedger(postgres::Session& session, std::int64_t snapshot_id)
        : session_(session), snapshot_id_(snapshot_id) {}

    void save(const snapshot::Table& table, const std::optional<snapshot::Key>& last_key,
              std::int64_t rows_sent, bool completed) override {
        postgres::save_snapshot_progress(session_, snapshot_id_, table.ordinal, last_key, rows_sent,
                                         completed, table.key_definition);
    }

 private:
    postgres::Session& session_;
    std::int64_t snapshot_id_;
};

}  // namespace holdfast::relay::adapters
