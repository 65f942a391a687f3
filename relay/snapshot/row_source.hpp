// Where a snapshot reads rows: one connection that sees the database as the snapshot does.  Owned
// by the snapshot's module and fitted to PostgreSQL by an adapter, so that tests can use an
// in-memory one.
//
// Thread rule: the snapshot's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "pgoutput/messages.hpp"
#include "snapshot/table.hpp"

namespace holdfast::relay::snapshot {

class RowSource {
 public:
    virtual ~RowSource() = default;

    /// Begins to read at most `limit` rows (0 = all) of a table, those behind `after`, in the order
    /// of its key.  The last query has been read to its end.  Throws RetryableError, FatalError.
    virtual void start(const Table& table, const std::optional<Key>& after, std::int64_t limit) = 0;

    struct Next {
        enum class Kind {
            kNothing,  ///< nothing more to read now; wait for fd()
            kRow,
            kEnd,  ///< there was no row at all
        };
        Kind kind = Kind::kNothing;
        pgoutput::Tuple row{};  ///< valid until the next call
        bool last = false;      ///< no row comes behind this one
    };
    /// The next row, without waiting.  Throws as start().
    virtual Next next() = 0;

    /// Poll this for reading.
    [[nodiscard]] virtual int fd() const = 0;
};

}  // namespace holdfast::relay::snapshot
