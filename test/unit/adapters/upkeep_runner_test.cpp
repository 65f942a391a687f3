#include "adapters/upkeep_runner.hpp"

#include <gtest/gtest.h>

#include <string>

#include "postgres/scratch_server.hpp"

namespace holdfast::relay::adapters {
namespace {

// The extension's tables are stand-ins with the columns that are read.
class UpkeepRunnerTest : public postgres::testing::DatabaseTest {
 protected:
    void install() {
        sql("CREATE SCHEMA holdfast");
        sql("CREATE TABLE holdfast.snapshot_run (snapshot_id bigint, slot name, kind text, "
            "status text, started_at timestamptz, finished_at timestamptz)");
        sql("CREATE TABLE holdfast.snapshot_table (snapshot_id bigint, status text)");
    }
    [[nodiscard]] UpkeepRunner runner(bool needs_extension = true) {
        postgres::StreamRequirements required;
        required.slot = "relay";
        required.extension = needs_extension;
        return {options(), required, {}, "", metrics, [] { return true; }};
    }
    /// Snapshots of each status, in the order of metrics::kSnapshotStatuses, then the other three.
    static std::string shown(const metrics::SnapshotMetrics& snapshots) {
        std::string text;
        for (const metrics::Gauge& gauge : snapshots.snapshots) {
            text += std::to_string(gauge.value()) + " ";
        }
        return text + "| " + std::to_string(snapshots.tables.value()) + " " +
               std::to_string(snapshots.tables_remaining.value()) + " " +
               std::to_string(snapshots.started_seconds.value());
    }

    metrics::MonitorMetrics metrics;
};

TEST_F(UpkeepRunnerTest, ShowsSnapshotsAsTheyAreAndNotAsTheyWere) {
    install();
    sql("INSERT INTO holdfast.snapshot_run VALUES "
        "(1, 'relay', 'initial', 'COMPLETED', to_timestamp(50), now()), "
        "(2, 'relay', 'incremental', 'RUNNING', to_timestamp(200), NULL), "
        "(3, 'relay', 'incremental', 'PAUSED', to_timestamp(100), NULL), "
        "(4, 'relay', 'incremental', 'REQUESTED', NULL, NULL), "
        "(5, 'relay', 'incremental', 'FAILED', to_timestamp(60), now()), "
        "(6, 'another', 'incremental', 'STOPPED', to_timestamp(60), now())");
    sql("INSERT INTO holdfast.snapshot_table VALUES (1, 'COMPLETED'), (2, 'COMPLETED'), "
        "(2, 'RUNNING'), (3, 'RUNNING'), (4, 'REQUESTED'), (5, 'STOPPED')");
    UpkeepRunner upkeep = runner();
    upkeep.look_at_snapshots();
    EXPECT_EQ(shown(metrics.initial_snapshots), "0 0 0 1 0 0 | 0 0 0");
    EXPECT_EQ(shown(metrics.incremental_snapshots), "1 1 1 0 0 1 | 4 3 100");
    sql("DELETE FROM holdfast.snapshot_run WHERE snapshot_id <> 2");
    upkeep.look_at_snapshots();
    EXPECT_EQ(shown(metrics.initial_snapshots), "0 0 0 0 0 0 | 0 0 0");
    EXPECT_EQ(shown(metrics.incremental_snapshots), "0 1 0 0 0 0 | 2 1 200");
}

TEST_F(UpkeepRunnerTest, LooksAtNoSnapshotsWithoutTheExtensionThatNobodyNeeds) {
    EXPECT_NO_THROW(runner(false).look_at_snapshots());
    EXPECT_THROW(runner(true).look_at_snapshots(), postgres::SqlError);
}

}  // namespace
}  // namespace holdfast::relay::adapters
