// A table in memory as the source of an incremental snapshot's chunks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "capture/chunk_source.hpp"
#include "support/pgoutput_frames.hpp"

namespace holdfast::relay::capture {

/// inventory.customers(id, region, name), read by `key`; it has one snapshot to take, number 7.
class FakeChunkSource final : public ChunkSource {
 public:
    static constexpr std::uint32_t kTable = 16'400;

    // ---- What the test scripts

    std::vector<test::Row> table;  ///< in the order of the key
    std::vector<std::size_t> key{0};
    std::string key_type = "text";
    std::size_t chunk_rows = 2;
    std::vector<test::ColumnSpec> columns{{"id", 25, true}, {"region"}, {"name"}};
    std::string condition;
    bool paused = false;
    TransactionHorizon now{.xmax = 1'000};
    std::string lost;     ///< not "": the next call finds the database gone, for this reason
    std::string refused;  ///< not "": read() says so

    // ---- What the test sees

    std::vector<std::string> calls;       ///< "read after 2", "progress 4 rows after 4", ...
    std::vector<std::string> watermarks;  ///< contents of the messages
    bool completed = false;
    SnapshotWork kept{.snapshot_id = 7, .ordinal = 1, .schema = "inventory", .table = "customers"};

    [[nodiscard]] std::string last_call() const { return calls.empty() ? "" : calls.back(); }

    // ---- ChunkSource

    TransactionHorizon horizon() override {
        fail_if_lost();
        return now;
    }
    std::optional<SnapshotWork> next_work() override {
        fail_if_lost();
        return completed || paused ? std::nullopt : std::optional(kept);
    }
    std::optional<SnapshotChunk> read(const SnapshotWork& work,
                                      const StreamedXids& streamed) override {
        fail_if_lost();
        if (!refused.empty()) {
            throw SnapshotError(refused);
        }
        if (!streamed.all_seen_by(now)) {
            calls.emplace_back("read too early");
            return std::nullopt;
        }
        calls.push_back("read" + after(work));
        std::vector<pgoutput::Column> described;
        for (const test::ColumnSpec& column : columns) {
            described.push_back({.part_of_key = column.part_of_key,
                                 .name = column.name,
                                 .type = {column.type},
                                 .modifier = -1});
        }
        SnapshotChunk chunk{
            .relation = pgoutput::CachedRelation(pgoutput::Relation{.id = {kTable},
                                                                    .schema = "inventory",
                                                                    .name = "customers",
                                                                    .replica_identity = 'd',
                                                                    .columns = described}),
            .key = key,
            .key_definition = {},
            .rows = {},
            .last_key = {},
            .last = false,
            .read_time_us = 1'700'000'000'000'000};
        for (const std::size_t column : key) {
            chunk.key_definition.push_back(std::string(columns.at(column).name) + " " + key_type);
        }
        auto row = std::ranges::find_if(table, [&](const test::Row& candidate) {
            return work.last_key.empty() || key_of(candidate) > work.last_key;
        });
        std::size_t count = 0;
        for (; row != table.end() && count < chunk_rows; ++row, ++count) {
            std::ranges::for_each(*row, [&](const test::Cell& cell) { chunk.rows.append(cell); });
            chunk.last_key = key_of(*row);
        }
        chunk.rows.seal(columns.size());
        chunk.last = count < chunk_rows;
        return chunk;
    }
    void emit_watermark(const SnapshotWork& work, const std::string& watermark) override {
        fail_if_lost();
        watermarks.push_back(R"({"slot":"relay","snapshot_id":)" +
                             std::to_string(work.snapshot_id) + R"(,"watermark":")" + watermark +
                             "\"}");
    }
    void record_progress(const SnapshotWork& work, bool is_completed) override {
        fail_if_lost();
        kept = work;
        completed = is_completed;
        calls.push_back("progress " + std::to_string(work.rows_sent) + " rows" + after(work) +
                        (is_completed ? ", completed" : ""));
    }
    void fail(const SnapshotWork& work, const std::string& reason) override {
        fail_if_lost();
        completed = true;
        calls.push_back("snapshot " + std::to_string(work.snapshot_id) + " failed at " +
                        work.schema + "." + work.table + ": " + reason);
    }

 private:
    [[nodiscard]] std::vector<std::string> key_of(const test::Row& row) const {
        std::vector<std::string> values;
        for (const std::size_t column : key) {
            values.push_back(row.at(column).value());
        }
        return values;
    }
    static std::string after(const SnapshotWork& work) {
        std::string text = work.last_key.empty() ? "" : " after";
        for (const std::string& value : work.last_key) {
            text += " " + value;
        }
        return text;
    }
    void fail_if_lost() {
        if (!lost.empty()) {
            throw RetryableError(std::exchange(lost, {}));
        }
    }
};

}  // namespace holdfast::relay::capture
