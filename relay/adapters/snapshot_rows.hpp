// A session under an exported snapshot as snapshot::RowSource.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "pgoutput/messages.hpp"
#include "postgres/copy_reader.hpp"
#include "postgres/copy_row.hpp"
#include "postgres/session.hpp"
#include "postgres/snapshot_tables.hpp"
#include "snapshot/row_source.hpp"

namespace holdfast::relay::adapters {

/// By OID.
using SnapshotTables = std::unordered_map<std::uint32_t, postgres::SnapshotTable>;

class SnapshotRows final : public snapshot::RowSource {
 public:
    /// `tables` outlives this.
    SnapshotRows(postgres::Session session, const SnapshotTables& tables)
        : session_(std::move(session)), reader_(session_), tables_(tables) {}
    SnapshotRows(const SnapshotRows&) = delete;
    SnapshotRows& operator=(const SnapshotRows&) = delete;

    void start(const snapshot::Table& table, const std::optional<snapshot::Key>& after,
               std::int64_t limit) override;
    Next next() override;
    [[nodiscard]] int fd() const override { return reader_.fd(); }

    /// Of the transaction that reads.
    [[nodiscard]] Xid transaction_id();

 private:
    postgres::Session session_;
    postgres::CopyReader reader_;
    const SnapshotTables& tables_;
    /// Throws RetryableError when another snapshot is needed to see the rows of the table.
    void require_not_rewritten();

    std::string table_;      ///< that is being read, for messages
    std::uint32_t oid_ = 0;  ///< of it
    bool checked_ = false;   ///< it has not been rewritten, and cannot be any more
    std::vector<postgres::CopyField> fields_;
    std::vector<pgoutput::Value> values_;
};

}  // namespace holdfast::relay::adapters
