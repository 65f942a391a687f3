#include "postgres/publication_drift.hpp"

#include <optional>
#include <utility>

#include "postgres/catalog.hpp"

namespace holdfast::relay::postgres {
namespace {

// One row for each table that could be published.  `ancestor` is the partitioned table above it
// that is published itself; `identity` is what old rows of the table consist of: 'k' its key, 'w'
// columns without the key, 'n' nothing.
constexpr const char* kTables =
    "WITH published AS MATERIALIZED ("
    "  SELECT c.oid, t.rowfilter, t.attnames FROM pg_catalog.pg_publication_tables t "
    "  JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname "
    "  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename "
    "  WHERE t.pubname = $1) "
    "SELECT n.nspname, c.relname, c.oid::bigint, c.relkind = 'p', p.oid IS NOT NULL, "
    "       an.nspname, ac.relname, p.rowfilter IS NOT NULL, "
    "       CASE WHEN c.relkind = 'p' OR c.relreplident = 'f' THEN 'k' "
    "            WHEN c.relreplident = 'n' OR (c.relreplident = 'd' AND k.indexrelid IS NULL) "
    "            THEN 'n' "
    "            WHEN c.relreplident = 'i' AND NOT coalesce("
    "                 (SELECT k.indkey::int2[] <@ i.indkey::int2[] FROM pg_catalog.pg_index i "
    "                  WHERE i.indrelid = c.oid AND i.indisreplident), true) THEN 'w' "
    "            ELSE 'k' END, "
    "       c.relispartition AND EXISTS ("
    "         SELECT FROM pg_catalog.pg_inherits me "
    "         JOIN pg_catalog.pg_inherits sibling ON sibling.inhparent = me.inhparent "
    "         WHERE me.inhrelid = c.oid AND sibling.inhrelid <> c.oid "
    "           AND sibling.inhrelid IN (SELECT oid FROM published)), "
    "       c.relkind = 'p' AND EXISTS ("
    "         SELECT FROM pg_catalog.pg_partition_tree(c.oid) leaf "
    "         WHERE leaf.relid <> c.oid AND leaf.relid IN (SELECT oid FROM published)), "
    "       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a "
    "             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "               AND a.attgenerated = '' AND a.attname <> ALL (p.attnames) ORDER BY a.attnum) "
    "FROM pg_catalog.pg_class c "
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN published p ON p.oid = c.oid "
    "LEFT JOIN pg_catalog.pg_index k ON k.indrelid = c.oid AND k.indisprimary "
    "LEFT JOIN LATERAL ("
    "  SELECT a.relid FROM pg_catalog.pg_partition_ancestors(c.oid) a "
    "  WHERE a.relid <> c.oid AND a.relid IN (SELECT oid FROM published) LIMIT 1) up "
    "  ON c.relispartition "
    "LEFT JOIN pg_catalog.pg_class ac ON ac.oid = up.relid "
    "LEFT JOIN pg_catalog.pg_namespace an ON an.oid = ac.relnamespace "
    "WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' "
    "  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%' "
    "ORDER BY 1, 2";

struct Table {
    std::string schema;
    std::string name;
    std::uint32_t oid = 0;
    bool partitioned = false;
    bool published = false;
    std::optional<std::pair<std::string, std::string>> ancestor;
    bool row_filter = false;
    char identity = 'k';
    bool sibling_published = false;
    bool leaf_published = false;
    std::vector<std::string> hidden_columns;

    [[nodiscard]] std::string qualified_name() const { return schema + "." + name; }
};

/// The elements of a text[] of column names in its text form.
std::vector<std::string> elements(std::string_view array) {
    std::vector<std::string> found;
    std::string element;
    bool quoted = false;
    for (std::size_t i = 1; i + 1 < array.size(); ++i) {
        const char c = array[i];
        if (c == '\\') {
            element += array[++i];
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            found.push_back(std::exchange(element, {}));
        } else {
            element += c;
        }
    }
    if (array.size() > 2) {
        found.push_back(std::move(element));
    }
    return found;
}

std::vector<Table> read_tables(Session& session, const std::string& publication) {
    const Result rows = session.exec(kTables, {publication.c_str()});
    std::vector<Table> tables;
    tables.reserve(static_cast<std::size_t>(rows.rows()));
    for (int row = 0; row < rows.rows(); ++row) {
        Table table{.schema = std::string(rows.text(row, 0)),
                    .name = std::string(rows.text(row, 1)),
                    .oid = static_cast<std::uint32_t>(rows.int64(row, 2)),
                    .partitioned = rows.boolean(row, 3),
                    .published = rows.boolean(row, 4),
                    .ancestor = std::nullopt,
                    .row_filter = rows.boolean(row, 7),
                    .identity = rows.text(row, 8).front(),
                    .sibling_published = rows.boolean(row, 9),
                    .leaf_published = rows.boolean(row, 10),
                    .hidden_columns = elements(rows.text(row, 11))};
        if (!rows.is_null(row, 5)) {
            table.ancestor.emplace(rows.text(row, 5), rows.text(row, 6));
        }
        tables.push_back(std::move(table));
    }
    return tables;
}

std::string quoted(const Session& session, const Table& table) {
    return session.quote_identifier(table.schema) + "." + session.quote_identifier(table.name);
}

/// Goes over the tables once and says what does not fit.
class Comparison {
 public:
    Comparison(const Session& session, const DriftScope& scope, const PublicationRow& publication)
        : session_(session), scope_(scope), publication_(publication) {}

    /// `formerly` is the OID that was published under the table's name; 0 = none.
    void compare(const Table& table, std::uint32_t formerly) {
        // Partitions are published under the root's name or their own, and wanted by that.
        const bool under_root = publication_.via_partition_root && table.ancestor;
        const bool captured = under_root
                                  ? scope_.captures(table.ancestor->first, table.ancestor->second)
                                  : scope_.captures(table.schema, table.name);
        if (!captured) {
            return;
        }
        if (table.published || under_root) {
            compare_published(table);
        } else if (!table.partitioned || !table.leaf_published) {
            report_missing(table, formerly);
        }
    }

    void compare_operations() {
        std::string missing;
        std::string all = publication_.publishes_insert ? "insert" : "";
        const auto look = [&](const char* operation, bool published, bool wanted) {
            if (wanted && !published) {
                missing += (missing.empty() ? "" : ", ") + std::string(operation);
            }
            if (wanted || published) {
                all += (all.empty() ? "" : ", ") + std::string(operation);
            }
        };
        look("update", publication_.publishes_update, scope_.updates);
        look("delete", publication_.publishes_delete, scope_.deletes);
        look("truncate", publication_.publishes_truncate, scope_.truncates);
        if (!missing.empty()) {
            add(Drift::Kind::kOperation, scope_.publication,
                "it does not publish " + missing + ", which skipped.operations lets through",
                "ALTER PUBLICATION " + publication() + " SET (publish = '" + all +
                    "'); or add them to skipped.operations");
        }
    }

    void add(Drift::Kind kind, std::string subject, std::string problem, std::string repair) {
        found_.push_back({kind, std::move(subject), std::move(problem), std::move(repair)});
    }
    [[nodiscard]] std::vector<Drift> take() { return std::move(found_); }

 private:
    [[nodiscard]] std::string publication() const {
        return session_.quote_identifier(scope_.publication);
    }

    void report_missing(const Table& table, std::uint32_t formerly) {
        const std::string add_table =
            "ALTER PUBLICATION " + publication() + " ADD TABLE " + quoted(session_, table) + "; ";
        const char* const lost =
            "changes until then are not in the stream: snapshot the table if they matter";
        if (formerly != 0 && formerly != table.oid) {
            add(Drift::Kind::kRecreated, table.qualified_name(),
                "it was dropped and made again, and the publication lost it", add_table + lost);
        } else if (table.sibling_published) {
            add(Drift::Kind::kPartitionNotPublished, table.qualified_name(),
                "this partition is not published, and others of its table are",
                add_table + "or publish the partitioned table in place of its partitions; " + lost);
        } else {
            add(Drift::Kind::kNotPublished, table.qualified_name(),
                "it is captured, and not published",
                add_table + "or leave it out of the configuration's lists; " + lost);
        }
    }

    void compare_published(const Table& table) {
        if (table.row_filter) {
            add(Drift::Kind::kRowFilter, table.qualified_name(),
                "a row filter of the publication leaves out rows",
                "ALTER PUBLICATION " + publication() +
                    " SET TABLE ... without WHERE, if that is "
                    "not meant");
        }
        std::string hidden;
        for (const std::string& column : table.hidden_columns) {
            if (!scope_.has_column || scope_.has_column(table.schema, table.name, column)) {
                hidden += (hidden.empty() ? "" : ", ") + column;
            }
        }
        if (!hidden.empty()) {
            add(Drift::Kind::kColumnList, table.qualified_name(),
                "a column list of the publication leaves out " + hidden,
                "ALTER PUBLICATION " + publication() +
                    " SET TABLE ... without a column list, or "
                    "name them in column.exclude.list");
        }
        compare_identity(table);
    }

    void compare_identity(const Table& table) {
        if (!publication_.publishes_update && !publication_.publishes_delete) {
            return;
        }
        const std::string full =
            "ALTER TABLE " + quoted(session_, table) + " REPLICA IDENTITY FULL";
        if (table.identity == 'n') {
            add(Drift::Kind::kNoIdentity, table.qualified_name(),
                "the server refuses UPDATE and DELETE of it: it has no replica identity",
                "Give it a primary key, or: " + full);
        } else if (table.identity == 'w') {
            add(Drift::Kind::kIdentityWithoutKey, table.qualified_name(),
                "its replica identity is an index without its primary key: deletes have no key",
                "ALTER TABLE " + quoted(session_, table) + " REPLICA IDENTITY DEFAULT, or FULL");
        }
    }

    const Session& session_;
    const DriftScope& scope_;
    const PublicationRow& publication_;
    std::vector<Drift> found_;
};

}  // namespace

std::string_view name_of(Drift::Kind kind) {
    switch (kind) {
        case Drift::Kind::kNotPublished:
            return "table_not_published";
        case Drift::Kind::kRecreated:
            return "table_recreated";
        case Drift::Kind::kPartitionNotPublished:
            return "partition_not_published";
        case Drift::Kind::kNoTable:
            return "no_such_table";
        case Drift::Kind::kRowFilter:
            return "row_filter";
        case Drift::Kind::kColumnList:
            return "column_list";
        case Drift::Kind::kOperation:
            return "operation_not_published";
        case Drift::Kind::kNoIdentity:
            return "no_replica_identity";
        case Drift::Kind::kIdentityWithoutKey:
            return "identity_without_key";
    }
    return "unknown";
}

std::vector<Drift> PublicationWatch::look(Session& session) {
    const std::optional<PublicationRow> publication = read_publication(session, scope_.publication);
    if (!publication) {
        return {};
    }
    const std::vector<Table> tables = read_tables(session, scope_.publication);
    Comparison comparison(session, scope_, *publication);
    comparison.compare_operations();
    for (const Table& table : tables) {
        const auto formerly = published_.find(table.qualified_name());
        comparison.compare(table, formerly == published_.end() ? 0 : formerly->second);
    }
    for (const DriftScope::Expectation& expected : scope_.expected) {
        bool matched = false;
        for (const Table& table : tables) {
            matched = matched || expected.matches(table.schema, table.name);
        }
        if (!matched) {
            comparison.add(Drift::Kind::kNoTable, expected.expression,
                           "no table of the database fits it",
                           "Correct table.include.list, or make the table and publish it");
        }
    }
    for (const Table& table : tables) {
        if (table.published) {
            published_[table.qualified_name()] = table.oid;
        }
    }
    return comparison.take();
}

}  // namespace holdfast::relay::postgres
