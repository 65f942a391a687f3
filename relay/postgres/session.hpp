// An ordinary connection that runs one statement at a time and waits for its result.  Parameters
// and results are text.  Not for replication (replication_stream.hpp), no reconnecting: when the
// connection is lost the session is finished and its owner makes another one.
//
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postgres/connect_options.hpp"
#include "postgres/handles.hpp"
#include "postgres/sql_error.hpp"

namespace holdfast::relay::postgres {

/// The rows of one statement.  Views stay valid as long as the Result.
class Result {
 public:
    explicit Result(ResultHandle handle) : handle_(std::move(handle)) {}

    [[nodiscard]] int rows() const { return PQntuples(handle_.get()); }
    [[nodiscard]] int columns() const { return PQnfields(handle_.get()); }
    [[nodiscard]] bool empty() const { return rows() == 0; }
    /// Index of a column; throws std::out_of_range when there is none of that name.
    [[nodiscard]] int column(const char* name) const;
    [[nodiscard]] bool is_null(int row, int column) const;
    /// "" for NULL.  Throws std::out_of_range beyond the last row or column.
    [[nodiscard]] std::string_view text(int row, int column) const;
    [[nodiscard]] std::optional<std::string_view> nullable(int row, int column) const;
    /// Throws std::runtime_error when the text is not a bigint.
    [[nodiscard]] std::int64_t int64(int row, int column) const;
    [[nodiscard]] bool boolean(int row, int column) const;
    /// Rows that an INSERT, UPDATE or CALL reports; 0 when it reports none.
    [[nodiscard]] std::int64_t affected() const;

 private:
    ResultHandle handle_;
};

/// A parameter as text; nullptr = NULL.  Borrowed until the call returns.
using Parameter = const char*;

class Session {
 public:
    /// Opens the connection; throws as connect().
    explicit Session(const ConnectOptions& options);

    /// Runs one statement with parameters $1, $2, ...  Throws SqlError for a server error (the
    /// session can be used again) and RetryableError when the connection is lost: then the outcome
    /// of the statement is unknown and usable() is false.
    Result exec(const char* sql, std::initializer_list<Parameter> parameters = {});
    Result exec(const char* sql, std::span<const Parameter> parameters);

    /// As exec(), but parsed and planned once per session; `name` must be unique in it.
    Result exec_prepared(const char* name, const char* sql, std::span<const Parameter> parameters);

    /// False once the connection is lost; make another Session.
    [[nodiscard]] bool usable() const;
    /// 150020 for 15.20
    [[nodiscard]] int server_version() const { return PQserverVersion(connection_.get()); }
    /// host, port, database and user, for logs
    [[nodiscard]] std::string describe() const { return postgres::describe(connection_.get()); }
    /// An identifier in quotes, for the statements that take no parameters.
    [[nodiscard]] std::string quote_identifier(std::string_view identifier) const;
    /// A value in quotes, for the statements that take no parameters.
    [[nodiscard]] std::string quote_literal(std::string_view text) const;

 private:
    friend class CopyReader;

    Result take(ResultHandle result);

    ConnectionHandle connection_;
    std::vector<std::string> prepared_;
};

}  // namespace holdfast::relay::postgres
