#include "commands/readiness.hpp"

#include <gtest/gtest.h>

#include "base/errors.hpp"
#include "support/manual_clock.hpp"

namespace holdfast::relay::commands {
namespace {

using std::chrono::seconds;
using Phase = StreamState::Phase;

class ReadinessTest : public testing::Test {
 protected:
    void connect() {
        metrics.capture.postgres_connected.set(1);
        metrics.process.kafka_connected.set(1);
        metrics.capture.confirmed_lsn.set(1000);
        metrics.capture.server_lsn.set(1000);
        stream.set(Phase::kStreaming);
    }
    std::string first_reason() {
        const http::Health health = readiness.judge();
        return health.reasons.empty() ? "" : health.reasons[0].code;
    }

    test::ManualClock clock;
    metrics::RelayMetrics metrics;
    StreamState stream;
    Readiness readiness{metrics, stream, clock};
};

TEST_F(ReadinessTest, FollowsTheConnections) {
    EXPECT_EQ(first_reason(), "postgres_disconnected");
    connect();
    EXPECT_EQ(first_reason(), "");
    EXPECT_EQ(metrics.process.ready.value(), 1);
    metrics.process.kafka_connected.set(0);
    EXPECT_EQ(first_reason(), "kafka_disconnected");
    EXPECT_EQ(metrics.process.ready.value(), 0);
}

TEST_F(ReadinessTest, SeesAStreamThatIsStuckThroughTheMonitor) {
    connect();
    metrics.monitor.wal_lsn.set(1000);
    EXPECT_EQ(first_reason(), "");
    // The stream hears nothing, the monitor sees WAL being written.
    metrics.monitor.wal_lsn.set(5000);
    clock.advance(seconds(5));
    EXPECT_EQ(first_reason(), "");
    clock.advance(seconds(40));
    metrics.monitor.wal_lsn.set(9000);
    EXPECT_EQ(first_reason(), "stalled");
    metrics.capture.confirmed_lsn.set(9000);
    EXPECT_EQ(first_reason(), "");
}

TEST_F(ReadinessTest, NamesTheHalt) {
    connect();
    metrics.process.halt_code.set(static_cast<int>(ExitCode::kSlotLost));
    const http::Health health = readiness.judge();
    ASSERT_EQ(health.reasons.size(), 1U);
    EXPECT_EQ(health.reasons[0].detail, "slot_lost, exit code 11");
}

TEST(StreamState, OwnsTheReportOnlyWhileNoOtherRelayHasTheSlot) {
    StreamState stream;
    stream.set(Phase::kConnecting, "connecting");
    EXPECT_FALSE(stream.owns_report());
    stream.set(Phase::kStreaming);
    EXPECT_TRUE(stream.owns_report());
    stream.set(Phase::kWaiting, "connection lost");
    EXPECT_TRUE(stream.owns_report());
    EXPECT_EQ(stream.error_to_report(), "connection lost");
    stream.set(Phase::kSlotInUse, "slot is in use");
    EXPECT_FALSE(stream.owns_report());
}

TEST(StreamState, AHaltIsReportedBeforeAnythingElse) {
    StreamState stream;
    stream.set_halt("slot_missing: gone");
    stream.set(Phase::kWaiting, "connection lost");
    EXPECT_EQ(stream.error_to_report(), "slot_missing: gone");
    EXPECT_EQ(stream.waiting_for(), "connection lost");
}

}  // namespace
}  // namespace holdfast::relay::commands
