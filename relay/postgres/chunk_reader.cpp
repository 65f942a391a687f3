#include "postgres/chunk_reader.hpp"

#include <algorithm>
#include <utility>

#include "base/scope_exit.hpp"

namespace holdfast::relay::postgres {
namespace {

/// How many rows a step has at first, and how much more the next may have: what rows are like is
/// known when some are there, and not for sure.
constexpr std::int64_t kFirstStep = 4;
constexpr std::int64_t kStepGrowth = 8;

std::vector<std::string> placeholders(std::size_t first, std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) {
        names.push_back("$" + std::to_string(first + i));
    }
    return names;
}

[[noreturn]] void refuse_generated(const std::string& table, const std::string& column) {
    throw ChunkRefused("table " + table +
                       " has a key with a generated column, which is not streamed: " + column);
}

class ChunkReader {
 public:
    ChunkReader(Session& session, const ChunkRequest& request)
        : session_(session), request_(request) {}

    std::optional<TableChunk> read(const std::function<bool(std::string_view)>& may_read) {
        session_.exec("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        const ScopeExit done([this]() noexcept { end(); });
        // Before the snapshot: to an older one a table that was rewritten looks empty.
        session_.exec(("LOCK TABLE " + session_.quote_identifier(request_.schema) + "." +
                       session_.quote_identifier(request_.table) + " IN ACCESS SHARE MODE")
                          .c_str());
        const Result snapshot = session_.exec("SELECT pg_catalog.pg_current_snapshot()");
        if (!may_read(snapshot.text(0, 0))) {
            return std::nullopt;
        }
        describe();
        find_end();
        fetch();
        return std::move(chunk_);
    }

 private:
    void describe() {
        std::optional<SnapshotTable> table =
            read_snapshot_table(session_, request_.publication, request_.schema, request_.table);
        const std::string name = request_.schema + "." + request_.table;
        if (!table) {
            throw ChunkRefused("table " + name + " is not in publication " + request_.publication +
                               ": ALTER PUBLICATION ... ADD TABLE");
        }
        chunk_.table = std::move(*table);
        std::erase_if(chunk_.table.columns, &SnapshotColumn::generated);
        if (chunk_.table.key.empty()) {
            throw ChunkRefused("table " + name +
                               " has no published key to read it by: add a primary key");
        }
        if (!request_.after.empty() && request_.after.size() != chunk_.table.key.size()) {
            throw ChunkRefused("the key of table " + name +
                               " is not what it was when the snapshot began: ask for it again");
        }
        if (!chunk_.table.key_type_elsewhere.empty()) {
            throw ChunkRefused("table " + name + " has a key of type " +
                               chunk_.table.key_type_elsewhere +
                               ", by whose order it cannot be read");
        }
        for (const SnapshotColumn& column : chunk_.table.columns) {
            columns_.push_back(column.name);
        }
        for (const std::string& column : chunk_.table.key) {
            const auto found = std::ranges::find(columns_, column);
            if (found == columns_.end()) {
                refuse_generated(name, column);
            }
            key_.push_back(static_cast<int>(found - columns_.begin()));
        }
        for (const std::string& value : request_.after) {
            parameters_.push_back(value.c_str());
        }
    }

    [[nodiscard]] bool filters() const {
        return chunk_.table.row_filter || !request_.condition.empty();
    }

    [[nodiscard]] ChunkRange behind() const {
        return {.after = placeholders(1, request_.after.size()), .limit = 0};
    }

    /// Where a chunk ends whose rows are not all wanted: looking for so many that are could take
    /// the whole table.
    void find_end() {
        if (!filters()) {
            return;
        }
        SnapshotTable whole = chunk_.table;
        whole.row_filter.reset();
        const std::string query = chunk_query(session_, whole, whole.key, behind()) + " OFFSET " +
                                  std::to_string(request_.max_rows - 1) + " LIMIT 1";
        const Result end = session_.exec(query.c_str(), parameters_);
        for (int column = 0; !end.empty() && column < end.columns(); ++column) {
            end_.emplace_back(end.text(0, column));
        }
    }

    void fetch() {
        ChunkRange range = behind();
        if (filters()) {
            range.up_to = placeholders(1 + request_.after.size(), end_.size());
        } else {
            range.limit = request_.max_rows;
        }
        if (!request_.condition.empty()) {
            range.condition = request_.condition;
        }
        for (const std::string& value : end_) {
            parameters_.push_back(value.c_str());
        }
        session_.exec(("DECLARE chunk NO SCROLL CURSOR FOR " +
                       chunk_query(session_, chunk_.table, columns_, range))
                          .c_str(),
                      parameters_);
        const bool complete = fetch_steps();
        if (!chunk_.parts.empty()) {
            const Result& newest = chunk_.parts.back();
            for (const int column : key_) {
                chunk_.last_key.emplace_back(newest.text(newest.rows() - 1, column));
            }
        }
        if (complete && filters()) {
            chunk_.last = end_.empty();
            if (!end_.empty()) {
                chunk_.last_key = end_;
            }
        } else {
            chunk_.last = complete && rows_ < request_.max_rows;
        }
    }

    /// Whether all that the cursor has was fetched.
    bool fetch_steps() {
        std::size_t bytes = 0;
        std::int64_t step = std::min(kFirstStep, request_.max_rows);
        while (true) {
            Result part =
                session_.exec(("FETCH FORWARD " + std::to_string(step) + " FROM chunk").c_str());
            const int fetched = part.rows();
            for (int row = 0; row < fetched; ++row) {
                for (int column = 0; column < part.columns(); ++column) {
                    bytes += part.text(row, column).size();
                }
            }
            rows_ += fetched;
            if (fetched > 0) {
                chunk_.parts.push_back(std::move(part));
            }
            if (fetched < step) {
                return true;
            }
            if (bytes >= request_.max_bytes) {
                return false;
            }
            const auto fit = static_cast<std::int64_t>(
                (request_.max_bytes - bytes) / (bytes / static_cast<std::size_t>(rows_) + 1));
            step = std::clamp<std::int64_t>(fit, 1, step * kStepGrowth);
        }
    }

    /// Nothing was written: there is nothing that could fail to be kept.
    void end() noexcept {
        try {
            session_.exec("ROLLBACK");
        } catch (const std::exception&) {
            // Then the connection is lost, which ends the transaction too.
        }
    }

    Session& session_;
    const ChunkRequest& request_;
    TableChunk chunk_;
    std::vector<std::string> columns_;
    std::vector<int> key_;               ///< positions in columns_
    std::vector<Parameter> parameters_;  ///< of `after`, then of end_
    std::vector<std::string> end_;       ///< key of the last row to look at; empty = to the end
    std::int64_t rows_ = 0;
};

}  // namespace

std::optional<TableChunk> read_chunk(Session& session, const ChunkRequest& request,
                                     const std::function<bool(std::string_view)>& may_read) {
    return ChunkReader(session, request).read(may_read);
}

}  // namespace holdfast::relay::postgres
