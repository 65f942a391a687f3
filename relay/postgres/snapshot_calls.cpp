#include "postgres/snapshot_calls.hpp"

#include "postgres/array_literal.hpp"

namespace holdfast::relay::postgres {
namespace {

std::string number(std::int64_t value) {
    return std::to_string(value);
}

}  // namespace

std::optional<SnapshotRunRow> read_last_initial_snapshot(Session& session,
                                                         const std::string& slot) {
    const Result rows = session.exec(
        "SELECT snapshot_id, status, snapshot_lsn FROM holdfast.snapshot_run "
        "WHERE slot = $1::name AND kind = 'initial' ORDER BY snapshot_id DESC LIMIT 1",
        {slot.c_str()});
    if (rows.empty()) {
        return std::nullopt;
    }
    return SnapshotRunRow{.id = rows.int64(0, 0),
                          .status = std::string(rows.text(0, 1)),
                          .lsn = Lsn::parse(rows.text(0, 2)).value_or(Lsn{})};
}

std::vector<SnapshotTableRow> read_snapshot_progress(Session& session, std::int64_t snapshot_id) {
    const Result rows = session.exec(
        "SELECT t.ordinal, t.schema_name, t.table_name, t.status = 'COMPLETED', t.rows_sent, "
        "       k.value, k.name "
        "FROM holdfast.snapshot_table t "
        "LEFT JOIN LATERAL ROWS FROM (pg_catalog.unnest(t.last_key), "
        "                             pg_catalog.unnest(t.key_columns)) "
        "  WITH ORDINALITY AS k (value, name, place) ON true "
        "WHERE t.snapshot_id = $1::bigint ORDER BY t.ordinal, k.place",
        {number(snapshot_id).c_str()});
    std::vector<SnapshotTableRow> tables;
    for (int row = 0; row < rows.rows(); ++row) {
        const auto ordinal = static_cast<int>(rows.int64(row, 0));
        if (tables.empty() || tables.back().ordinal != ordinal) {
            tables.push_back({.ordinal = ordinal,
                              .schema = std::string(rows.text(row, 1)),
                              .table = std::string(rows.text(row, 2)),
                              .completed = rows.boolean(row, 3),
                              .last_key = std::nullopt,
                              .key_columns = {},
                              .rows_sent = rows.int64(row, 4)});
        }
        if (const auto value = rows.nullable(row, 5)) {
            std::optional<std::vector<std::string>>& key = tables.back().last_key;
            if (!key) {
                key.emplace();
            }
            key->emplace_back(*value);
        }
        if (const auto name = rows.nullable(row, 6)) {
            tables.back().key_columns.emplace_back(*name);
        }
    }
    return tables;
}

std::int64_t start_snapshot(Session& session, const std::string& slot,
                            const std::vector<std::pair<std::string, std::string>>& tables,
                            Lsn lsn) {
    ArrayLiteral schemas;
    ArrayLiteral names;
    for (const auto& [schema, name] : tables) {
        schemas.append(schema);
        names.append(name);
    }
    const std::string position = lsn.to_string();
    return session
        .exec("SELECT holdfast.snapshot_start($1::name, $2::text[], $3::text[], $4::pg_lsn)",
              {slot.c_str(), schemas.c_str(), names.c_str(), position.c_str()})
        .int64(0, 0);
}

int add_snapshot_table(Session& session, std::int64_t snapshot_id, const std::string& schema,
                       const std::string& table) {
    const Result row = session.exec("SELECT holdfast.snapshot_add($1::bigint, $2, $3)",
                                    {number(snapshot_id).c_str(), schema.c_str(), table.c_str()});
    return static_cast<int>(row.int64(0, 0));
}

bool skip_snapshot_table(Session& session, std::int64_t snapshot_id, int ordinal) {
    const Result row = session.exec("SELECT holdfast.snapshot_skip($1::bigint, $2::int)",
                                    {number(snapshot_id).c_str(), number(ordinal).c_str()});
    return row.boolean(0, 0);
}

void save_snapshot_progress(Session& session, std::int64_t snapshot_id, int ordinal,
                            const std::optional<std::vector<std::string>>& last_key,
                            std::int64_t rows_sent, bool completed,
                            const std::vector<std::string>& key_columns) {
    ArrayLiteral names;
    for (const std::string& name : key_columns) {
        names.append(name);
    }
    ArrayLiteral key;
    if (last_key) {
        for (const std::string& value : *last_key) {
            key.append(value);
        }
    }
    session.exec(
        "SELECT holdfast.snapshot_progress($1::bigint, $2::int, $3::text[], $4::bigint, "
        "$5::boolean, $6::text[])",
        {number(snapshot_id).c_str(), number(ordinal).c_str(), last_key ? key.c_str() : nullptr,
         number(rows_sent).c_str(), completed ? "true" : "false",
         key_columns.empty() ? nullptr : names.c_str()});
}

void end_snapshot(Session& session, std::int64_t snapshot_id, const char* status,
                  const char* error) {
    session.exec("SELECT holdfast.snapshot_end($1::bigint, $2, $3)",
                 {number(snapshot_id).c_str(), status, error});
}

}  // namespace holdfast::relay::postgres
