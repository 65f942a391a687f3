#include "postgres/snapshot_overview.hpp"

#include <cstddef>

namespace holdfast::relay::postgres {

std::vector<SnapshotCount> read_snapshot_counts(Session& session, const std::string& slot) {
    // The tables of what has ended are not looked at: there may be many.
    const Result rows = session.exec(
        "SELECT r.kind, r.status, count(*), coalesce(sum(t.tables), 0), "
        "       coalesce(sum(t.remaining), 0), "
        "       coalesce(extract(epoch FROM min(r.started_at) "
        "                        FILTER (WHERE r.finished_at IS NULL))::bigint, 0) "
        "FROM holdfast.snapshot_run r "
        "LEFT JOIN LATERAL (SELECT count(*) AS tables, "
        "                          count(*) FILTER (WHERE status IN ('REQUESTED', 'RUNNING')) "
        "                            AS remaining "
        "                   FROM holdfast.snapshot_table "
        "                   WHERE snapshot_id = r.snapshot_id) t ON r.finished_at IS NULL "
        "WHERE r.slot = $1::name GROUP BY r.kind, r.status",
        {slot.c_str()});
    std::vector<SnapshotCount> counts;
    counts.reserve(static_cast<std::size_t>(rows.rows()));
    for (int row = 0; row < rows.rows(); ++row) {
        counts.push_back({.kind = std::string(rows.text(row, 0)),
                          .status = std::string(rows.text(row, 1)),
                          .snapshots = rows.int64(row, 2),
                          .tables = rows.int64(row, 3),
                          .tables_remaining = rows.int64(row, 4),
                          .started_seconds = rows.int64(row, 5)});
    }
    return counts;
}

std::vector<SnapshotOverview> read_snapshot_overview(Session& session, const std::string& slot) {
    // reltuples is -1 until a table has been analyzed.
    const Result rows = session.exec(
        "SELECT r.snapshot_id, r.kind, r.status, date_trunc('second', r.started_at), r.last_error, "
        "       t.ordinal IS NOT NULL, t.status = 'COMPLETED', coalesce(t.rows_sent, 0), "
        "       CASE WHEN t.status = 'COMPLETED' "
        "                 OR (t.status = 'STOPPED' AND r.finished_at IS NULL) THEN t.rows_sent "
        "            WHEN t.condition IS NULL AND c.reltuples >= 0 "
        "            THEN greatest(c.reltuples::bigint, t.rows_sent) END, "
        "       CASE WHEN t.status = 'RUNNING' "
        "            THEN format('%I.%I', t.schema_name, t.table_name) END "
        "FROM holdfast.snapshot_run r "
        "LEFT JOIN holdfast.snapshot_table t USING (snapshot_id) "
        "LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema_name "
        "LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.table_name "
        "WHERE r.slot = $1::name AND (r.finished_at IS NULL OR r.status = 'FAILED') "
        "ORDER BY r.snapshot_id, t.ordinal",
        {slot.c_str()});
    std::vector<SnapshotOverview> snapshots;
    for (int row = 0; row < rows.rows(); ++row) {
        const std::int64_t id = rows.int64(row, 0);
        if (snapshots.empty() || snapshots.back().id != id) {
            snapshots.push_back({.id = id,
                                 .kind = std::string(rows.text(row, 1)),
                                 .status = std::string(rows.text(row, 2)),
                                 .started_at = std::string(rows.text(row, 3)),
                                 .rows_estimated = 0,
                                 .reading = {},
                                 .last_error = std::string(rows.text(row, 4))});
        }
        SnapshotOverview& snapshot = snapshots.back();
        if (!rows.boolean(row, 5)) {
            snapshot.rows_estimated.reset();  // announced: nothing is known of its tables yet
            continue;
        }
        ++snapshot.tables;
        snapshot.tables_completed += rows.boolean(row, 6) ? 1 : 0;
        snapshot.rows_sent += rows.int64(row, 7);
        if (rows.is_null(row, 8)) {
            snapshot.rows_estimated.reset();
        } else if (snapshot.rows_estimated) {
            *snapshot.rows_estimated += rows.int64(row, 8);
        }
        if (const auto table = rows.nullable(row, 9)) {
            snapshot.reading.emplace_back(*table);
        }
    }
    return snapshots;
}

}  // namespace holdfast::relay::postgres
