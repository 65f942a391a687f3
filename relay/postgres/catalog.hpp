// What the relay has to know about a database before it streams from it, read from the catalogs:
// the slot, the publication, the outbox table, the role, the server's limits.  Only facts: what
// they mean is decided by require_streamable() below, or listed as findings by `check`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.hpp"
#include "base/lsn.hpp"
#include "postgres/session.hpp"

namespace holdfast::relay::postgres {

inline constexpr int kOldestServerVersion = 150000;

struct SlotRow {
    std::string plugin;
    std::string slot_type;  ///< "logical"
    std::string database;
    std::optional<int> active_pid;
    std::string wal_status;  ///< reserved | extended | unreserved | lost; "" = unknown
    Lsn confirmed_flush;
    Lsn restart;
    bool temporary = false;
    std::optional<std::int64_t> safe_wal_bytes;  ///< empty = no limit is set
};

/// nullopt when there is no slot of that name.
[[nodiscard]] std::optional<SlotRow> read_slot(Session& session, std::string_view slot);

/// Makes the slot (persistent, not two-phase; a failover slot on 17 and later) for `plugin` after
/// checking that the publication exists: a slot that is older than its publication can never be
/// decoded.  Returns the consistent point.  Throws FatalError(kPublicationMissing), or SqlError
/// (42710 when the slot exists).
Lsn create_slot(Session& session, const std::string& slot, std::string_view publication,
                const std::string& plugin);

struct PublicationRow {
    bool publishes_insert = false;
    bool publishes_update = false;
    bool publishes_delete = false;
    bool publishes_truncate = false;
    bool via_partition_root = false;
    bool all_tables = false;
};
[[nodiscard]] std::optional<PublicationRow> read_publication(Session& session,
                                                             std::string_view publication);

struct PublishedTable {
    std::string name;  ///< schema.table, unquoted
    bool row_filter = false;
    /// Columns that are published, in table order.
    std::vector<std::string> columns;
    bool all_columns = true;  ///< false when a column list leaves some out
};
[[nodiscard]] std::vector<PublishedTable> read_published_tables(Session& session,
                                                                std::string_view publication);

struct ColumnRow {
    std::string name;
    std::string type;  ///< format_type(): "uuid", "text", "json", "timestamp with time zone"
};
/// Columns of "schema.table" in order; empty when there is no such table.
[[nodiscard]] std::vector<ColumnRow> read_columns(Session& session, std::string_view table);

struct ServerFacts {
    int version = 0;  ///< 150020
    std::string wal_level;
    std::int64_t max_wal_senders = 0;
    std::int64_t wal_senders_in_use = 0;
    std::int64_t max_replication_slots = 0;
    std::int64_t replication_slots_in_use = 0;
    std::int64_t wal_sender_timeout_ms = 0;
    std::int64_t max_slot_wal_keep_mb = 0;  ///< -1 = no limit
    bool in_recovery = false;
    std::string system_identifier;  ///< "" when the role may not read it
    std::string database;
    std::string extension_version;  ///< "" = holdfast is not installed here
};
[[nodiscard]] ServerFacts read_server(Session& session);

struct RoleFacts {
    std::string name;
    bool superuser = false;
    bool replication = false;
    bool can_login = false;
    std::int64_t connection_limit = -1;
    bool schema_usage = false;    ///< USAGE on schema holdfast
    bool can_call_inbox = false;  ///< EXECUTE on inbox_claim and inbox_apply
    bool can_report = false;      ///< EXECUTE on relay_report
    bool can_maintain = false;    ///< EXECUTE on maintain
};
[[nodiscard]] RoleFacts read_role(Session& session);

/// One thing that keeps the relay from streaming, or will.
struct Finding {
    ExitCode code;
    std::string message;
    std::string hint;
};

/// An outbox, and the columns of it that its event router needs.
struct OutboxRequirement {
    std::string table;  ///< schema.table, unquoted
    std::vector<std::string> columns;
};

/// Everything about server, role, slot, publication and outboxes that is wrong, worst first.
struct StreamRequirements {
    std::string slot;
    std::string publication;
    std::string plugin = "auto";  ///< of the slot: "auto" = any that is_readable_plugin()
    std::vector<OutboxRequirement> outboxes;
    std::string system_identifier;  ///< "" = any
    /// Whether the database has to have the extension; change events alone do without it.
    bool extension = true;
};
[[nodiscard]] std::vector<Finding> inspect(Session& session, const StreamRequirements& required);

/// Throws FatalError with the first finding's code and hint, if there is one.
void require_streamable(Session& session, const StreamRequirements& required);

}  // namespace holdfast::relay::postgres
