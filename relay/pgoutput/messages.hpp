// The messages of PostgreSQL's logical replication protocol, version 1, as plain structs.  They own
// nothing: every view points into the frame that was decoded or into the decoder's buffers, and is
// valid until the decoder reads the next frame.
//
// Source: PostgreSQL manual, "Logical Replication Message Formats".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "base/lsn.hpp"

namespace holdfast::relay::pgoutput {

/// The OID by which changes refer to a Relation message.  Valid within one stream.
struct RelationId {
    std::uint32_t value = 0;
    auto operator<=>(const RelationId&) const = default;
};

/// OID of a data type, as in pg_type.
struct TypeId {
    std::uint32_t value = 0;
    bool operator==(const TypeId&) const = default;
};

/// Microseconds since 2000-01-01 00:00 UTC.
struct Timestamp {
    std::int64_t value = 0;
    auto operator<=>(const Timestamp&) const = default;

    /// Since 1970-01-01 00:00 UTC.
    [[nodiscard]] constexpr std::int64_t unix_microseconds() const { return value + kEpochOffset; }

 private:
    static constexpr std::int64_t kEpochOffset = 946'684'800LL * 1'000'000LL;
};

/// A column's value in a row.
struct Value {
    enum class Kind : char {
        kNull = 'n',
        kUnchanged = 'u',  ///< a TOASTed value that the update left alone: not sent
        kText = 't',
        kBinary = 'b',
    };
    Kind kind = Kind::kNull;
    std::string_view bytes;  ///< empty unless text or binary

    bool operator==(const Value&) const = default;
};

/// One value per column of the relation, in its order.
using Tuple = std::span<const Value>;

struct Begin {
    Lsn final_lsn;  ///< start of the commit record
    Timestamp commit_time;
    Xid xid;
};

struct Commit {
    std::uint8_t flags = 0;  ///< unused, 0
    Lsn commit_lsn;          ///< start of the commit record
    Lsn end_lsn;             ///< end of the commit record: what may be confirmed
    Timestamp commit_time;
};

struct Origin {
    Lsn commit_lsn;
    std::string_view name;
};

struct Column {
    bool part_of_key = false;
    std::string_view name;
    TypeId type;
    std::int32_t modifier = 0;
};

/// Comes before the first change of a relation and again whenever its definition has changed.
struct Relation {
    RelationId id;
    std::string_view schema;  ///< empty means pg_catalog
    std::string_view name;
    char replica_identity = 0;  ///< as pg_class.relreplident
    std::span<const Column> columns;
};

struct Type {
    TypeId id;
    std::string_view schema;  ///< empty means pg_catalog
    std::string_view name;
};

struct Insert {
    RelationId relation;
    Tuple new_row;
};

/// The old row of an update or delete, and how much of it there is.
struct OldRow {
    enum class Kind : char {
        kKey = 'K',   ///< only the columns of the replica identity; the others are null
        kFull = 'O',  ///< REPLICA IDENTITY FULL
    };
    Kind kind = Kind::kKey;
    Tuple row;
};

struct Update {
    RelationId relation;
    std::optional<OldRow> old_row;  ///< only when the key has changed, or with FULL
    Tuple new_row;
};

struct Delete {
    RelationId relation;
    OldRow old_row;
};

struct Truncate {
    bool cascade = false;
    bool restart_identity = false;
    std::span<const RelationId> relations;
};

/// pg_logical_emit_message()
struct LogicalMessage {
    bool transactional = false;
    Lsn lsn;  ///< end of the message's record
    std::string_view prefix;
    std::string_view content;
};

using Message = std::variant<Begin, Commit, Origin, Relation, Type, Insert, Update, Delete,
                             Truncate, LogicalMessage>;

}  // namespace holdfast::relay::pgoutput
