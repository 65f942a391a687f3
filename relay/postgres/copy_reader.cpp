#include "postgres/copy_reader.hpp"

#include <utility>

#include "base/errors.hpp"
#include "postgres/sql_error.hpp"

namespace holdfast::relay::postgres {

void CopyReader::start(const std::string& query) {
    copying_ = false;
    current_ = {};
    ahead_ = {};
    if (PQsendQuery(connection_, ("COPY (" + query + ") TO STDOUT").c_str()) == 0) {
        throw RetryableError("connection to PostgreSQL lost: " +
                             one_line(PQerrorMessage(connection_)));
    }
}

CopyReader::Next CopyReader::next() {
    if (!ahead_.bytes) {
        switch (read(ahead_)) {
            case Read::kNothing:
                return {};
            case Read::kEnd:
                return {.kind = Next::Kind::kEnd};
            case Read::kRow:
                break;
        }
    }
    Row behind;
    const Read found = read(behind);
    if (found == Read::kNothing) {
        return {};
    }
    current_ = std::move(ahead_);
    ahead_ = std::move(behind);
    return {.kind = Next::Kind::kRow,
            .row = {current_.bytes.get(), current_.size},
            .last = found == Read::kEnd};
}

CopyReader::Read CopyReader::read(Row& row) {
    // What libpq has read already comes first; the socket is read only when that is used up.
    if (copying_) {
        if (const Read found = read_buffered(row); found != Read::kNothing) {
            return found;
        }
    }
    if (PQconsumeInput(connection_) == 0) {
        throw RetryableError("connection to PostgreSQL lost: " +
                             one_line(PQerrorMessage(connection_)));
    }
    return begun() ? read_buffered(row) : Read::kNothing;
}

bool CopyReader::begun() {
    if (!copying_ && PQisBusy(connection_) == 0) {
        const ResultHandle result(PQgetResult(connection_));
        if (PQresultStatus(result.get()) != PGRES_COPY_OUT) {
            finish();
            throw_error(connection_, result.get());
        }
        copying_ = true;
    }
    return copying_;
}

CopyReader::Read CopyReader::read_buffered(Row& row) {
    char* buffer = nullptr;
    const int size = PQgetCopyData(connection_, &buffer, 1);
    if (size > 0) {
        row.bytes.reset(buffer);
        row.size = static_cast<std::size_t>(size);
        return Read::kRow;
    }
    if (size == 0) {
        return Read::kNothing;
    }
    const ResultHandle result(PQgetResult(connection_));
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
        finish();
        throw_error(connection_, result.get());
    }
    finish();
    return Read::kEnd;
}

void CopyReader::finish() {
    while (const ResultHandle rest{PQgetResult(connection_)}) {
    }
}

}  // namespace holdfast::relay::postgres
