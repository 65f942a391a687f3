#include "postgres/snapshot_overview.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "postgres/scratch_server.hpp"

namespace holdfast::relay::postgres {
namespace {

// The extension's tables are stand-ins with the columns that are read.
class SnapshotOverviewTest : public testing::DatabaseTest {
 protected:
    void SetUp() override {
        DatabaseTest::SetUp();
        if (server_ == nullptr) {
            return;
        }
        sql("CREATE SCHEMA holdfast");
        sql("CREATE TABLE holdfast.snapshot_run (snapshot_id bigint, slot name, kind text, "
            "status text, started_at timestamptz, finished_at timestamptz, last_error text)");
        sql("CREATE TABLE holdfast.snapshot_table (snapshot_id bigint, ordinal int, "
            "schema_name name, table_name name, condition text, status text, rows_sent bigint)");
        sql("SET TIME ZONE 'UTC'");
        sql("CREATE TABLE counted AS SELECT n FROM generate_series(1, 50) n");
        sql("ANALYZE counted");
        sql("CREATE TABLE uncounted (n int)");
    }
    void run(int id, const std::string& status, const std::string& started_at = "NULL",
             const std::string& kind = "incremental", const std::string& slot = "relay") {
        const bool ended = status == "COMPLETED" || status == "FAILED" || status == "STOPPED";
        sql("INSERT INTO holdfast.snapshot_run VALUES (" + std::to_string(id) + ", '" + slot +
            "', '" + kind + "', '" + status + "', " + started_at + ", " +
            (ended ? "now()" : "NULL") + ", " + (status == "FAILED" ? "'why'" : "NULL") + ")");
    }
    void table(int id, const std::string& name, const std::string& status, int rows_sent,
               const std::string& condition = "NULL") {
        sql("INSERT INTO holdfast.snapshot_table SELECT " + std::to_string(id) +
            ", count(*) + 1, 'public', '" + name + "', " + condition + ", '" + status + "', " +
            std::to_string(rows_sent) +
            " FROM holdfast.snapshot_table WHERE snapshot_id = " + std::to_string(id));
    }
    /// "kind status: snapshots tables remaining started", sorted.
    std::vector<std::string> counts() {
        std::vector<std::string> lines;
        for (const SnapshotCount& count : read_snapshot_counts(*session_, "relay")) {
            lines.push_back(count.kind + " " + count.status + ": " +
                            std::to_string(count.snapshots) + " " + std::to_string(count.tables) +
                            " " + std::to_string(count.tables_remaining) + " " +
                            std::to_string(count.started_seconds));
        }
        std::ranges::sort(lines);
        return lines;
    }
    std::vector<SnapshotOverview> overview() { return read_snapshot_overview(*session_, "relay"); }
};

TEST_F(SnapshotOverviewTest, CountsByKindAndStatusAndTablesOfWhatHasNotEnded) {
    run(1, "COMPLETED", "to_timestamp(100)", "initial");
    table(1, "counted", "COMPLETED", 50);
    run(2, "RUNNING", "to_timestamp(300)");
    table(2, "counted", "COMPLETED", 50);
    table(2, "uncounted", "RUNNING", 0);
    run(3, "RUNNING", "to_timestamp(200)");
    table(3, "counted", "REQUESTED", 0);
    table(3, "gone", "STOPPED", 5);
    run(4, "PAUSED");
    run(5, "RUNNING", "to_timestamp(1)", "incremental", "another");
    EXPECT_EQ(counts(), (std::vector<std::string>{"incremental PAUSED: 1 0 0 0",
                                                  "incremental RUNNING: 2 4 2 200",
                                                  "initial COMPLETED: 1 0 0 0"}));
}

TEST_F(SnapshotOverviewTest, ShowsWhatHasNotEndedOrHasFailedTheOldestFirst) {
    run(3, "PAUSED");
    run(2, "FAILED", "to_timestamp(0.7)", "initial");
    run(1, "COMPLETED");
    run(4, "STOPPED");
    run(5, "RUNNING", "now()", "incremental", "another");
    const std::vector<SnapshotOverview> found = overview();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].id, 2);
    EXPECT_EQ(found[0].kind, "initial");
    EXPECT_EQ(found[0].status, "FAILED");
    EXPECT_EQ(found[0].started_at, "1970-01-01 00:00:00+00");
    EXPECT_EQ(found[0].last_error, "why");
    EXPECT_EQ(found[1].id, 3);
    EXPECT_EQ(found[1].started_at, "");
    EXPECT_FALSE(found[1].rows_estimated) << "it has no tables yet";
}

TEST_F(SnapshotOverviewTest, AddsUpTablesAndRowsAndNamesWhatIsBeingRead) {
    sql("CREATE TABLE \"Big\" AS SELECT n FROM generate_series(1, 10) n");
    sql("ANALYZE \"Big\"");
    run(1, "RUNNING", "now()", "initial");
    table(1, "uncounted", "COMPLETED", 7);
    table(1, "counted", "RUNNING", 20);
    table(1, "Big", "RUNNING", 14);
    const std::vector<SnapshotOverview> found = overview();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].tables, 3);
    EXPECT_EQ(found[0].tables_completed, 1);
    EXPECT_EQ(found[0].rows_sent, 41);
    EXPECT_EQ(found[0].rows_estimated, 7 + 50 + 14) << "statistics that are old say too little";
    EXPECT_EQ(found[0].reading, (std::vector<std::string>{"public.counted", "public.\"Big\""}));
}

TEST_F(SnapshotOverviewTest, EstimatesWhatWasSentOfATableThatIsGone) {
    run(1, "RUNNING", "now()", "initial");
    table(1, "gone", "STOPPED", 5);
    table(1, "counted", "RUNNING", 20);
    EXPECT_EQ(overview().at(0).rows_estimated, 5 + 50);
}

TEST_F(SnapshotOverviewTest, EstimatesNothingWithoutStatisticsOrWithACondition) {
    run(1, "RUNNING");
    table(1, "counted", "REQUESTED", 0);
    table(1, "uncounted", "REQUESTED", 0);
    run(2, "RUNNING");
    table(2, "counted", "REQUESTED", 0, "'n > 5'");
    run(3, "RUNNING");
    table(3, "gone", "REQUESTED", 0);
    run(4, "RUNNING");
    table(4, "counted", "REQUESTED", 0);
    const std::vector<SnapshotOverview> found = overview();
    ASSERT_EQ(found.size(), 4U);
    EXPECT_FALSE(found[0].rows_estimated);
    EXPECT_FALSE(found[1].rows_estimated);
    EXPECT_FALSE(found[2].rows_estimated);
    EXPECT_EQ(found[3].rows_estimated, 50);
}

}  // namespace
}  // namespace holdfast::relay::postgres
