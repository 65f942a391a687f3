#include "postgres/table_catalog.hpp"

#include <utility>

namespace holdfast::relay::postgres {
namespace {

// format() and ::text of catalogue values do not depend on the session; the names of the catalogue
// are qualified because the session's search_path is not ours.
constexpr const char* kColumns =
    "SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated <> '', "
    "       a.attidentity <> '', "
    "       CASE WHEN a.attgenerated = '' "
    "            THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END "
    "FROM pg_catalog.pg_attribute a "
    "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
    "WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

// The order in which pgjdbc's getIndexInfo() lists unique indexes decides which one upstream takes.
constexpr const char* kKey =
    "WITH candidate AS ("
    "  SELECT i.indexrelid, i.indkey, "
    // Of another index than the primary key's it lists the INCLUDE columns too.
    "         CASE WHEN i.indisprimary THEN i.indnkeyatts ELSE i.indnatts END AS columns "
    "  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid "
    "  WHERE i.indrelid = $1::oid AND i.indisunique AND i.indexprs IS NULL "
    "  ORDER BY i.indisprimary DESC, i.indisclustered DESC, c.relname LIMIT 1) "
    "SELECT a.attname FROM candidate k "
    "CROSS JOIN LATERAL pg_catalog.unnest(k.indkey) WITH ORDINALITY AS u (attnum, place) "
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::oid AND a.attnum = u.attnum "
    "WHERE u.place <= k.columns ORDER BY u.place";

constexpr const char* kTypes =
    "WITH RECURSIVE wanted (oid) AS ("
    "  SELECT a.atttypid FROM pg_catalog.pg_attribute a "
    "  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped "
    "  UNION SELECT pg_catalog.unnest($2::oid[]) "
    "  UNION "
    "  SELECT part.oid FROM wanted JOIN pg_catalog.pg_type t ON t.oid = wanted.oid "
    "  CROSS JOIN LATERAL (VALUES (t.typelem), (t.typbasetype)) AS part (oid) "
    "  WHERE part.oid <> 0) "
    "SELECT t.oid, n.nspname, t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype, "
    "       t.typtypmod, t.typnotnull, e.enumlabel "
    "FROM wanted JOIN pg_catalog.pg_type t ON t.oid = wanted.oid "
    "JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace "
    "LEFT JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid "
    "ORDER BY t.oid, e.enumsortorder";

std::uint32_t oid_at(const Result& rows, int row, int column) {
    return static_cast<std::uint32_t>(rows.int64(row, column));
}

std::string oid_array(std::span<const std::uint32_t> oids) {
    std::string text = "{";
    for (const std::uint32_t oid : oids) {
        text += (text.size() > 1 ? "," : "") + std::to_string(oid);
    }
    return text + "}";
}

std::vector<TableColumnRow> read_table_columns(Session& session, const char* table) {
    const Result rows = session.exec(kColumns, {table});
    std::vector<TableColumnRow> columns;
    columns.reserve(static_cast<std::size_t>(rows.rows()));
    for (int row = 0; row < rows.rows(); ++row) {
        TableColumnRow column{.name = std::string(rows.text(row, 0)),
                              .type = oid_at(rows, row, 1),
                              .modifier = static_cast<std::int32_t>(rows.int64(row, 2)),
                              .not_null = rows.boolean(row, 3),
                              .generated = rows.boolean(row, 4),
                              .identity = rows.boolean(row, 5)};
        if (const auto expression = rows.nullable(row, 6)) {
            column.default_expression.emplace(*expression);
        }
        columns.push_back(std::move(column));
    }
    return columns;
}

std::vector<TypeRow> read_types(Session& session, const char* table,
                                std::span<const std::uint32_t> more_types) {
    const Result rows = session.exec(kTypes, {table, oid_array(more_types).c_str()});
    std::vector<TypeRow> types;
    for (int row = 0; row < rows.rows(); ++row) {
        const std::uint32_t oid = oid_at(rows, row, 0);
        if (types.empty() || types.back().oid != oid) {
            types.push_back({.oid = oid,
                             .schema = std::string(rows.text(row, 1)),
                             .name = std::string(rows.text(row, 2)),
                             .kind = rows.text(row, 3).front(),
                             .category = rows.text(row, 4).front(),
                             .element = oid_at(rows, row, 5),
                             .base = oid_at(rows, row, 6),
                             .base_modifier = static_cast<std::int32_t>(rows.int64(row, 7)),
                             .not_null = rows.boolean(row, 8)});
        }
        if (const auto label = rows.nullable(row, 9)) {
            types.back().labels.emplace_back(*label);
        }
    }
    return types;
}

}  // namespace

TableRow read_table(Session& session, std::string_view schema, std::string_view table,
                    std::span<const std::uint32_t> more_types) {
    const Result found = session.exec(
        "SELECT c.oid FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')",
        {std::string(schema).c_str(), std::string(table).c_str()});
    const std::string oid = found.empty() ? "0" : std::string(found.text(0, 0));
    TableRow description{.columns = read_table_columns(session, oid.c_str()),
                         .key_columns = {},
                         .types = read_types(session, oid.c_str(), more_types)};
    const Result key = session.exec(kKey, {oid.c_str()});
    for (int row = 0; row < key.rows(); ++row) {
        description.key_columns.emplace_back(key.text(row, 0));
    }
    return description;
}

}  // namespace holdfast::relay::postgres
