// A snapshot of the database that several sessions can read under.
//
// Source: PostgreSQL manual, "Snapshot Synchronization Functions"; "Streaming Replication
// Protocol", CREATE_REPLICATION_SLOT.
#pragma once

#include <optional>
#include <string>

#include "base/lsn.hpp"
#include "postgres/connect_options.hpp"
#include "postgres/handles.hpp"
#include "postgres/session.hpp"

namespace holdfast::relay::postgres {

/// As long as it lives, and as long as a session reads under it, the snapshot is there.
class ExportedSnapshot {
 public:
    /// Makes the slot `slot`, with a snapshot that has exactly what the slot will not send.  Throws
    /// as connect(), SqlError (42710: there is such a slot).
    static ExportedSnapshot with_slot(const ConnectOptions& options, const std::string& slot,
                                      const std::string& plugin);

    /// Of now.  Throws as connect(), SqlError.
    static ExportedSnapshot of_now(const ConnectOptions& options);

    /// What is committed before it is in the snapshot.
    [[nodiscard]] Lsn lsn() const noexcept { return lsn_; }

    /// A session that reads under the snapshot, in a transaction that only reads and that nothing
    /// but its end takes down: it waits for a table's lock as long as that takes.  Row-level
    /// security that would hide rows is an error in it, and its search_path has nothing but
    /// pg_catalog.
    [[nodiscard]] Session reader(const ConnectOptions& options) const;

 private:
    ExportedSnapshot(ConnectionHandle walsender, std::optional<Session> session, std::string name,
                     Lsn lsn)
        : walsender_(std::move(walsender)),
          session_(std::move(session)),
          name_(std::move(name)),
          lsn_(lsn) {}

    // One of the two holds it.
    ConnectionHandle walsender_;
    std::optional<Session> session_;
    std::string name_;
    Lsn lsn_;
};

}  // namespace holdfast::relay::postgres
