// Where an incremental snapshot gets its rows: what is to be read, a chunk of it, and the books of
// how far it has come.  Owned by the pipeline's module and fitted to PostgreSQL by an adapter, so
// that tests can use an in-memory one.
//
// Thread rule: the pipeline's thread only.  Every call waits for the database, and none for long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.hpp"
#include "capture/streamed_xids.hpp"
#include "pgoutput/messages.hpp"
#include "pgoutput/relation_cache.hpp"

namespace holdfast::relay::capture {

/// The snapshot that is at work cannot go on, and the stream can.
class SnapshotError : public Error {
 public:
    using Error::Error;
};

/// A table that a snapshot has not finished.
struct SnapshotWork {
    std::int64_t snapshot_id = 0;
    std::int32_t ordinal = 0;  ///< of the table within the snapshot
    std::string schema;
    std::string table;
    std::string condition{};                 ///< SQL; "" = all rows
    std::vector<std::string> last_key{};     ///< the rows behind it are to be read; empty = all
    std::vector<std::string> key_columns{};  ///< definition of last_key's key; empty = not known
    std::int64_t rows_sent = 0;              ///< of this table so far
};

/// Rows in one block of memory, in the order in which they were read.
class ChunkRows {
 public:
    ChunkRows() = default;
    // A moved vector keeps its block, which the values view; a copy would not.
    ChunkRows(ChunkRows&&) = default;
    ChunkRows& operator=(ChunkRows&&) = default;
    ChunkRows(const ChunkRows&) = delete;
    ChunkRows& operator=(const ChunkRows&) = delete;
    ~ChunkRows() = default;

    /// The next value of the row; nullopt = NULL.
    void append(std::optional<std::string_view> value);
    /// After the last append(): rows of so many values can be looked at.
    void seal(std::size_t columns);

    [[nodiscard]] std::size_t count() const noexcept {
        return columns_ == 0 ? 0 : values_.size() / columns_;
    }
    /// Valid as long as the block.
    [[nodiscard]] pgoutput::Tuple operator[](std::size_t row) const noexcept {
        return pgoutput::Tuple(values_).subspan(row * columns_, columns_);
    }
    /// Of all values.
    [[nodiscard]] std::size_t bytes() const noexcept { return text_.size(); }

 private:
    struct Place {
        std::size_t offset = 0;
        std::optional<std::size_t> length;  ///< nullopt = NULL
    };
    std::vector<Place> places_;  ///< until the text is complete
    std::vector<char> text_;
    std::vector<pgoutput::Value> values_;
    std::size_t columns_ = 0;
};

/// What one look at a table has found.
struct SnapshotChunk {
    /// The table as the stream would describe it: the columns that are streamed, in their order.
    pgoutput::CachedRelation relation;
    std::vector<std::size_t> key;  ///< positions of the key's columns, in the order of the key
    /// What a position in the key depends on, of each column: name, type and collation.
    std::vector<std::string> key_definition;
    ChunkRows rows;  ///< sealed; in the order of the key
    /// Where the next chunk begins: the key of the last row that was looked at, which a condition
    /// may have left out.  Empty when there was none.
    std::vector<std::string> last_key;
    bool last = false;              ///< nothing is behind it
    std::int64_t read_time_us = 0;  ///< Unix time
};

class ChunkSource {
 public:
    virtual ~ChunkSource() = default;

    /// What a snapshot taken now sees.  Throws RetryableError; as do all others.
    virtual TransactionHorizon horizon() = 0;

    /// The table to read next; nullopt = there is nothing to do until somebody asks for it.  Throws
    /// SnapshotError when nobody could find out.
    virtual std::optional<SnapshotWork> next_work() = 0;

    /// Reads a chunk in one snapshot.  nullopt = the snapshot does not see all of `streamed` yet:
    /// ask again a little later.  Throws SnapshotError when the table cannot be read.
    virtual std::optional<SnapshotChunk> read(const SnapshotWork& work,
                                              const StreamedXids& streamed) = 0;

    /// Puts a mark into the stream, behind all that the chunk has seen: a logical message with the
    /// prefix kSnapshotPrefix and the member `watermark`.  Throws SnapshotError.
    virtual void emit_watermark(const SnapshotWork& work, const std::string& watermark) = 0;

    /// Keeps how far the table has come.  Throws SnapshotError when the snapshot has ended.
    virtual void record_progress(const SnapshotWork& work, bool completed) = 0;

    /// Ends the snapshot as failed.  Throws SnapshotError when it has ended already.
    virtual void fail(const SnapshotWork& work, const std::string& reason) = 0;
};

/// Prefix of the logical messages that are about snapshots; they are no events.
inline constexpr std::string_view kSnapshotPrefix = "holdfast.snapshot";

}  // namespace holdfast::relay::capture
