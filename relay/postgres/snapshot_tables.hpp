// What a snapshot reads: the tables of a publication, their columns, and the key by which a table
// can be read in pieces.
//
// Source: PostgreSQL manual, "Subscription" (initial table synchronisation), pg_publication_tables.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/session.hpp"

namespace holdfast::relay::postgres {

struct SnapshotColumn {
    std::string name;
    std::uint32_t type = 0;
    std::int32_t modifier = -1;
    /// GENERATED ... STORED: a snapshot can read it, the stream does not have it.
    bool generated = false;

    bool operator==(const SnapshotColumn&) const = default;
};

struct SnapshotTable {
    std::uint32_t oid = 0;
    std::string schema;
    std::string name;
    bool partitioned = false;
    char replica_identity = 'd';            ///< pg_class.relreplident
    std::optional<std::string> row_filter;  ///< of the publication, as SQL
    /// Those that the publication lets through, in attnum order; generated ones too, unless it has
    /// a list of columns.
    std::vector<SnapshotColumn> columns;
    /// Columns whose values name a row, in the order of an index, never NULL, all of them among
    /// `columns`, and in every old row that the stream sends: of the replica identity's index, else
    /// of the primary key, else of the first unique index that serves.  Empty = there are none.
    std::vector<std::string> key;
    /// What a position in the key depends on, of each of its columns as SQL: name, type without
    /// modifier, and collation if it is not that of the type.
    std::vector<std::string> key_definition{};
    /// A type in the key that a table cannot be read by: one whose operators are found by the
    /// search_path, so that `>` may be another order than the index has (of an extension), a
    /// composite one, of which no literal can be compared, or a domain over those.  "" = none.
    std::string key_type_elsewhere{};
};

/// In the order of schema and name.  Throws as Session::exec().
[[nodiscard]] std::vector<SnapshotTable> read_snapshot_tables(Session& session,
                                                              const std::string& publication);

/// One of them; nullopt = the publication does not have it.
[[nodiscard]] std::optional<SnapshotTable> read_snapshot_table(Session& session,
                                                               const std::string& publication,
                                                               const std::string& schema,
                                                               const std::string& name);

/// Which rows of a table.
struct ChunkRange {
    /// SQL of each key value that the rows are behind: `$1`, or literals where a statement takes no
    /// parameters.  Empty = from the first on.
    std::vector<std::string> after;
    /// The same of the last of them.  Empty = to the end.
    std::vector<std::string> up_to{};
    std::int64_t limit = 0;                  ///< 0 = all
    std::optional<std::string> condition{};  ///< SQL, in addition to the publication's row filter
};

/// SELECT of `columns` of the rows in `range`, in the order of the key if there is one.
[[nodiscard]] std::string chunk_query(const Session& session, const SnapshotTable& table,
                                      const std::vector<std::string>& columns,
                                      const ChunkRange& range);

}  // namespace holdfast::relay::postgres
