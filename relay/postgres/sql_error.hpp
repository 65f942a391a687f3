// Server errors as values and exceptions, and what a SQLSTATE means for the caller.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "postgres/handles.hpp"

namespace holdfast::relay::postgres {

/// An error report of the server.  what() is "message (SQLSTATE xxxxx)".
class SqlError : public std::runtime_error {
 public:
    SqlError(std::string sqlstate, std::string message, std::string detail, std::string hint);

    [[nodiscard]] const std::string& sqlstate() const { return sqlstate_; }
    [[nodiscard]] const std::string& message() const { return message_; }
    [[nodiscard]] const std::string& detail() const { return detail_; }  ///< may show row content
    [[nodiscard]] const std::string& hint() const { return hint_; }

 private:
    std::string sqlstate_;
    std::string message_;
    std::string detail_;
    std::string hint_;
};

/// Whether the same statement may succeed later without anybody doing anything: connection
/// trouble, deadlocks, resources, shutdown (classes 08, 40, 53, 55, 57, 58).
[[nodiscard]] bool is_transient(std::string_view sqlstate);

/// libpq's messages end with a newline and may have several lines: made one line for the log.
[[nodiscard]] std::string one_line(std::string_view text);

/// Throws what `result` (PGRES_FATAL_ERROR or bad response) of `connection` means: RetryableError
/// when the connection is lost (the outcome of the statement is then unknown), else SqlError.
[[noreturn]] void throw_error(PGconn* connection, const PGresult* result);

}  // namespace holdfast::relay::postgres
