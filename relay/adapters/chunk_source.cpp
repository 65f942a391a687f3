#include "adapters/chunk_source.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "postgres/snapshot_calls.hpp"
#include "postgres/sql_error.hpp"

namespace holdfast::relay::adapters {
namespace {

/// The stream waits meanwhile.  search_path: what a condition names means what it meant when it was
/// checked.  synchronous_commit: a watermark and progress need no standby.  row_security: a policy
/// that would leave rows out is an error.
constexpr const char* kSettings =
    "SELECT pg_catalog.set_config('lock_timeout', '200ms', false), "
    "       pg_catalog.set_config('statement_timeout', '3s', false), "
    "       pg_catalog.set_config('synchronous_commit', 'local', false), "
    "       pg_catalog.set_config('row_security', 'off', false), "
    "       pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false)";

constexpr std::string_view kInsufficientPrivilege = "42501";
constexpr std::string_view kDataException = "22";

std::uint64_t number(std::string_view digits) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) {
        throw RetryableError("the server's snapshot cannot be read");
    }
    return value;
}

/// The part of `text` before the first `separator`, which is taken off with it.
std::string_view cut(std::string_view& text, char separator) {
    const std::size_t at = text.find(separator);
    const std::string_view part = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return part;
}

[[noreturn]] void rethrow(const postgres::SqlError& error) {
    if (postgres::is_transient(error.sqlstate())) {
        throw RetryableError(error.what());
    }
    if (error.sqlstate() == kInsufficientPrivilege) {
        throw capture::SnapshotError(std::string(error.what()) +
                                     ": the relay's role needs SELECT on the table (with "
                                     "row-level security, BYPASSRLS), and "
                                     "holdfast.grant_relay('role')");
    }
    if (error.sqlstate().starts_with(kDataException)) {
        // The message may show a value.
        throw capture::SnapshotError("a row cannot be read, or not by the condition (SQLSTATE " +
                                     error.sqlstate() + ")");
    }
    throw capture::SnapshotError(error.what());
}

}  // namespace

capture::TransactionHorizon transaction_horizon(std::string_view snapshot) {
    cut(snapshot, ':');
    capture::TransactionHorizon horizon{.xmax =
                                            static_cast<std::uint32_t>(number(cut(snapshot, ':')))};
    while (!snapshot.empty()) {
        horizon.in_progress.push_back(static_cast<std::uint32_t>(number(cut(snapshot, ','))));
    }
    return horizon;
}

capture::SnapshotChunk snapshot_chunk(const postgres::TableChunk& chunk,
                                      std::int64_t read_time_us) {
    const postgres::SnapshotTable& table = chunk.table;
    const auto key_place = [&](const std::string& column) {
        return std::ranges::find(table.key, column) != table.key.end();
    };
    std::vector<pgoutput::Column> columns;
    for (const postgres::SnapshotColumn& column : table.columns) {
        // As pgoutput flags them: with FULL all, with NOTHING none.
        const bool flagged = table.replica_identity == 'f' ||
                             (table.replica_identity != 'n' && key_place(column.name));
        columns.push_back({.part_of_key = flagged,
                           .name = column.name,
                           .type = {column.type},
                           .modifier = column.modifier});
    }
    capture::SnapshotChunk result{.relation = pgoutput::CachedRelation(
                                      pgoutput::Relation{.id = {table.oid},
                                                         .schema = table.schema,
                                                         .name = table.name,
                                                         .replica_identity = table.replica_identity,
                                                         .columns = columns}),
                                  .key = {},
                                  .key_definition = table.key_definition,
                                  .rows = {},
                                  .last_key = chunk.last_key,
                                  .last = chunk.last,
                                  .read_time_us = read_time_us};
    for (const std::string& column : table.key) {
        const auto found =
            std::ranges::find(table.columns, column, &postgres::SnapshotColumn::name);
        result.key.push_back(static_cast<std::size_t>(found - table.columns.begin()));
    }
    for (const postgres::Result& part : chunk.parts) {
        for (int row = 0; row < part.rows(); ++row) {
            for (int column = 0; column < part.columns(); ++column) {
                result.rows.append(part.nullable(row, column));
            }
        }
    }
    result.rows.seal(columns.size());
    return result;
}

ChunkSource::ChunkSource(postgres::ConnectOptions connect, ChunkSourceOptions options,
                         const Clock& clock)
    : connect_(std::move(connect)), options_(std::move(options)), clock_(clock) {}

/// call(session), with the errors that the snapshot knows.
template <typename Call>
auto ChunkSource::guarded(Call&& call) {
    try {
        return call(session());
    } catch (const postgres::SqlError& error) {
        rethrow(error);
    } catch (const RetryableError&) {
        session_.reset();
        throw;
    }
}

postgres::Session& ChunkSource::session() {
    if (session_ && session_->usable()) {
        return *session_;
    }
    session_.reset();
    try {
        session_.emplace(connect_);
    } catch (const FatalError& error) {
        // The stream has the same address and login: it says so, and decides.
        throw RetryableError(error.what());
    }
    session_->exec(kSettings);
    return *session_;
}

capture::TransactionHorizon ChunkSource::horizon() {
    return guarded([](postgres::Session& session) {
        return transaction_horizon(
            session.exec("SELECT pg_catalog.pg_current_snapshot()").text(0, 0));
    });
}

std::optional<capture::SnapshotWork> ChunkSource::next_work() {
    return guarded([this](postgres::Session& session) -> std::optional<capture::SnapshotWork> {
        if (session.exec("SELECT pg_catalog.to_regprocedure('holdfast.snapshot_next(name)')")
                .is_null(0, 0)) {
            return std::nullopt;  // without the extension nobody can ask for one
        }
        find_oldest_unknown(session);
        const postgres::Result rows = session.exec(
            "SELECT w.snapshot_id, w.ordinal, w.schema_name, w.table_name, w.condition, "
            "       w.rows_sent, k.value, k.name "
            "FROM holdfast.snapshot_next($1::name) w "
            "LEFT JOIN LATERAL ROWS FROM (pg_catalog.unnest(w.last_key), "
            "                             pg_catalog.unnest(w.key_columns)) "
            "  WITH ORDINALITY AS k (value, name, place) ON true ORDER BY k.place",
            {options_.slot.c_str()});
        if (rows.empty()) {
            return std::nullopt;
        }
        capture::SnapshotWork work{.snapshot_id = rows.int64(0, 0),
                                   .ordinal = static_cast<std::int32_t>(rows.int64(0, 1)),
                                   .schema = std::string(rows.text(0, 2)),
                                   .table = std::string(rows.text(0, 3)),
                                   .condition = std::string(rows.text(0, 4)),
                                   .last_key = {},
                                   .key_columns = {},
                                   .rows_sent = rows.int64(0, 5)};
        for (int row = 0; row < rows.rows(); ++row) {
            if (const auto value = rows.nullable(row, 6)) {
                work.last_key.emplace_back(*value);
            }
            if (const auto name = rows.nullable(row, 7)) {
                work.key_columns.emplace_back(*name);
            }
        }
        return work;
    });
}

void ChunkSource::find_oldest_unknown(postgres::Session& session) {
    if (looked_for_unknown_) {
        return;
    }
    const postgres::Result row = session.exec(
        "SELECT CASE WHEN pg_catalog.current_setting('synchronous_standby_names') <> '' "
        "THEN pg_catalog.pg_current_xact_id() END");
    if (const auto xid = row.nullable(0, 0)) {
        unknown_before_ = number(*xid);
    }
    looked_for_unknown_ = true;
}

bool ChunkSource::may_read(std::string_view snapshot, const capture::StreamedXids& streamed) {
    if (!streamed.all_seen_by(transaction_horizon(snapshot))) {
        return false;
    }
    if (unknown_before_) {
        if (number(cut(snapshot, ':')) < *unknown_before_) {
            return false;
        }
        unknown_before_.reset();
    }
    return true;
}

std::optional<capture::SnapshotChunk> ChunkSource::read(const capture::SnapshotWork& work,
                                                        const capture::StreamedXids& streamed) {
    const std::int64_t now_us = clock_.system_time().count();
    return guarded([&](postgres::Session& session) -> std::optional<capture::SnapshotChunk> {
        try {
            const std::optional<postgres::TableChunk> chunk = postgres::read_chunk(
                session,
                {.publication = options_.publication,
                 .schema = work.schema,
                 .table = work.table,
                 .condition = work.condition,
                 .after = work.last_key,
                 .max_rows = options_.chunk_rows},
                [&](std::string_view snapshot) { return may_read(snapshot, streamed); });
            return chunk ? std::optional(snapshot_chunk(*chunk, now_us)) : std::nullopt;
        } catch (const postgres::ChunkRefused& error) {
            throw capture::SnapshotError(error.what());
        }
    });
}

void ChunkSource::emit_watermark(const capture::SnapshotWork& work, const std::string& watermark) {
    const std::string id = std::to_string(work.snapshot_id);
    const std::string prefix(capture::kSnapshotPrefix);
    guarded([&](postgres::Session& session) {
        session.exec(
            "SELECT pg_catalog.pg_logical_emit_message(true, $1, pg_catalog.json_build_object("
            "'slot', $2::text, 'snapshot_id', $3::bigint, 'watermark', $4::text)::text)",
            {prefix.c_str(), options_.slot.c_str(), id.c_str(), watermark.c_str()});
    });
}

void ChunkSource::record_progress(const capture::SnapshotWork& work, bool completed) {
    guarded([&](postgres::Session& session) {
        postgres::save_snapshot_progress(
            session, work.snapshot_id, work.ordinal,
            work.last_key.empty() ? std::nullopt : std::optional(work.last_key), work.rows_sent,
            completed, work.key_columns);
    });
}

void ChunkSource::fail(const capture::SnapshotWork& work, const std::string& reason) {
    guarded([&](postgres::Session& session) {
        postgres::end_snapshot(session, work.snapshot_id, "FAILED", reason.c_str());
    });
}

}  // namespace holdfast::relay::adapters
