// Reads the next rows of a table in the order of its key, each time in a snapshot of its own that
// ends with the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/session.hpp"
#include "postgres/snapshot_tables.hpp"

namespace holdfast::relay::postgres {

/// The table cannot be read in chunks, now or later.  what() says why and what to do.
class ChunkRefused : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

struct ChunkRequest {
    std::string publication;
    std::string schema;
    std::string table;
    std::string condition;           ///< SQL; "" = none
    std::vector<std::string> after;  ///< key of the last row that is not wanted; empty = none
    std::int64_t max_rows = 1024;    ///< with a condition: so many rows are looked at
    std::size_t max_bytes = 16 * 1024 * 1024;  ///< of values; a single row may have more
};

struct TableChunk {
    SnapshotTable table;
    /// Rows in the order of the key; columns as `table` has them.
    std::vector<Result> parts;
    std::vector<std::string> last_key;  ///< of the last row that was looked at; empty = none
    bool last = false;                  ///< there is nothing behind it
};

/// The session's search_path decides what the condition's names mean, and has to have pg_catalog
/// alone.  `may_read` is asked with pg_current_snapshot() of the snapshot before anything is read
/// in it; when it says no, the result is nullopt.  Holds an ACCESS SHARE lock of the table and no
/// other, until it returns.  Throws ChunkRefused, and as Session::exec().
[[nodiscard]] std::optional<TableChunk> read_chunk(
    Session& session, const ChunkRequest& request,
    const std::function<bool(std::string_view snapshot)>& may_read);

}  // namespace holdfast::relay::postgres
