#include "http/health.hpp"

#include <gtest/gtest.h>

namespace holdfast::relay::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

HealthInputs connected() {
    HealthInputs inputs;
    inputs.postgres_connected = true;
    inputs.kafka_connected = true;
    return inputs;
}

std::string codes(const Health& health) {
    std::string all;
    for (const Health::Reason& reason : health.reasons) {
        all += reason.code + " ";
    }
    return all;
}

TEST(Health, IsReadyWhenBothSidesAreConnected) {
    const Health health = assess(connected());
    EXPECT_TRUE(health.ready);
    EXPECT_EQ(to_json(health), "{\"status\":\"ready\"}\n");
}

TEST(Health, IsNotReadyWithoutPostgres) {
    HealthInputs inputs = connected();
    inputs.postgres_connected = false;
    EXPECT_EQ(codes(assess(inputs)), "postgres_disconnected ");
}

TEST(Health, SaysWhatTheStreamWaitsFor) {
    HealthInputs inputs = connected();
    inputs.postgres_connected = false;
    inputs.waiting_for = "slot \"holdfast\" is in use";
    EXPECT_EQ(to_json(assess(inputs)),
              "{\"status\":\"not ready\",\"reasons\":[{\"code\":\"postgres_disconnected\","
              "\"detail\":\"the replication stream does not run: slot \\\"holdfast\\\" is in "
              "use\"}]}\n");
}

TEST(Health, IsNotReadyWithoutKafka) {
    HealthInputs inputs = connected();
    inputs.kafka_connected = false;
    EXPECT_EQ(codes(assess(inputs)), "kafka_disconnected ");
}

TEST(Health, IsNotReadyWhileHalting) {
    HealthInputs inputs = connected();
    inputs.halt_code = 11;
    inputs.halt_reason = "slot_lost";
    const Health health = assess(inputs);
    EXPECT_EQ(codes(health), "halted ");
    EXPECT_EQ(health.reasons[0].detail, "slot_lost, exit code 11");
}

TEST(Health, NamesEveryReason) {
    HealthInputs inputs;
    inputs.lag_bytes = 2;
    inputs.since_last_confirm = seconds(31);
    EXPECT_EQ(codes(assess(inputs)), "postgres_disconnected kafka_disconnected stalled ");
}

TEST(Health, StallNeedsBothGrowthAndThirtySeconds) {
    HealthInputs inputs = connected();
    inputs.lag_bytes_at_last_confirm = 1000;
    inputs.lag_bytes = 2000;
    inputs.since_last_confirm = milliseconds(29'999);
    EXPECT_TRUE(assess(inputs).ready);
    inputs.since_last_confirm = milliseconds(30'000);
    EXPECT_EQ(codes(assess(inputs)), "stalled ");
    inputs.lag_bytes = 1000;  // a quiet database: lag, but no growth
    EXPECT_TRUE(assess(inputs).ready);
}

TEST(StallWatch, CountsFromTheMomentAtWhichLagAppears) {
    const steady_clock::time_point start;
    StallWatch watch(start);
    watch.sample(start, 100, 0);
    watch.sample(start + seconds(60), 100, 0);  // idle for a minute: nothing to confirm
    watch.sample(start + seconds(61), 100, 50);
    HealthInputs inputs = connected();
    watch.describe(start + seconds(62), inputs);
    EXPECT_EQ(inputs.since_last_confirm, seconds(2));
    EXPECT_TRUE(assess(inputs).ready);
    watch.sample(start + seconds(95), 100, 70);
    watch.describe(start + seconds(95), inputs);
    EXPECT_EQ(codes(assess(inputs)), "stalled ");
}

TEST(StallWatch, TheFirstOrderAfterAQuietHourIsNoStall) {
    const steady_clock::time_point start;
    StallWatch watch(start);
    watch.sample(start, 100, 56);  // a standby snapshot's WAL that was not confirmed yet
    watch.sample(start + seconds(3600), 100, 56);
    watch.sample(start + seconds(3601), 100, 900);
    HealthInputs inputs = connected();
    watch.describe(start + seconds(3601), inputs);
    EXPECT_TRUE(assess(inputs).ready);
}

TEST(StallWatch, AConfirmationStartsTheClockAgain) {
    const steady_clock::time_point start;
    StallWatch watch(start);
    watch.sample(start, 100, 500);
    watch.sample(start + seconds(29), 200, 9000);
    HealthInputs inputs = connected();
    watch.describe(start + seconds(58), inputs);
    EXPECT_EQ(inputs.since_last_confirm, seconds(29));
    EXPECT_EQ(inputs.lag_bytes_at_last_confirm, 9000U);
    EXPECT_TRUE(assess(inputs).ready);
}

TEST(Health, JsonEscapesControlCharacters) {
    Health health;
    health.reasons.push_back({"halted", "a\nb\\"});
    EXPECT_EQ(to_json(health),
              "{\"status\":\"not ready\",\"reasons\":[{\"code\":\"halted\","
              "\"detail\":\"a\\u000ab\\\\\"}]}\n");
}

}  // namespace
}  // namespace holdfast::relay::http
