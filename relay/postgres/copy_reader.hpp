// Reads the rows of a query through COPY ... TO STDOUT, without waiting for them.
//
// Thread rule: one thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "postgres/handles.hpp"
#include "postgres/session.hpp"

namespace holdfast::relay::postgres {

class CopyReader {
 public:
    /// Borrows the session, which runs nothing else meanwhile.
    explicit CopyReader(Session& session) : connection_(session.connection_.get()) {}

    /// Sends COPY (`query`) TO STDOUT.  The last query has been read to its end.  Throws
    /// RetryableError.
    void start(const std::string& query);

    struct Next {
        enum class Kind {
            kNothing,  ///< nothing more to read now; poll fd()
            kRow,
            kEnd,  ///< there was no row at all
        };
        Kind kind = Kind::kNothing;
        std::span<char> row{};  ///< text format, for split_copy_row(); valid until the next call
        bool last = false;      ///< no row comes behind this one
    };
    /// Throws SqlError when the query failed, RetryableError when the connection is lost.
    Next next();

    [[nodiscard]] int fd() const { return PQsocket(connection_); }

 private:
    struct Row {
        LibpqString bytes;
        std::size_t size = 0;
    };
    enum class Read { kNothing, kRow, kEnd };
    Read read(Row& row);
    Read read_buffered(Row& row);
    bool begun();
    void finish();

    PGconn* connection_;
    bool copying_ = false;  ///< the server has begun to send rows
    Row current_;
    Row ahead_;  ///< read already: whether it is the last is not known
};

}  // namespace holdfast::relay::postgres
