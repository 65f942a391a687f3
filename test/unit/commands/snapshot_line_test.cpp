#include "commands/snapshot_line.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace holdfast::relay::commands {
namespace {

postgres::SnapshotOverview running() {
    return {.id = 7,
            .kind = "incremental",
            .status = "RUNNING",
            .started_at = "2026-03-01 12:00:00+00",
            .tables = 3,
            .tables_completed = 1,
            .rows_sent = 2'000,
            .rows_estimated = 5'400,
            .reading = {"public.orders", "\"Sales\".\"Lines\""},
            .last_error = ""};
}

TEST(SnapshotLine, SaysHowFarItIsAndWithWhat) {
    EXPECT_EQ(snapshot_line(running()),
              "snapshot 7: incremental, RUNNING, since 2026-03-01 12:00:00+00, 1 of 3 tables, "
              "2000 rows (about 37 %), reading public.orders, \"Sales\".\"Lines\"\n");
}

TEST(SnapshotLine, HasNoShareOfWhatNobodyKnows) {
    postgres::SnapshotOverview snapshot = running();
    snapshot.reading.clear();
    snapshot.started_at.clear();
    for (const std::optional<std::int64_t> estimated : {std::optional<std::int64_t>(), {0}}) {
        snapshot.rows_estimated = estimated;
        EXPECT_EQ(snapshot_line(snapshot),
                  "snapshot 7: incremental, RUNNING, 1 of 3 tables, 2000 rows\n");
    }
}

TEST(SnapshotLine, AShareOfVeryManyRowsIsRight) {
    postgres::SnapshotOverview snapshot = running();
    snapshot.rows_sent = INT64_MAX / 4;
    snapshot.rows_estimated = INT64_MAX / 2;
    EXPECT_NE(snapshot_line(snapshot).find("(about 50 %)"), std::string::npos)
        << snapshot_line(snapshot);
}

TEST(SnapshotLine, TellsWhyItFailed) {
    postgres::SnapshotOverview snapshot = running();
    snapshot.status = "FAILED";
    snapshot.last_error = "the key is not what it was";
    EXPECT_TRUE(snapshot_line(snapshot).ends_with("\n  error: the key is not what it was\n"))
        << snapshot_line(snapshot);
}

}  // namespace
}  // namespace holdfast::relay::commands
