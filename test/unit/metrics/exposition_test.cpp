#include "metrics/exposition.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace holdfast::relay::metrics {
namespace {

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(Exposition, ShowsCountersAndGaugesWithTheirValues) {
    RelayMetrics metrics;
    metrics.capture.events.add(3);
    metrics.capture.events.add();
    metrics.capture.postgres_connected.set(1);
    metrics.monitor.slot_safe_wal_bytes.set(-1);
    const std::string text = exposition(metrics);
    EXPECT_TRUE(has_line(text, "holdfast_relay_events_total 4")) << text;
    EXPECT_TRUE(has_line(text, "# TYPE holdfast_relay_events_total counter"));
    EXPECT_TRUE(has_line(text, "holdfast_relay_postgres_connected 1"));
    EXPECT_TRUE(has_line(text, "holdfast_relay_slot_safe_wal_bytes -1"));
}

TEST(Exposition, KeepsAnLsnExact) {
    RelayMetrics metrics;
    // 0x123/456789AB: beyond 32 bits, and every digit must survive the text.
    metrics.capture.confirmed_lsn.set(0x123456789AB);
    EXPECT_TRUE(has_line(exposition(metrics), "holdfast_relay_confirmed_lsn 1250999896491"))
        << exposition(metrics);
}

TEST(Exposition, LagIsNeverNegative) {
    RelayMetrics metrics;
    metrics.capture.server_lsn.set(100);
    metrics.capture.confirmed_lsn.set(160);
    EXPECT_TRUE(has_line(exposition(metrics), "holdfast_relay_lag_bytes 0"));
    metrics.capture.server_lsn.set(200);
    EXPECT_TRUE(has_line(exposition(metrics), "holdfast_relay_lag_bytes 40"));
}

TEST(Exposition, LagCountsWhatOnlyTheMonitorHasSeen) {
    RelayMetrics metrics;
    metrics.capture.server_lsn.set(200);
    metrics.capture.confirmed_lsn.set(160);
    metrics.monitor.wal_lsn.set(1160);
    EXPECT_TRUE(has_line(exposition(metrics), "holdfast_relay_lag_bytes 1000"));
}

TEST(Exposition, BeforeTheFirstConfirmationLagIsTheSlots) {
    RelayMetrics metrics;
    metrics.capture.server_lsn.set(1'000'000);
    metrics.monitor.slot_lag_bytes.set(70);
    EXPECT_TRUE(has_line(exposition(metrics), "holdfast_relay_lag_bytes 70"));
}

TEST(Exposition, LabelsEachBindingAndEscapesItsLabels) {
    RelayMetrics metrics;
    InboxMetrics& first = metrics.inbox.emplace_back();
    first.consumer = "holdfast";
    first.topic = "order-failed";
    first.applied.add(7);
    InboxMetrics& second = metrics.inbox.emplace_back();
    second.consumer = "a\"b";
    second.topic = "payment-failed";
    const std::string text = exposition(metrics);
    EXPECT_TRUE(has_line(
        text, R"(holdfast_relay_inbox_applied_total{consumer="holdfast",topic="order-failed"} 7)"))
        << text;
    EXPECT_TRUE(has_line(
        text, R"(holdfast_relay_inbox_applied_total{consumer="a\"b",topic="payment-failed"} 0)"))
        << text;
}

TEST(Exposition, LabelsNotificationsAsBindings) {
    RelayMetrics metrics;
    NotifyMetrics& binding = metrics.notify.emplace_back();
    binding.consumer = "holdfast";
    binding.topic = "payment-event";
    binding.sent.add(2);
    binding.retried.add();
    const std::string text = exposition(metrics);
    const std::string labels = R"({consumer="holdfast",topic="payment-event"})";
    EXPECT_TRUE(has_line(text, "holdfast_relay_notify_sent_total" + labels + " 2")) << text;
    EXPECT_TRUE(has_line(text, "holdfast_relay_notify_failed_total" + labels + " 0")) << text;
    EXPECT_TRUE(has_line(text, "holdfast_relay_notify_retried_total" + labels + " 1")) << text;
}

TEST(Exposition, LabelsSnapshotsByKindAndStatus) {
    RelayMetrics metrics;
    metrics.capture.initial_snapshot_rows.add(5);
    metrics.capture.incremental_snapshot_rows.add(7);
    metrics.monitor.incremental_snapshots.snapshots[2].set(1);
    metrics.monitor.incremental_snapshots.tables_remaining.set(3);
    const std::string text = exposition(metrics);
    for (const char* line : {
             R"(holdfast_relay_snapshot_rows_total{kind="initial"} 5)",
             R"(holdfast_relay_snapshot_rows_total{kind="incremental"} 7)",
             R"(holdfast_relay_snapshots{kind="incremental",status="PAUSED"} 1)",
             R"(holdfast_relay_snapshots{kind="incremental",status="RUNNING"} 0)",
             R"(holdfast_relay_snapshots{kind="initial",status="PAUSED"} 0)",
             R"(holdfast_relay_snapshot_tables_remaining{kind="initial"} 0)",
             R"(holdfast_relay_snapshot_tables_remaining{kind="incremental"} 3)",
         }) {
        EXPECT_TRUE(has_line(text, line)) << line << " in\n" << text;
    }
}

TEST(Exposition, HistogramBucketsAreCumulativeAndInSeconds) {
    RelayMetrics metrics;
    metrics.capture.commit_to_confirm.observe(400);         // <= 0.5 ms
    metrics.capture.commit_to_confirm.observe(1'000);       // <= 1 ms, the bound itself
    metrics.capture.commit_to_confirm.observe(60'000'000);  // beyond the last bound
    metrics.capture.commit_to_confirm.observe(-5);          // a clock set back counts as zero
    const std::string text = exposition(metrics);
    EXPECT_TRUE(has_line(text, R"(holdfast_relay_commit_to_confirm_seconds_bucket{le="0.0005"} 2)"))
        << text;
    EXPECT_TRUE(has_line(text, R"(holdfast_relay_commit_to_confirm_seconds_bucket{le="0.001"} 3)"));
    EXPECT_TRUE(has_line(text, R"(holdfast_relay_commit_to_confirm_seconds_bucket{le="30"} 3)"));
    EXPECT_TRUE(has_line(text, R"(holdfast_relay_commit_to_confirm_seconds_bucket{le="+Inf"} 4)"));
    EXPECT_TRUE(has_line(text, "holdfast_relay_commit_to_confirm_seconds_count 4"));
    EXPECT_TRUE(has_line(text, "holdfast_relay_commit_to_confirm_seconds_sum 60.0014")) << text;
}

TEST(Exposition, NamesFollowPrometheusConventions) {
    std::set<std::string> seen;
    for (const FamilyDescription& family : metric_families()) {
        EXPECT_TRUE(seen.insert(family.name).second) << family.name << " is there twice";
        EXPECT_EQ(family.name.rfind("holdfast_relay_", 0), 0U) << family.name;
        const bool total = family.name.ends_with("_total");
        EXPECT_EQ(total, family.kind == "counter") << family.name;
        EXPECT_FALSE(family.help.empty()) << family.name;
    }
}

TEST(Exposition, DocumentationListsEveryMetricAndNoOther) {
    std::ifstream file(std::string(HOLDFAST_SOURCE_DIR) + "/docs/metrics.md");
    ASSERT_TRUE(file) << "docs/metrics.md is missing";
    std::set<std::string> documented;
    for (std::string line; std::getline(file, line);) {
        std::istringstream cells(line);
        std::string bar;
        std::string name;
        std::string second_bar;
        std::string kind;
        if (cells >> bar >> name >> second_bar >> kind && bar == "|" && name.front() == '`') {
            documented.insert(name.substr(1, name.size() - 2) + " " + kind);
        }
    }
    std::set<std::string> published;
    for (const FamilyDescription& family : metric_families()) {
        published.insert(family.name + " " + family.kind);
    }
    EXPECT_EQ(documented, published);
}

}  // namespace
}  // namespace holdfast::relay::metrics
