// An in-memory broker and an in-memory database for the inbox pipeline.  The database keeps the
// rules of inbox_claim and inbox_apply that the pipeline relies on: epochs, and the guard on the
// stored offset.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "inbox/procedure_caller.hpp"
#include "inbox/record_source.hpp"

namespace holdfast::relay::inbox::testing {

/// Keeps whole logs and serves them from the assigned positions, as a broker does.
class FakeSource final : public RecordSource {
 public:
    void append(const Partition& partition, const std::string& key, const std::string& value) {
        auto& log = logs_[partition];
        log.messages.push_back(
            {.offset = log.first + static_cast<std::int64_t>(log.messages.size()),
             .key = key,
             .value = value,
             .headers = {},
             .timestamp_ms = 0});
    }
    void remove_before(const Partition& partition, std::int64_t offset) {
        auto& log = logs_[partition];
        while (log.first < offset) {
            log.messages.pop_front();
            ++log.first;
        }
    }
    void give(std::vector<Partition> partitions) {
        for (const Partition& partition : partitions) {
            logs_[partition];
        }
        events_.emplace_back(Assigned{std::move(partitions)});
    }
    void take_away(std::vector<Partition> partitions) {
        for (const Partition& partition : partitions) {
            positions_.erase(partition);
            paused_.erase(partition);
        }
        events_.emplace_back(Revoked{std::move(partitions)});
    }

    [[nodiscard]] int fd() const override { return -1; }
    std::optional<SourceEvent> poll() override {
        if (!events_.empty()) {
            SourceEvent event = std::move(events_.front());
            events_.pop_front();
            return event;
        }
        for (auto& [partition, position] : positions_) {
            const auto& log = logs_[partition];
            const auto index = static_cast<std::size_t>(position - log.first);
            if (!paused_.contains(partition) && index < log.messages.size()) {
                ++position;
                return Received{partition.topic, partition.number, log.messages[index]};
            }
        }
        return std::nullopt;
    }
    Watermarks watermarks(const Partition& partition) override {
        if (unreachable > 0) {
            --unreachable;
            throw RetryableError("no answer");
        }
        const auto& log = logs_[partition];
        return {log.first, log.first + static_cast<std::int64_t>(log.messages.size())};
    }
    std::optional<std::int64_t> known_high(const Partition& partition) override {
        const auto& log = logs_[partition];
        return log.first + static_cast<std::int64_t>(log.messages.size());
    }
    void assign(std::span<const Position> positions) override {
        ++assigns;
        positions_.clear();
        for (const Position& position : positions) {
            positions_[position.partition] = position.offset;
        }
    }
    void pause(const Partition& partition) override { paused_.insert(partition); }
    void resume(const Partition& partition) override { paused_.erase(partition); }
    void seek(const Position& position) override {
        ++seeks;
        positions_[position.partition] = position.offset;
    }
    void commit(std::span<const Position> positions) override {
        for (const Position& position : positions) {
            committed[position.partition] = position.offset;
        }
    }

    [[nodiscard]] bool is_paused(const Partition& partition) const {
        return paused_.contains(partition);
    }

    int unreachable = 0;
    int seeks = 0;
    int assigns = 0;
    std::map<Partition, std::int64_t> committed;

 private:
    struct Log {
        std::int64_t first = 0;
        std::deque<Message> messages;
    };
    std::map<Partition, Log> logs_;
    std::map<Partition, std::int64_t> positions_;
    std::set<Partition> paused_;
    std::deque<SourceEvent> events_;
};

/// What the next apply() does instead of succeeding.
enum class Mishap {
    kTransient,         ///< rolled back, RetryableError
    kLostBeforeCommit,  ///< connection lost, nothing applied
    kLostAfterCommit,   ///< connection lost, everything applied
    kPostponed,         ///< rolled back, to stay away for 30 s
    kUnexpected,        ///< some other exception
    kFatal,             ///< FatalError(kPermissionDenied)
};

class FakeDatabase final : public ProcedureCaller {
 public:
    struct Row {
        std::int64_t next_offset = 0;
        std::int64_t epoch = 0;
    };

    void verify(const std::string& call) override {
        if (down > 0) {
            --down;
            throw RetryableError("connection refused");
        }
        if (unknown_calls.contains(call)) {
            throw FatalError(ExitCode::kConfig, "there is no function " + call);
        }
        verified.insert(call);
    }
    Claim claim(const std::string&, const Partition& partition, std::int64_t initial) override {
        if (down > 0) {
            --down;
            throw RetryableError("connection refused");
        }
        auto [row, added] = rows.try_emplace(partition, Row{initial, 0});
        ++row->second.epoch;
        ++claims;
        return {row->second.next_offset, row->second.epoch};
    }
    std::optional<std::vector<Applied>> apply(const Batch& batch) override {
        const Partition partition{std::string(batch.topic), batch.partition};
        if (slow.contains(partition)) {
            ++asked[partition];
            return std::nullopt;
        }
        std::optional<Mishap> mishap;
        if (!mishaps[partition].empty()) {
            mishap = mishaps[partition].front();
            mishaps[partition].pop_front();
        }
        ++attempts[partition];
        if (mishap == Mishap::kTransient || mishap == Mishap::kLostBeforeCommit) {
            throw RetryableError("deadlock detected (SQLSTATE 40P01)");
        }
        if (mishap == Mishap::kPostponed) {
            throw PostponedError("busy", std::chrono::milliseconds(30'000));
        }
        if (mishap == Mishap::kUnexpected) {
            throw std::runtime_error("out of cheese");
        }
        if (mishap == Mishap::kFatal) {
            throw FatalError(ExitCode::kPermissionDenied, "permission denied");
        }
        Row& row = rows.at(partition);
        if (row.epoch != batch.owner_epoch || row.next_offset != batch.first_offset) {
            throw FencedError("fenced");
        }
        std::vector<Applied> results;
        for (const PreparedMessage& message : batch.messages) {
            const std::string value(message.value.value_or("NULL"));
            const bool poison = value == "poison" || message.encoding == "base64";
            results.push_back({message.offset, poison ? Outcome::kDead : Outcome::kApplied,
                               poison ? "22P02" : ""});
            if (!poison) {
                applied[partition].push_back(value);
            }
        }
        row.next_offset = batch.next_offset;
        batch_sizes.push_back(batch.messages.size());
        if (on_apply) {
            on_apply();
        }
        if (mishap == Mishap::kLostAfterCommit) {
            throw RetryableError("connection to PostgreSQL lost");
        }
        return results;
    }

    bool attend() override { return std::exchange(ended, false); }

    std::set<Partition> slow;        ///< batches of these stay under way
    std::map<Partition, int> asked;  ///< how often apply() was called for one that is under way
    bool ended = false;              ///< what the next attend() returns
    int down = 0;
    int claims = 0;
    std::set<std::string> unknown_calls;
    std::set<std::string> verified;
    std::map<Partition, Row> rows;
    std::map<Partition, std::deque<Mishap>> mishaps;
    std::map<Partition, int> attempts;
    std::map<Partition, std::vector<std::string>> applied;
    std::vector<std::size_t> batch_sizes;
    std::function<void()> on_apply;
};

}  // namespace holdfast::relay::inbox::testing
