#include "postgres/sql_error.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/errors.hpp"

namespace holdfast::relay::postgres {
namespace {

std::string field(const PGresult* result, int code) {
    const char* text = result == nullptr ? nullptr : PQresultErrorField(result, code);
    return text == nullptr ? std::string() : std::string(text);
}

}  // namespace

SqlError::SqlError(std::string sqlstate, std::string message, std::string detail, std::string hint)
    : std::runtime_error(message + " (SQLSTATE " + sqlstate + ")"),
      sqlstate_(std::move(sqlstate)),
      message_(std::move(message)),
      detail_(std::move(detail)),
      hint_(std::move(hint)) {}

bool is_transient(std::string_view sqlstate) {
    constexpr std::array<std::string_view, 6> kClasses = {"08", "40", "53", "55", "57", "58"};
    return std::any_of(kClasses.begin(), kClasses.end(),
                       [&](std::string_view prefix) { return sqlstate.starts_with(prefix); });
}

std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : text) {
        if (c != '\n') {
            line += c;
        } else if (!line.empty() && line.back() != ' ') {
            line += ' ';
        }
    }
    while (line.ends_with(' ')) {
        line.pop_back();
    }
    return line;
}

void throw_error(PGconn* connection, const PGresult* result) {
    const std::string sqlstate = field(result, PG_DIAG_SQLSTATE);
    // 57P01-57P03: the server ends this session although the socket may still look alive.
    if (PQstatus(connection) != CONNECTION_OK || sqlstate.empty() || sqlstate.starts_with("57P0")) {
        const std::string text =
            one_line(sqlstate.empty() ? PQerrorMessage(connection)
                                      : field(result, PG_DIAG_MESSAGE_PRIMARY).c_str());
        throw RetryableError("connection to PostgreSQL lost" + (text.empty() ? "" : ": " + text));
    }
    throw SqlError(sqlstate, field(result, PG_DIAG_MESSAGE_PRIMARY),
                   field(result, PG_DIAG_MESSAGE_DETAIL), field(result, PG_DIAG_MESSAGE_HINT));
}

}  // namespace holdfast::relay::postgres
