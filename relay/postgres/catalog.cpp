#include "postgres/catalog.hpp"

#include <algorithm>
#include <utility>

#include "postgres/output_plugin.hpp"

namespace holdfast::relay::postgres {
namespace {

Lsn lsn_of(std::string_view text) {
    return Lsn::parse(text).value_or(Lsn{});
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

std::string version_text(int version) {
    return std::to_string(version / 10'000) + "." + std::to_string(version % 10'000);
}

/// Adds findings in the order of the questions that an operator would ask.
class Inspection {
 public:
    Inspection(Session& session, const StreamRequirements& required)
        : session_(session), required_(required), server_(read_server(session)) {}

    std::vector<Finding> run() {
        inspect_server();
        inspect_role();
        inspect_publication();
        for (const OutboxRequirement& outbox : required_.outboxes) {
            inspect_outbox(outbox);
        }
        inspect_slot();
        return std::move(findings_);
    }

 private:
    void add(ExitCode code, std::string message, std::string hint) {
        findings_.push_back({code, std::move(message), std::move(hint)});
    }

    void inspect_server() {
        if (!required_.system_identifier.empty() && !server_.system_identifier.empty() &&
            server_.system_identifier != required_.system_identifier) {
            add(ExitCode::kWrongCluster,
                "this is cluster " + server_.system_identifier + ", not " +
                    required_.system_identifier,
                "The address leads to another cluster: check [postgres] dsn. After a deliberate "
                "move see \"wrong cluster\" in docs/operations.md.");
        }
        if (server_.version < kOldestServerVersion) {
            add(ExitCode::kConfig, "PostgreSQL " + version_text(server_.version) + " is too old",
                "holdfast needs PostgreSQL 15 or later.");
        }
        if (server_.wal_level != "logical") {
            add(ExitCode::kConfig, "wal_level is " + server_.wal_level + ", not logical",
                "ALTER SYSTEM SET wal_level = 'logical', then restart the server.");
        }
        if (server_.in_recovery) {
            add(ExitCode::kConfig, "the server is a standby",
                "Point [postgres] dsn at the primary, or name all hosts in it.");
        }
        if (server_.max_wal_senders == 0) {
            add(ExitCode::kConfig, "max_wal_senders is 0",
                "ALTER SYSTEM SET max_wal_senders = 10, then restart the server.");
        }
        if (required_.extension && server_.extension_version.empty()) {
            add(ExitCode::kConfig,
                "the extension holdfast is not installed in database " + server_.database,
                "CREATE EXTENSION holdfast in that database, or check dbname in the dsn.");
        }
    }

    void inspect_role() {
        const RoleFacts role = read_role(session_);
        if (!role.superuser && !role.replication) {
            add(ExitCode::kPermissionDenied, "role " + role.name + " has no REPLICATION attribute",
                "ALTER ROLE " + session_.quote_identifier(role.name) + " REPLICATION");
        }
        if (!server_.extension_version.empty() && !role.superuser &&
            (!role.schema_usage || !role.can_report)) {
            add(ExitCode::kPermissionDenied,
                "role " + role.name + " may not use the functions of schema holdfast",
                "SELECT holdfast.grant_relay('" + role.name + "') as administrator.");
        }
    }

    void inspect_publication() {
        const auto publication = read_publication(session_, required_.publication);
        if (!publication) {
            add(ExitCode::kPublicationMissing, "there is no publication " + required_.publication,
                "`holdfast-relay init` makes it, or says with which statement; before the slot.");
            return;
        }
        if (!publication->publishes_insert) {
            add(ExitCode::kPublicationChanged,
                "publication " + required_.publication + " does not publish inserts",
                "ALTER PUBLICATION ... SET (publish = 'insert'). Events written meanwhile are not "
                "in the stream: see \"publication changed\" in docs/operations.md.");
        }
        const bool has_partitions = std::ranges::any_of(
            required_.outboxes,
            [this](const OutboxRequirement& outbox) { return is_partitioned(outbox.table); });
        if (!publication->via_partition_root && has_partitions) {
            add(ExitCode::kPublicationChanged,
                "publication " + required_.publication +
                    " publishes partitions under their own names",
                "ALTER PUBLICATION ... SET (publish_via_partition_root = true).");
        }
        const auto tables = read_published_tables(session_, required_.publication);
        for (const OutboxRequirement& outbox : required_.outboxes) {
            inspect_published(tables, outbox.table);
        }
    }

    void inspect_published(const std::vector<PublishedTable>& tables, const std::string& table) {
        const auto outbox = std::ranges::find(tables, table, &PublishedTable::name);
        if (outbox == tables.end()) {
            add(ExitCode::kPublicationChanged,
                "publication " + required_.publication + " does not contain " + table,
                "ALTER PUBLICATION ... ADD TABLE. Events written meanwhile are not in the stream: "
                "see \"publication changed\" in docs/operations.md.");
            return;
        }
        if (outbox->row_filter || !outbox->all_columns) {
            add(ExitCode::kPublicationChanged,
                "publication " + required_.publication + " leaves out " +
                    (outbox->row_filter ? "rows" : "columns") + " of " + table,
                "Remove the row filter or column list: an event must be published whole.");
        }
    }

    /// Only then does it matter under which name the rows are published.
    bool is_partitioned(const std::string& table) {
        const Result row = session_.exec(
            "SELECT count(*) FROM pg_catalog.pg_class c "
            "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname || '.' || c.relname = $1 AND c.relkind = 'p'",
            {table.c_str()});
        return row.int64(0, 0) > 0;
    }

    void inspect_outbox(const OutboxRequirement& outbox) {
        const auto columns = read_columns(session_, outbox.table);
        if (columns.empty()) {
            add(ExitCode::kOutboxShapeChanged, "there is no table " + outbox.table,
                "Check `table` in [outbox], and that the extension is installed here.");
            return;
        }
        std::vector<std::string> missing;
        for (const std::string& column : outbox.columns) {
            if (std::ranges::find(columns, column, &ColumnRow::name) == columns.end()) {
                missing.push_back(column);
            }
        }
        if (!missing.empty()) {
            add(ExitCode::kOutboxShapeChanged, outbox.table + " has no column " + joined(missing),
                "Check the table.field.event.* options in [outbox].");
        }
    }

    void inspect_slot() {
        const auto slot = read_slot(session_, required_.slot);
        if (!slot) {
            add(ExitCode::kSlotMissing, "there is no replication slot " + required_.slot,
                "For a new installation: holdfast-relay init. If the slot existed before, see "
                "\"slot missing\" in docs/operations.md: events may not have been sent.");
            if (server_.replication_slots_in_use >= server_.max_replication_slots) {
                add(ExitCode::kConfig, "all replication slots of the server are in use",
                    "Raise max_replication_slots, or drop a slot that nobody reads.");
            }
            return;
        }
        if (slot->slot_type != "logical" || !is_readable_plugin(slot->plugin)) {
            add(ExitCode::kConfig,
                "slot " + required_.slot + " is not a logical slot of pgoutput or holdfast",
                "Choose another name for [postgres] slot.");
        } else if (required_.plugin != "auto" && required_.plugin != slot->plugin) {
            add(ExitCode::kConfig,
                "slot " + required_.slot + " has the plugin " + slot->plugin +
                    ", and [postgres] plugin is " + required_.plugin,
                "A slot keeps its plugin: correct the key, or copy the slot to one of the other "
                "plugin as \"output plugin\" in docs/operations.md shows.");
        } else if (slot->database != server_.database) {
            add(ExitCode::kConfig,
                "slot " + required_.slot + " belongs to database " + slot->database + ", not " +
                    server_.database,
                "Check dbname in [postgres] dsn.");
        } else if (slot->temporary) {
            add(ExitCode::kConfig, "slot " + required_.slot + " is temporary",
                "It would vanish with the session that made it: choose another name.");
        } else if (slot->wal_status == "lost") {
            add(ExitCode::kSlotLost,
                "the server has removed WAL that slot " + required_.slot + " still needed",
                "Raise max_slot_wal_keep_size, then see \"slot lost\" in docs/operations.md: "
                "events "
                "of that time are still in the outbox table.");
        }
    }

    Session& session_;
    const StreamRequirements& required_;
    ServerFacts server_;
    std::vector<Finding> findings_;
};

}  // namespace

std::optional<SlotRow> read_slot(Session& session, std::string_view slot) {
    const Result row = session.exec(
        "SELECT plugin, slot_type, database, active_pid, wal_status, confirmed_flush_lsn, "
        "restart_lsn, temporary, safe_wal_size "
        "FROM pg_catalog.pg_replication_slots WHERE slot_name = $1",
        {std::string(slot).c_str()});
    if (row.empty()) {
        return std::nullopt;
    }
    SlotRow found{.plugin = std::string(row.text(0, 0)),
                  .slot_type = std::string(row.text(0, 1)),
                  .database = std::string(row.text(0, 2)),
                  .active_pid = std::nullopt,
                  .wal_status = std::string(row.text(0, 4)),
                  .confirmed_flush = lsn_of(row.text(0, 5)),
                  .restart = lsn_of(row.text(0, 6)),
                  .temporary = row.boolean(0, 7),
                  .safe_wal_bytes = std::nullopt};
    if (!row.is_null(0, 3)) {
        found.active_pid = static_cast<int>(row.int64(0, 3));
    }
    if (!row.is_null(0, 8)) {
        found.safe_wal_bytes = row.int64(0, 8);
    }
    return found;
}

Lsn create_slot(Session& session, const std::string& slot, std::string_view publication,
                const std::string& plugin) {
    if (!read_publication(session, publication)) {
        throw FatalError(ExitCode::kPublicationMissing,
                         "there is no publication " + std::string(publication),
                         "Make it first: `holdfast-relay init` does, or says with which statement. "
                         "A slot that is older than its publication can never be read.");
    }
    // 17 and later: a slot that standbys may keep a copy of.
    const char* statement = session.server_version() >= 170'000
                                ? "SELECT lsn FROM pg_catalog.pg_create_logical_replication_slot("
                                  "$1, $2, false, false, true)"
                                : "SELECT lsn FROM pg_catalog.pg_create_logical_replication_slot("
                                  "$1, $2, false, false)";
    const Result row = session.exec(statement, {slot.c_str(), plugin.c_str()});
    return lsn_of(row.text(0, 0));
}

std::optional<PublicationRow> read_publication(Session& session, std::string_view publication) {
    const Result row = session.exec(
        "SELECT pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot, puballtables "
        "FROM pg_catalog.pg_publication WHERE pubname = $1",
        {std::string(publication).c_str()});
    if (row.empty()) {
        return std::nullopt;
    }
    return PublicationRow{.publishes_insert = row.boolean(0, 0),
                          .publishes_update = row.boolean(0, 1),
                          .publishes_delete = row.boolean(0, 2),
                          .publishes_truncate = row.boolean(0, 3),
                          .via_partition_root = row.boolean(0, 4),
                          .all_tables = row.boolean(0, 5)};
}

std::vector<PublishedTable> read_published_tables(Session& session, std::string_view publication) {
    const Result rows = session.exec(
        "SELECT t.schemaname || '.' || t.tablename, t.rowfilter IS NOT NULL, a.attname, "
        "       a.attname = ANY (t.attnames) "
        "FROM pg_catalog.pg_publication_tables t "
        "JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname "
        "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename "
        "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
        "                              AND NOT a.attisdropped AND a.attgenerated = '' "
        "WHERE t.pubname = $1 ORDER BY 1, a.attnum",
        {std::string(publication).c_str()});
    std::vector<PublishedTable> tables;
    for (int row = 0; row < rows.rows(); ++row) {
        const std::string_view name = rows.text(row, 0);
        if (tables.empty() || tables.back().name != name) {
            tables.push_back({.name = std::string(name),
                              .row_filter = rows.boolean(row, 1),
                              .columns = {},
                              .all_columns = true});
        }
        if (rows.boolean(row, 3)) {
            tables.back().columns.emplace_back(rows.text(row, 2));
        } else {
            tables.back().all_columns = false;
        }
    }
    return tables;
}

std::vector<ColumnRow> read_columns(Session& session, std::string_view table) {
    const std::size_t dot = table.find('.');
    const std::string schema(table.substr(0, dot == std::string_view::npos ? 0 : dot));
    const std::string name(dot == std::string_view::npos ? table : table.substr(dot + 1));
    const Result rows = session.exec(
        "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) "
        "FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
        "WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p') "
        "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        {schema.c_str(), name.c_str()});
    std::vector<ColumnRow> columns;
    columns.reserve(static_cast<std::size_t>(rows.rows()));
    for (int row = 0; row < rows.rows(); ++row) {
        columns.push_back({std::string(rows.text(row, 0)), std::string(rows.text(row, 1))});
    }
    return columns;
}

ServerFacts read_server(Session& session) {
    const Result row = session.exec(
        "SELECT current_setting('wal_level'), current_setting('max_wal_senders'), "
        "       (SELECT count(*) FROM pg_catalog.pg_stat_activity "
        "        WHERE backend_type = 'walsender'), "
        "       current_setting('max_replication_slots'), "
        "       (SELECT count(*) FROM pg_catalog.pg_replication_slots), "
        "       (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'), "
        "       (SELECT setting FROM pg_catalog.pg_settings "
        "        WHERE name = 'max_slot_wal_keep_size'), "
        "       pg_catalog.pg_is_in_recovery(), "
        "       pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE'), "
        "       current_database(), "
        "       (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'holdfast')");
    ServerFacts facts{.version = session.server_version(),
                      .wal_level = std::string(row.text(0, 0)),
                      .max_wal_senders = row.int64(0, 1),
                      .wal_senders_in_use = row.int64(0, 2),
                      .max_replication_slots = row.int64(0, 3),
                      .replication_slots_in_use = row.int64(0, 4),
                      .wal_sender_timeout_ms = row.int64(0, 5),
                      .max_slot_wal_keep_mb = row.int64(0, 6),
                      .in_recovery = row.boolean(0, 7),
                      .system_identifier = {},
                      .database = std::string(row.text(0, 9)),
                      .extension_version = std::string(row.text(0, 10))};
    if (row.boolean(0, 8)) {
        const Result identifier =
            session.exec("SELECT system_identifier FROM pg_catalog.pg_control_system()");
        facts.system_identifier = identifier.text(0, 0);
    }
    return facts;
}

RoleFacts read_role(Session& session) {
    const Result row = session.exec(
        "SELECT r.rolname, r.rolsuper, r.rolreplication, r.rolcanlogin, r.rolconnlimit, "
        "  coalesce((SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE') "
        "            FROM pg_catalog.pg_namespace n WHERE n.nspname = 'holdfast'), false), "
        "  f.inbox, f.report, f.maintain "
        "FROM pg_catalog.pg_roles r, LATERAL ("
        "  SELECT count(DISTINCT p.proname) FILTER "
        "           (WHERE p.proname IN ('inbox_claim', 'inbox_apply') AND x.allowed) = 2 AS inbox,"
        "         coalesce(bool_or(x.allowed) FILTER (WHERE p.proname = 'relay_report'), false) "
        "           AS report, "
        "         coalesce(bool_or(x.allowed) FILTER (WHERE p.proname = 'maintain'), false) "
        "           AS maintain "
        "  FROM pg_catalog.pg_proc p "
        "  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'holdfast', "
        "  LATERAL (SELECT pg_catalog.has_function_privilege(p.oid, 'EXECUTE') AS allowed) x"
        ") f WHERE r.rolname = current_user");
    return {.name = std::string(row.text(0, 0)),
            .superuser = row.boolean(0, 1),
            .replication = row.boolean(0, 2),
            .can_login = row.boolean(0, 3),
            .connection_limit = row.int64(0, 4),
            .schema_usage = row.boolean(0, 5),
            .can_call_inbox = row.boolean(0, 6),
            .can_report = row.boolean(0, 7),
            .can_maintain = row.boolean(0, 8)};
}

std::vector<Finding> inspect(Session& session, const StreamRequirements& required) {
    return Inspection(session, required).run();
}

void require_streamable(Session& session, const StreamRequirements& required) {
    const std::vector<Finding> findings = inspect(session, required);
    if (!findings.empty()) {
        throw FatalError(findings.front().code, findings.front().message, findings.front().hint);
    }
}

}  // namespace holdfast::relay::postgres
