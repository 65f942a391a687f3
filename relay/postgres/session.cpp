#include "postgres/session.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "base/errors.hpp"

namespace holdfast::relay::postgres {

int Result::column(const char* name) const {
    const int index = PQfnumber(handle_.get(), name);
    if (index < 0) {
        throw std::out_of_range("the result has no column " + std::string(name));
    }
    return index;
}

bool Result::is_null(int row, int column) const {
    if (row < 0 || row >= rows() || column < 0 || column >= columns()) {
        throw std::out_of_range("no row " + std::to_string(row) + ", column " +
                                std::to_string(column) + " in a result of " +
                                std::to_string(rows()) + " x " + std::to_string(columns()));
    }
    return PQgetisnull(handle_.get(), row, column) != 0;
}

std::string_view Result::text(int row, int column) const {
    if (is_null(row, column)) {
        return {};
    }
    return {PQgetvalue(handle_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(handle_.get(), row, column))};
}

std::optional<std::string_view> Result::nullable(int row, int column) const {
    return is_null(row, column) ? std::nullopt : std::optional(text(row, column));
}

std::int64_t Result::int64(int row, int column) const {
    const std::string_view digits = text(row, column);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) {
        throw std::runtime_error("a number was expected in column " + std::to_string(column));
    }
    return value;
}

bool Result::boolean(int row, int column) const {
    return text(row, column) == "t";
}

std::int64_t Result::affected() const {
    const std::string_view digits = PQcmdTuples(handle_.get());
    std::int64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

Session::Session(const ConnectOptions& options)
    : connection_(connect(options, ConnectionKind::kOrdinary)) {}

Result Session::exec(const char* sql, std::initializer_list<Parameter> parameters) {
    return exec(sql, std::span<const Parameter>(parameters.begin(), parameters.size()));
}

Result Session::exec(const char* sql, std::span<const Parameter> parameters) {
    return take(
        ResultHandle(PQexecParams(connection_.get(), sql, static_cast<int>(parameters.size()),
                                  nullptr, parameters.data(), nullptr, nullptr, 0)));
}

Result Session::exec_prepared(const char* name, const char* sql,
                              std::span<const Parameter> parameters) {
    if (std::ranges::find(prepared_, name) == prepared_.end()) {
        take(ResultHandle(
            PQprepare(connection_.get(), name, sql, static_cast<int>(parameters.size()), nullptr)));
        prepared_.emplace_back(name);
    }
    return take(
        ResultHandle(PQexecPrepared(connection_.get(), name, static_cast<int>(parameters.size()),
                                    parameters.data(), nullptr, nullptr, 0)));
}

bool Session::usable() const {
    return PQstatus(connection_.get()) == CONNECTION_OK;
}

std::string Session::quote_identifier(std::string_view identifier) const {
    const LibpqString quoted(
        PQescapeIdentifier(connection_.get(), identifier.data(), identifier.size()));
    if (!quoted) {
        throw std::runtime_error("not an identifier: " +
                                 one_line(PQerrorMessage(connection_.get())));
    }
    return quoted.get();
}

std::string Session::quote_literal(std::string_view text) const {
    const LibpqString quoted(PQescapeLiteral(connection_.get(), text.data(), text.size()));
    if (!quoted) {
        throw std::runtime_error("not a text: " + one_line(PQerrorMessage(connection_.get())));
    }
    return quoted.get();
}

Result Session::take(ResultHandle result) {
    switch (PQresultStatus(result.get())) {
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
        case PGRES_EMPTY_QUERY:
            return Result(std::move(result));
        case PGRES_BAD_RESPONSE:
        case PGRES_FATAL_ERROR:
            throw_error(connection_.get(), result.get());
        default:
            throw FatalError(ExitCode::kInternal, std::string("a statement answered with ") +
                                                      PQresStatus(PQresultStatus(result.get())));
    }
}

}  // namespace holdfast::relay::postgres
