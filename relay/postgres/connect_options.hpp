// How to reach PostgreSQL, and the one place that opens connections: a dsn completed with defaults
// that a long-running client needs.  What the dsn or libpq's environment says wins over a default.
#pragma once

#include <string>

#include "postgres/handles.hpp"

namespace holdfast::relay::postgres {

enum class ConnectionKind {
    kOrdinary,
    kReplication,  ///< replication=database: walsender commands and simple queries
};

struct ConnectOptions {
    std::string dsn;       ///< libpq keywords or URI; may hold a password: never log it
    std::string password;  ///< "" = what the dsn or the password file says
    std::string passfile;  ///< "" = libpq's default
    std::string application_name = "holdfast-relay";
    /// Added to the session's settings; "" = none.  Ignored when the dsn has its own `options`, and
    /// for replication connections.  The limit: a row that somebody keeps locked makes one task
    /// wait its turn, not all that the session is for; and since PostgreSQL 16 even a look at a
    /// publication or a column's default waits while its table is being rebuilt.
    std::string settings = "-c lock_timeout=5s";
};

/// Defaults: connect_timeout=10, keepalives_idle=10, keepalives_interval=5, keepalives_count=3,
/// tcp_user_timeout=30000 (a half-open connection is noticed within half a minute),
/// client_encoding=UTF8, target_session_attrs=read-write (a hot standby cannot serve the relay).
/// Added to `options` of every connection: the text forms of dates, intervals, floating-point
/// numbers and bytes that the relay reads, which a database or a role could have set otherwise.
/// Blocks for at most connect_timeout per host.
/// Throws FatalError(kConfig) for a dsn that libpq cannot parse, FatalError(kPermissionDenied) when
/// the server refuses the login, RetryableError for everything else.  No message holds a password.
[[nodiscard]] ConnectionHandle connect(const ConnectOptions& options, ConnectionKind kind);

/// "host=... port=... dbname=... user=..." of an open connection, for logs; no password.
[[nodiscard]] std::string describe(PGconn* connection);

}  // namespace holdfast::relay::postgres
