// A database in memory that a snapshot reads, and the ledger that it keeps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "base/event_fd.hpp"
#include "snapshot/ledger.hpp"
#include "snapshot/row_source.hpp"
#include "snapshot/table.hpp"

namespace holdfast::relay::snapshot {

/// Tables of (id, text), by their RelationId, in the order of id.
using FakeDatabase = std::map<std::uint32_t, std::vector<std::pair<int, std::string>>>;

class FakeRows final : public RowSource {
 public:
    explicit FakeRows(const FakeDatabase& database) : database_(database) { readable_.signal(); }

    std::vector<std::string> queries;        ///< "table>after/limit"
    std::optional<std::size_t> break_after;  ///< rows, then the connection is lost
    std::size_t readable = SIZE_MAX;         ///< rows that have come over the network so far

    void start(const Table& table, const std::optional<Key>& after, std::int64_t limit) override {
        queries.push_back(table.description.name + ">" + (after ? after->front() : "") + "/" +
                          std::to_string(limit));
        const int behind = after ? std::stoi(after->front()) : INT32_MIN;
        rows_.clear();
        next_ = 0;
        for (const auto& row : database_.at(table.id.value)) {
            if (row.first > behind && (limit == 0 || std::ssize(rows_) < limit)) {
                rows_.push_back(row);
            }
        }
    }

    Next next() override {
        if (break_after && given_ == *break_after) {
            throw RetryableError("the connection is lost");
        }
        if (given_ == readable) {
            return {};
        }
        if (rows_.empty()) {
            return {.kind = Next::Kind::kEnd};
        }
        ++given_;
        id_ = std::to_string(rows_.at(next_).first);
        text_ = rows_[next_].second;
        values_ = {{pgoutput::Value::Kind::kText, id_}, {pgoutput::Value::Kind::kText, text_}};
        ++next_;
        return {.kind = Next::Kind::kRow, .row = values_, .last = next_ == rows_.size()};
    }

    [[nodiscard]] int fd() const override { return readable_.fd(); }

 private:
    const FakeDatabase& database_;
    std::vector<std::pair<int, std::string>> rows_;
    std::size_t next_ = 0;
    std::size_t given_ = 0;
    std::string id_;
    std::string text_;
    std::vector<pgoutput::Value> values_;
    EventFd readable_;
};

class FakeLedger final : public Ledger {
 public:
    std::vector<std::string> saved;  ///< "table last_key rows_sent", "... completed"

    void save(const Table& table, const std::optional<Key>& last_key, std::int64_t rows_sent,
              bool completed) override {
        saved.push_back(table.description.name + " " + (last_key ? last_key->front() : "-") + " " +
                        std::to_string(rows_sent) + (completed ? " completed" : ""));
    }
};

}  // namespace holdfast::relay::snapshot
