#include "upkeep/upkeep.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "support/manual_clock.hpp"

namespace holdfast::relay::upkeep {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Counts calls and fails on demand.
class FakeRunner final : public ProcedureRunner {
 public:
    void maintain() override {
        ++maintained;
        if (maintain_fails) {
            throw RetryableError("connection lost");
        }
    }
    std::int64_t expire_holds(std::int64_t limit) override {
        ++sweeps;
        const std::int64_t expired = std::min(limit, holds_due);
        holds_due -= expired;
        return expired;
    }
    std::int64_t sweep_sagas(std::int64_t limit) override {
        ++saga_sweeps;
        const std::int64_t swept = std::min(limit, sagas_due);
        sagas_due -= swept;
        return swept;
    }
    void heartbeat_action() override { ++heartbeat_actions; }
    void report(const Report& report) override { reports.push_back(report); }
    void record_positions(std::span<const EventPosition> positions) override {
        if (positions_fail) {
            throw std::runtime_error("permission denied (SQLSTATE 42501)");
        }
        for (const EventPosition& position : positions) {
            recorded.push_back(position.offset);
        }
    }
    void verify() override {
        ++verified;
        if (slot_gone) {
            throw FatalError(ExitCode::kSlotMissing, "slot is gone");
        }
    }

    void look_for_drift() override { ++looks; }
    void look_at_snapshots() override {
        ++snapshot_looks;
        if (snapshots_fail) {
            throw std::runtime_error("permission denied (SQLSTATE 42501)");
        }
    }

    int maintained = 0;
    bool maintain_fails = false;
    int sweeps = 0;
    std::int64_t holds_due = 0;
    int saga_sweeps = 0;
    std::int64_t sagas_due = 0;
    int heartbeat_actions = 0;
    std::vector<Report> reports;
    std::vector<std::int64_t> recorded;
    bool positions_fail = false;
    int verified = 0;
    bool slot_gone = false;
    int looks = 0;
    int snapshot_looks = 0;
    bool snapshots_fail = false;
};

class UpkeepTest : public testing::Test {
 protected:
    UpkeepTest() {
        log::set_level(log::Level::kError);
        options.maintain_interval = seconds(60);
        options.expire_holds_interval = seconds(1);
        options.expire_holds_limit = 10;
        options.report = [this]() -> std::optional<Report> {
            if (!streaming) {
                return std::nullopt;
            }
            return Report{Lsn{20}, Lsn{10}, ""};
        };
        options.observe = [this](std::string_view, bool succeeded) {
            ++(succeeded ? successes : failures);
        };
    }
    ~UpkeepTest() override { log::set_level(log::Level::kInfo); }

    Upkeep make() { return {runner, positions, clock, options}; }

    static std::vector<EventPosition> some_positions(std::int64_t first, std::int64_t count) {
        std::vector<EventPosition> all;
        for (std::int64_t i = 0; i < count; ++i) {
            all.push_back({"0190", "orders", 0, first + i});
        }
        return all;
    }

    test::ManualClock clock;
    FakeRunner runner;
    PositionBuffer positions{100};
    UpkeepOptions options;
    bool streaming = true;
    int successes = 0;
    int failures = 0;
};

TEST_F(UpkeepTest, ExecutesTheHeartbeatsQueryEveryIntervalButNotAtOnce) {
    options.heartbeat_interval = seconds(5);
    Upkeep upkeep = make();
    upkeep.step();
    EXPECT_EQ(runner.heartbeat_actions, 0);
    for (int i = 0; i < 2; ++i) {
        clock.advance(seconds(5));
        upkeep.step();
    }
    EXPECT_EQ(runner.heartbeat_actions, 2);
}

TEST_F(UpkeepTest, RunsMaintainAtOnceAndThenEveryInterval) {
    Upkeep upkeep = make();
    upkeep.step();
    EXPECT_EQ(runner.maintained, 1);
    clock.advance(seconds(59));
    upkeep.step();
    EXPECT_EQ(runner.maintained, 1);
    clock.advance(seconds(1));
    upkeep.step();
    EXPECT_EQ(runner.maintained, 2);
}

TEST_F(UpkeepTest, SaysWhenTheNextChoreIsDue) {
    Upkeep upkeep = make();
    EXPECT_EQ(upkeep.step(), clock.now() + options.expire_holds_interval);
}

TEST_F(UpkeepTest, AnIntervalOfZeroSwitchesAChoreOff) {
    options.maintain_interval = milliseconds(0);
    options.expire_holds_interval = milliseconds(0);
    options.saga_sweep_interval = milliseconds(0);
    Upkeep upkeep = make();
    upkeep.step();
    clock.advance(std::chrono::hours(1));
    upkeep.step();
    EXPECT_EQ(runner.maintained, 0);
    EXPECT_EQ(runner.sweeps, 0);
    EXPECT_EQ(runner.saga_sweeps, 0);
}

TEST_F(UpkeepTest, SweepsUntilNoHoldIsDue) {
    runner.holds_due = 25;
    Upkeep upkeep = make();
    // Without waiting for the next interval, and with a turn for the other chores in between.
    EXPECT_EQ(upkeep.step(), clock.now());
    EXPECT_EQ(runner.verified, 1);
    EXPECT_EQ(runner.holds_due, 15);
    EXPECT_EQ(upkeep.step(), clock.now());
    EXPECT_EQ(upkeep.step(), clock.now() + options.expire_holds_interval);
    EXPECT_EQ(runner.sweeps, 3);
    EXPECT_EQ(runner.holds_due, 0);
}

TEST_F(UpkeepTest, SweepsUntilNoSagaIsDue) {
    options.saga_sweep_limit = 10;
    runner.sagas_due = 25;
    Upkeep upkeep = make();
    EXPECT_EQ(upkeep.step(), clock.now());
    EXPECT_EQ(runner.sagas_due, 15);
    EXPECT_EQ(upkeep.step(), clock.now());
    EXPECT_EQ(upkeep.step(), clock.now() + options.saga_sweep_interval);
    EXPECT_EQ(runner.saga_sweeps, 3);
    EXPECT_EQ(runner.sagas_due, 0);
}

TEST_F(UpkeepTest, AFailureIsRetriedWithBackoffAndStopsNothing) {
    runner.maintain_fails = true;
    Upkeep upkeep = make();
    upkeep.step();
    EXPECT_EQ(failures, 1);
    EXPECT_EQ(runner.sweeps, 1) << "another chore must not suffer";
    clock.advance(options.retry_initial);
    upkeep.step();
    EXPECT_EQ(runner.maintained, 2);
    runner.maintain_fails = false;
    clock.advance(seconds(2));
    upkeep.step();
    EXPECT_EQ(runner.maintained, 3);
    clock.advance(seconds(30));
    upkeep.step();
    EXPECT_EQ(runner.maintained, 3) << "after a success the interval counts again";
}

TEST_F(UpkeepTest, NeverWaitsLongerThanTheCapForARetry) {
    runner.maintain_fails = true;
    Upkeep upkeep = make();
    for (int attempt = 1; attempt <= 20; ++attempt) {
        upkeep.step();
        EXPECT_GE(runner.maintained, attempt);
        clock.advance(options.retry_cap);
    }
}

TEST_F(UpkeepTest, ReportsOnlyWhileItHoldsTheSlot) {
    streaming = false;
    Upkeep upkeep = make();
    clock.advance(seconds(10));
    upkeep.step();
    EXPECT_TRUE(runner.reports.empty());
    streaming = true;
    clock.advance(seconds(10));
    upkeep.step();
    ASSERT_EQ(runner.reports.size(), 1U);
    EXPECT_EQ(runner.reports[0].confirmed, Lsn{10});
}

TEST_F(UpkeepTest, ARequestedReportDoesNotWaitForItsInterval) {
    Upkeep upkeep = make();
    upkeep.step();
    upkeep.request_report();
    upkeep.step();
    EXPECT_EQ(runner.reports.size(), 1U);
}

TEST_F(UpkeepTest, VerifiesAtOnceAndEveryFewSecondsAndLetsAHaltOut) {
    Upkeep upkeep = make();
    upkeep.step();
    EXPECT_EQ(runner.verified, 1);
    clock.advance(seconds(5));
    upkeep.step();
    EXPECT_EQ(runner.verified, 2);
    runner.slot_gone = true;
    clock.advance(seconds(5));
    try {
        upkeep.step();
        FAIL() << "the halt was swallowed";
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kSlotMissing);
    }
}

TEST_F(UpkeepTest, GathersPositionsForAMomentAndWritesThemInOrder) {
    Upkeep upkeep = make();
    upkeep.step();
    std::vector<EventPosition> first = some_positions(0, 3);
    positions.offer(first);
    EXPECT_EQ(upkeep.step(), clock.now() + options.positions_delay);
    EXPECT_TRUE(runner.recorded.empty());
    std::vector<EventPosition> second = some_positions(3, 2);
    positions.offer(second);
    clock.advance(options.positions_delay);
    upkeep.step();
    EXPECT_EQ(runner.recorded, (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
}

TEST_F(UpkeepTest, PositionsSurviveAFailedWrite) {
    options.positions_batch = 2;
    runner.positions_fail = true;
    Upkeep upkeep = make();
    std::vector<EventPosition> some = some_positions(0, 5);
    positions.offer(some);
    upkeep.step();
    clock.advance(options.positions_delay);
    upkeep.step();
    EXPECT_TRUE(runner.recorded.empty());
    runner.positions_fail = false;
    clock.advance(options.retry_initial);
    upkeep.step();
    EXPECT_EQ(runner.recorded, (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
}

TEST_F(UpkeepTest, RunStopsAtOnceAndWritesWhatIsLeft) {
    const SystemClock real;
    options.positions_delay = std::chrono::hours(1);
    Upkeep upkeep(runner, positions, real, options);
    std::vector<EventPosition> some = some_positions(0, 2);
    positions.offer(some);
    {
        const std::jthread thread([&upkeep](std::stop_token stop) { upkeep.run(stop); });
    }
    EXPECT_EQ(runner.recorded, (std::vector<std::int64_t>{0, 1}));
    EXPECT_EQ(runner.reports.size(), 1U);
}

TEST(PositionBuffer, DropsWhatDoesNotFitAndSaysHowMany) {
    PositionBuffer buffer(3);
    std::vector<EventPosition> five(5);
    EXPECT_EQ(buffer.offer(five), 2U);
    EXPECT_TRUE(five.empty());
    EXPECT_EQ(buffer.take(2).size(), 2U);
    EXPECT_EQ(buffer.take(2).size(), 1U);
    EXPECT_TRUE(buffer.empty());
}

TEST(PositionBuffer, WakesOnlyWhenItWasEmpty) {
    PositionBuffer buffer(10);
    int woken = 0;
    buffer.on_first([&woken] { ++woken; });
    std::vector<EventPosition> none;
    buffer.offer(none);
    EXPECT_EQ(woken, 0);
    for (int i = 0; i < 3; ++i) {
        std::vector<EventPosition> one(1);
        buffer.offer(one);
    }
    EXPECT_EQ(woken, 1);
    (void)buffer.take(10);
    std::vector<EventPosition> one(1);
    buffer.offer(one);
    EXPECT_EQ(woken, 2);
}

TEST_F(UpkeepTest, LooksForDriftAtItsInterval) {
    make().step();
    EXPECT_EQ(runner.looks, 0) << "nobody has asked for it";
    options.drift_interval = seconds(30);
    Upkeep upkeep = make();
    upkeep.step();
    EXPECT_EQ(runner.looks, 1);
    clock.advance(seconds(29));
    upkeep.step();
    EXPECT_EQ(runner.looks, 1);
    clock.advance(seconds(1));
    upkeep.step();
    EXPECT_EQ(runner.looks, 2);
    upkeep.request_report();
    upkeep.step();
    EXPECT_EQ(runner.looks, 3) << "the stream has begun";
}

TEST_F(UpkeepTest, LooksAtSnapshotsAtItsIntervalWhateverElseHappens) {
    make().step();
    EXPECT_EQ(runner.snapshot_looks, 0) << "nobody has asked for it";
    options.snapshots_interval = seconds(5);
    Upkeep upkeep = make();
    runner.snapshots_fail = true;
    const int verified = runner.verified;
    upkeep.step();
    EXPECT_EQ(runner.snapshot_looks, 1);
    EXPECT_EQ(runner.verified, verified + 1) << "one failure keeps no other chore";
    EXPECT_EQ(failures, 1);
    runner.snapshots_fail = false;
    clock.advance(options.retry_initial);
    upkeep.step();
    EXPECT_EQ(runner.snapshot_looks, 2);
    clock.advance(seconds(5));
    upkeep.step();
    EXPECT_EQ(runner.snapshot_looks, 3);
}

}  // namespace
}  // namespace holdfast::relay::upkeep
