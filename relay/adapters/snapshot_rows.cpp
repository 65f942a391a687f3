#include "adapters/snapshot_rows.hpp"

#include "base/errors.hpp"
#include "postgres/sql_error.hpp"

namespace holdfast::relay::adapters {
namespace {

[[noreturn]] void throw_read_error(const postgres::SqlError& error, const std::string& table) {
    const std::string message = "snapshot of " + table + ": " + error.what();
    if (error.sqlstate() == "42501") {
        throw FatalError(ExitCode::kPermissionDenied, message,
                         "GRANT SELECT ON " + table +
                             " to the relay's role; with row-level security it also needs "
                             "BYPASSRLS. The snapshot goes on from there.");
    }
    if (error.sqlstate().starts_with("22")) {
        // The message may show a value.
        throw RetryableError("snapshot of " + table + ": a row cannot be read (SQLSTATE " +
                             error.sqlstate() + ")");
    }
    // Another snapshot sees the tables as they are by then.
    throw RetryableError(message);
}

}  // namespace

void SnapshotRows::start(const snapshot::Table& table, const std::optional<snapshot::Key>& after,
                         std::int64_t limit) {
    const postgres::SnapshotTable& source = tables_.at(table.id.value);
    table_ =
        session_.quote_identifier(source.schema) + "." + session_.quote_identifier(source.name);
    if (oid_ != source.oid) {
        oid_ = source.oid;
        checked_ = false;
    }
    postgres::ChunkRange range{.after = {}, .limit = limit};
    if (after) {
        for (const std::string& value : *after) {
            range.after.push_back(session_.quote_literal(value));
        }
    }
    reader_.start(postgres::chunk_query(session_, source, table.columns, range));
}

snapshot::RowSource::Next SnapshotRows::next() {
    using Kind = postgres::CopyReader::Next::Kind;
    postgres::CopyReader::Next next;
    try {
        next = reader_.next();
    } catch (const postgres::SqlError& error) {
        throw_read_error(error, table_);
    }
    switch (next.kind) {
        case Kind::kNothing:
            return {};
        case Kind::kEnd:
            require_not_rewritten();
            return {.kind = Next::Kind::kEnd};
        case Kind::kRow:
            break;
    }
    postgres::split_copy_row(next.row, fields_);
    values_.clear();
    for (const postgres::CopyField& field : fields_) {
        values_.push_back(field.is_null
                              ? pgoutput::Value{}
                              : pgoutput::Value{pgoutput::Value::Kind::kText, field.text});
    }
    if (next.last) {
        require_not_rewritten();
    }
    return {.kind = Next::Kind::kRow, .row = values_, .last = next.last};
}

void SnapshotRows::require_not_rewritten() {
    if (checked_) {
        return;
    }
    // ALTER TABLE may write a table anew, and to an older snapshot the new one looks empty
    // (PostgreSQL manual, "Caveats" of concurrency control).  The query holds a lock until the
    // transaction ends, so that it can not happen from here on.
    const std::string oid = std::to_string(oid_);
    const postgres::Result row = session_.exec(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c "
        "WHERE c.oid IN (SELECT $1::oid UNION ALL "
        "                SELECT relid FROM pg_catalog.pg_partition_tree($1::oid)) "
        "AND c.relfilenode <> 0 AND c.relfilenode <> pg_catalog.pg_relation_filenode(c.oid))",
        {oid.c_str()});
    if (row.boolean(0, 0)) {
        throw RetryableError("table " + table_ +
                             " was rewritten after the snapshot was taken: the rest is read under "
                             "another one");
    }
    checked_ = true;
}

Xid SnapshotRows::transaction_id() {
    const postgres::Result row =
        session_.exec("SELECT pg_catalog.pg_current_xact_id()::pg_catalog.xid::text");
    return Xid{static_cast<std::uint32_t>(row.int64(0, 0))};
}

}  // namespace holdfast::relay::adapters
