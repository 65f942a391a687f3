#include "postgres/connect_options.hpp"

#include <cstdlib>
#include <cstring>
#include <map>
#include <string_view>
#include <vector>

#include "base/errors.hpp"
#include "postgres/sql_error.hpp"

namespace holdfast::relay::postgres {
namespace {

using Parameters = std::map<std::string, std::string>;

/// What the dsn says, as keywords.
Parameters parse_dsn(const std::string& dsn) {
    char* problem = nullptr;
    const ConninfoHandle options(PQconninfoParse(dsn.c_str(), &problem));
    const LibpqString message(problem);
    if (!options) {
        // libpq quotes the offending part, which may be a password: not repeated here.
        throw FatalError(ExitCode::kConfig, "the dsn is not a libpq connection string",
                         "Write keywords as host=... dbname=..., quote values with spaces, or use "
                         "a URI postgresql://user@host/database.");
    }
    Parameters parameters;
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) {
            parameters[option->keyword] = option->val;
        }
    }
    return parameters;
}

/// The environment variable that libpq reads for a keyword; nullptr = none.
const char* environment_of(std::string_view keyword) {
    static const ConninfoHandle defaults(PQconndefaults());
    for (const PQconninfoOption* option = defaults.get();
         option != nullptr && option->keyword != nullptr; ++option) {
        if (keyword == option->keyword) {
            return option->envvar;
        }
    }
    return nullptr;
}

void set_default(Parameters& parameters, const char* keyword, const std::string& value) {
    const char* variable = environment_of(keyword);
    if (variable != nullptr && std::getenv(variable) != nullptr) {  // NOLINT(concurrency-mt-unsafe)
        return;
    }
    parameters.try_emplace(keyword, value);
}

/// How values are written as text, whatever server, database or role say: what a consumer gets must
/// not depend on them.
constexpr const char* kTextForms =
    "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c bytea_output=hex";

void add_text_forms(Parameters& parameters) {
    const char* variable = environment_of("options");
    const char* given = variable != nullptr
                            ? std::getenv(variable)  // NOLINT(concurrency-mt-unsafe)
                            : nullptr;
    std::string& all =
        parameters.try_emplace("options", given == nullptr ? "" : given).first->second;
    all += (all.empty() ? "" : " ") + std::string(kTextForms);
}

Parameters complete(const ConnectOptions& options, ConnectionKind kind) {
    Parameters parameters = parse_dsn(options.dsn);
    if (!options.password.empty()) {
        parameters["password"] = options.password;
    }
    if (!options.passfile.empty()) {
        parameters["passfile"] = options.passfile;
    }
    set_default(parameters, "connect_timeout", "10");
    set_default(parameters, "keepalives_idle", "10");
    set_default(parameters, "keepalives_interval", "5");
    set_default(parameters, "keepalives_count", "3");
    set_default(parameters, "tcp_user_timeout", "30000");
    set_default(parameters, "target_session_attrs", "read-write");
    parameters.try_emplace("application_name", options.application_name);
    // All text that the relay handles is UTF-8; another encoding would only break it.
    parameters["client_encoding"] = "UTF8";
    if (kind == ConnectionKind::kReplication) {
        parameters["replication"] = "database";
    } else {
        parameters.erase("replication");
        if (!options.settings.empty()) {
            set_default(parameters, "options", options.settings);
        }
    }
    add_text_forms(parameters);
    return parameters;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// A failed login leaves no SQLSTATE with libpq: its text is all there is.  A translated text is
/// not recognised and counts as retryable, which is the safe side.
bool is_refused_login(std::string_view message) {
    return contains(message, "password authentication failed") ||
           contains(message, "no password supplied") || contains(message, "no pg_hba.conf entry") ||
           contains(message, "pg_hba.conf rejects") || contains(message, "authentication failed") ||
           contains(message, "is not permitted to log in") ||
           (contains(message, "role \"") && contains(message, "\" does not exist")) ||
           contains(message, "permission denied for database") ||
           contains(message, "must be superuser or replication role to start walsender") ||
           contains(message, "permission denied to start WAL sender");
}

}  // namespace

ConnectionHandle connect(const ConnectOptions& options, ConnectionKind kind) {
    const Parameters parameters = complete(options, kind);
    std::vector<const char*> keywords;
    std::vector<const char*> values;
    for (const auto& [keyword, value] : parameters) {
        keywords.push_back(keyword.c_str());
        values.push_back(value.c_str());
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    ConnectionHandle connection(PQconnectdbParams(keywords.data(), values.data(), 0));
    if (!connection) {
        throw RetryableError("no memory for a connection");
    }
    if (PQstatus(connection.get()) == CONNECTION_OK) {
        // Notices of the server (and of functions) must not reach stderr past the log.
        PQsetNoticeProcessor(
            connection.get(), [](void*, const char*) {}, nullptr);
        return connection;
    }
    const std::string message = one_line(PQerrorMessage(connection.get()));
    if (PQconnectionNeedsPassword(connection.get()) != 0 || is_refused_login(message)) {
        throw FatalError(ExitCode::kPermissionDenied, "PostgreSQL refuses the login: " + message,
                         "Check role, password (passfile) and pg_hba.conf; the role needs LOGIN "
                         "and REPLICATION.");
    }
    if (contains(message, "database \"") && contains(message, "does not exist")) {
        throw FatalError(ExitCode::kConfig, message, "Check dbname in [postgres] dsn.");
    }
    throw RetryableError("cannot connect to PostgreSQL: " + message);
}

std::string describe(PGconn* connection) {
    const auto text = [](const char* value) { return value == nullptr ? "" : value; };
    return std::string("host=") + text(PQhost(connection)) + " port=" + text(PQport(connection)) +
           " dbname=" + text(PQdb(connection)) + " user=" + text(PQuser(connection));
}

}  // namespace holdfast::relay::postgres
