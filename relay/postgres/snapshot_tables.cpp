#include "postgres/snapshot_tables.hpp"

#include <algorithm>
#include <unordered_map>

#include "postgres/array_literal.hpp"

namespace holdfast::relay::postgres {
namespace {

constexpr const char* kTables =
    "SELECT c.oid, t.schemaname, t.tablename, c.relkind = 'p', c.relreplident, t.rowfilter "
    "FROM pg_catalog.pg_publication_tables t "
    "JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname "
    "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename "
    "WHERE t.pubname = $1 "
    "  AND ($2::name IS NULL OR t.schemaname = $2 AND t.tablename = $3::name) "
    "ORDER BY t.schemaname, t.tablename";

// A list of columns that names all but the generated ones is as good as none.
constexpr const char* kColumns =
    "SELECT c.oid, a.attname, a.atttypid, a.atttypmod, a.attgenerated <> '' "
    "FROM pg_catalog.pg_publication_tables t "
    "JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname "
    "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename "
    "JOIN pg_catalog.pg_attribute a "
    "  ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "WHERE t.pubname = $1 "
    "  AND ($2::name IS NULL OR t.schemaname = $2 AND t.tablename = $3::name) "
    "  AND (a.attname = ANY (t.attnames) OR a.attgenerated <> '' AND NOT EXISTS "
    "("
    "  SELECT FROM pg_catalog.pg_attribute missing "
    "  WHERE missing.attrelid = c.oid AND missing.attnum > 0 AND NOT missing.attisdropped "
    "    AND missing.attgenerated = '' AND missing.attname <> ALL (t.attnames))) "
    "ORDER BY c.oid, a.attnum";

// Under a collation that takes different texts for the same, `>` leaves the second of two rows out
// that an index of another collation tells apart.  The integer types have one order: a key that
// outgrows its own goes on where it was.
constexpr const char* kKeys =
    "SELECT DISTINCT ON (c.oid, k.place) c.oid, a.attname, "
    "  pg_catalog.concat(pg_catalog.quote_ident(a.attname), ' ', "
    "    CASE WHEN a.atttypid IN (21, 23, 20) THEN 'integer' "  // smallint, integer, bigint
    "         ELSE pg_catalog.format_type(a.atttypid, NULL) END, "
    "    CASE WHEN a.attcollation <> key_type.typcollation "
    "         THEN ' COLLATE ' || a.attcollation::pg_catalog.regcollation::text END) "
    "FROM pg_catalog.pg_publication_tables t "
    "JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname "
    "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename "
    "CROSS JOIN LATERAL ("
    "  SELECT i.indkey, i.indnkeyatts FROM pg_catalog.pg_index i "
    "  JOIN pg_catalog.pg_class index_class ON index_class.oid = i.indexrelid "
    "  WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate "
    "    AND i.indpred IS NULL AND i.indexprs IS NULL "
    "    AND (c.relreplident <> 'i' OR i.indisreplident) "
    "    AND NOT EXISTS ("
    "      SELECT FROM ROWS FROM (pg_catalog.unnest(i.indkey), "
    "                             pg_catalog.unnest(i.indcollation)) "
    "        WITH ORDINALITY AS u (attnum, coll, place) "
    "      JOIN pg_catalog.pg_attribute part "
    "        ON part.attrelid = c.oid AND part.attnum = u.attnum "
    "      LEFT JOIN pg_catalog.pg_collation o ON o.oid = part.attcollation "
    "      WHERE u.place <= i.indnkeyatts "
    "        AND (NOT part.attnotnull "
    "             OR u.coll <> part.attcollation AND NOT o.collisdeterministic)) "
    "  ORDER BY i.indisreplident DESC, i.indisprimary DESC, index_class.relname LIMIT 1) AS i "
    "CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k (attnum, place) "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum "
    "JOIN pg_catalog.pg_type key_type ON key_type.oid = a.atttypid "
    "WHERE t.pubname = $1 "
    "  AND ($2::name IS NULL OR t.schemaname = $2 AND t.tablename = $3::name) "
    "  AND k.place <= i.indnkeyatts ORDER BY c.oid, k.place";

constexpr const char* kKeyTypesElsewhere =
    "WITH RECURSIVE base (relid, oid) AS ("
    "  SELECT a.attrelid, a.atttypid "
    "  FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::name[])) "
    "    AS k (relid, name) "
    "  JOIN pg_catalog.pg_attribute a ON a.attrelid = k.relid AND a.attname = k.name "
    "  UNION SELECT base.relid, t.typbasetype FROM base "
    "  JOIN pg_catalog.pg_type t ON t.oid = base.oid WHERE t.typtype = 'd') "
    "SELECT base.relid, pg_catalog.format_type(t.oid, NULL) FROM base "
    "JOIN pg_catalog.pg_type t ON t.oid = base.oid "
    "WHERE t.typtype = 'c' OR t.typtype = 'b' AND t.typelem = 0 "
    "  AND t.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace";

std::uint32_t oid_at(const Result& rows, int row) {
    return static_cast<std::uint32_t>(rows.int64(row, 0));
}

std::string joined(const std::vector<std::string>& parts) {
    std::string list;
    for (const std::string& part : parts) {
        list += (list.empty() ? "" : ", ") + part;
    }
    return list;
}

std::vector<std::string> quoted(const Session& session, const std::vector<std::string>& names) {
    std::vector<std::string> result;
    result.reserve(names.size());
    for (const std::string& name : names) {
        result.push_back(session.quote_identifier(name));
    }
    return result;
}

void note_key_types(Session& session, std::vector<SnapshotTable>& tables) {
    ArrayLiteral relations;
    ArrayLiteral names;
    for (const SnapshotTable& table : tables) {
        for (const std::string& name : table.key) {
            relations.append(static_cast<std::int64_t>(table.oid));
            names.append(name);
        }
    }
    const Result rows = session.exec(kKeyTypesElsewhere, {relations.c_str(), names.c_str()});
    for (int row = 0; row < rows.rows(); ++row) {
        const auto table = std::ranges::find(tables, oid_at(rows, row), &SnapshotTable::oid);
        table->key_type_elsewhere = rows.text(row, 1);
    }
}

/// Of one table, or with nullptr twice all of them.
std::vector<SnapshotTable> read_tables(Session& session, const std::string& publication,
                                       Parameter schema, Parameter name) {
    const Result rows = session.exec(kTables, {publication.c_str(), schema, name});
    std::vector<SnapshotTable> tables;
    std::unordered_map<std::uint32_t, std::size_t> place;
    for (int row = 0; row < rows.rows(); ++row) {
        SnapshotTable table{.oid = oid_at(rows, row),
                            .schema = std::string(rows.text(row, 1)),
                            .name = std::string(rows.text(row, 2)),
                            .partitioned = rows.boolean(row, 3),
                            .replica_identity = rows.text(row, 4).front(),
                            .row_filter = std::nullopt,
                            .columns = {},
                            .key = {}};
        if (const auto filter = rows.nullable(row, 5)) {
            table.row_filter.emplace(*filter);
        }
        place.emplace(table.oid, tables.size());
        tables.push_back(std::move(table));
    }
    const Result columns = session.exec(kColumns, {publication.c_str(), schema, name});
    for (int row = 0; row < columns.rows(); ++row) {
        if (const auto found = place.find(oid_at(columns, row)); found != place.end()) {
            tables[found->second].columns.push_back(
                {.name = std::string(columns.text(row, 1)),
                 .type = static_cast<std::uint32_t>(columns.int64(row, 2)),
                 .modifier = static_cast<std::int32_t>(columns.int64(row, 3)),
                 .generated = columns.boolean(row, 4)});
        }
    }
    const Result keys = session.exec(kKeys, {publication.c_str(), schema, name});
    for (int row = 0; row < keys.rows(); ++row) {
        if (const auto found = place.find(oid_at(keys, row)); found != place.end()) {
            tables[found->second].key.emplace_back(keys.text(row, 1));
            tables[found->second].key_definition.emplace_back(keys.text(row, 2));
        }
    }
    for (SnapshotTable& table : tables) {
        const bool published = std::ranges::all_of(table.key, [&](const std::string& column) {
            return std::ranges::find(table.columns, column, &SnapshotColumn::name) !=
                   table.columns.end();
        });
        if (!published) {
            table.key.clear();
            table.key_definition.clear();
        }
    }
    note_key_types(session, tables);
    return tables;
}

}  // namespace

std::vector<SnapshotTable> read_snapshot_tables(Session& session, const std::string& publication) {
    return read_tables(session, publication, nullptr, nullptr);
}

std::optional<SnapshotTable> read_snapshot_table(Session& session, const std::string& publication,
                                                 const std::string& schema,
                                                 const std::string& name) {
    std::vector<SnapshotTable> tables =
        read_tables(session, publication, schema.c_str(), name.c_str());
    return tables.empty() ? std::nullopt : std::optional(std::move(tables.front()));
}

std::string chunk_query(const Session& session, const SnapshotTable& table,
                        const std::vector<std::string>& columns, const ChunkRange& range) {
    std::string query = "SELECT " + joined(quoted(session, columns)) + " FROM " +
                        (table.partitioned ? "" : "ONLY ") +
                        session.quote_identifier(table.schema) + "." +
                        session.quote_identifier(table.name);
    const std::string key = joined(quoted(session, table.key));
    std::vector<std::string> conditions;
    if (!range.after.empty()) {
        conditions.push_back("(" + key + ") > (" + joined(range.after) + ")");
    }
    if (!range.up_to.empty()) {
        conditions.push_back("(" + key + ") <= (" + joined(range.up_to) + ")");
    }
    if (table.row_filter) {
        conditions.push_back("(" + *table.row_filter + ")");
    }
    if (range.condition) {
        // On lines of its own: it may end in a comment.
        conditions.push_back("(\n" + *range.condition + "\n)");
    }
    for (std::size_t i = 0; i < conditions.size(); ++i) {
        query += (i == 0 ? " WHERE " : " AND ") + conditions[i];
    }
    if (!key.empty()) {
        query += " ORDER BY " + key;
    }
    if (range.limit > 0) {
        query += " LIMIT " + std::to_string(range.limit);
    }
    return query;
}

}  // namespace holdfast::relay::postgres
