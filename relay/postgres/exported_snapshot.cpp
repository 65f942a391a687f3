#include "postgres/exported_snapshot.hpp"

#include <utility>

#include "base/errors.hpp"
#include "postgres/sql_error.hpp"

namespace holdfast::relay::postgres {
namespace {

Lsn lsn_of(std::string_view text) {
    const auto lsn = Lsn::parse(text);
    if (!lsn) {
        throw ProtocolError("the server answered with a malformed position");
    }
    return *lsn;
}

}  // namespace

ExportedSnapshot ExportedSnapshot::with_slot(const ConnectOptions& options, const std::string& slot,
                                             const std::string& plugin) {
    ConnectionHandle walsender = connect(options, ConnectionKind::kReplication);
    const LibpqString name(PQescapeIdentifier(walsender.get(), slot.data(), slot.size()));
    const LibpqString library(PQescapeIdentifier(walsender.get(), plugin.data(), plugin.size()));
    if (!name || !library) {
        throw FatalError(ExitCode::kConfig, "not a valid name: " + slot + ", " + plugin);
    }
    // 17 and later: a slot that standbys may keep a copy of.
    const std::string command =
        "CREATE_REPLICATION_SLOT " + std::string(name.get()) + " LOGICAL " + library.get() +
        (PQserverVersion(walsender.get()) >= 170'000 ? " (SNAPSHOT 'export', FAILOVER true)"
                                                     : " (SNAPSHOT 'export')");
    const ResultHandle made(PQexec(walsender.get(), command.c_str()));
    if (PQresultStatus(made.get()) != PGRES_TUPLES_OK) {
        throw_error(walsender.get(), made.get());
    }
    if (PQntuples(made.get()) != 1 || PQnfields(made.get()) < 3) {
        throw ProtocolError("CREATE_REPLICATION_SLOT answered with an unknown shape");
    }
    const Lsn lsn = lsn_of(PQgetvalue(made.get(), 0, 1));
    std::string snapshot = PQgetvalue(made.get(), 0, 2);
    return {std::move(walsender), std::nullopt, std::move(snapshot), lsn};
}

ExportedSnapshot ExportedSnapshot::of_now(const ConnectOptions& options) {
    Session session(options);
    // The position first: what is committed between the two is in the snapshot and in the stream.
    const Lsn lsn = lsn_of(session.exec("SELECT pg_catalog.pg_current_wal_lsn()").text(0, 0));
    session.exec("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    session.exec("SET LOCAL idle_in_transaction_session_timeout = 0");
    std::string name(session.exec("SELECT pg_catalog.pg_export_snapshot()").text(0, 0));
    return {nullptr, std::move(session), std::move(name), lsn};
}

Session ExportedSnapshot::reader(const ConnectOptions& options) const {
    Session session(options);
    session.exec("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    session.exec(("SET TRANSACTION SNAPSHOT " + session.quote_literal(name_)).c_str());
    session.exec("SET LOCAL idle_in_transaction_session_timeout = 0");
    session.exec("SET LOCAL statement_timeout = 0");
    session.exec("SET LOCAL lock_timeout = 0");
    session.exec("SET LOCAL row_security = off");
    session.exec("SET LOCAL search_path = pg_catalog, pg_temp");
    return session;
}

}  // namespace holdfast::relay::postgres
