#include "snapshot/mode.hpp"

#include <gtest/gtest.h>

namespace holdfast::relay::snapshot {
namespace {

using LastRun = Situation::LastRun;

/// A slot that `init` has made.
constexpr Situation kNewSlot{.slot_exists = true};
/// Nothing is there, and the relay was started with --create-slot.
constexpr Situation kNoSlot{.may_create_slot = true};

Situation with(Situation situation, LastRun last_run) {
    situation.last_run = last_run;
    return situation;
}

TEST(SnapshotMode, KnowsDebeziumsNames) {
    EXPECT_EQ(parse_mode("initial"), Mode::kInitial);
    EXPECT_EQ(parse_mode("initial_only"), Mode::kInitialOnly);
    EXPECT_EQ(parse_mode("no_data"), Mode::kNoData);
    EXPECT_EQ(parse_mode("always"), Mode::kAlways);
    EXPECT_EQ(parse_mode("when_needed"), Mode::kWhenNeeded);
    EXPECT_EQ(parse_mode("never"), std::nullopt);
}

TEST(SnapshotMode, NoDataTakesNone) {
    EXPECT_EQ(next_step(Mode::kNoData, kNewSlot), Step::kNone);
    EXPECT_EQ(next_step(Mode::kNoData, kNoSlot), Step::kNone);
    EXPECT_EQ(next_step(Mode::kNoData, with(kNewSlot, LastRun::kUnfinished)), Step::kNone);
}

TEST(SnapshotMode, InitialTakesOneBeforeASlotIsReadForTheFirstTime) {
    EXPECT_EQ(next_step(Mode::kInitial, kNoSlot), Step::kTakeWithSlot);
    EXPECT_EQ(next_step(Mode::kInitial, kNewSlot), Step::kTake);
    EXPECT_EQ(next_step(Mode::kInitial, with(kNewSlot, LastRun::kUnfinished)), Step::kResume);
    EXPECT_EQ(next_step(Mode::kInitial, with(kNewSlot, LastRun::kCompleted)), Step::kNone);
}

TEST(SnapshotMode, ASlotThatWasReadBeforeNeedsNone) {
    const Situation read{.slot_exists = true, .slot_was_read = true};
    EXPECT_EQ(next_step(Mode::kInitial, read), Step::kNone);
    EXPECT_EQ(next_step(Mode::kWhenNeeded, read), Step::kNone);
}

TEST(SnapshotMode, ASlotIsMadeOnlyWhereTheRelayMayMakeIt) {
    EXPECT_EQ(next_step(Mode::kInitial, {}), Step::kNone);
    EXPECT_EQ(next_step(Mode::kAlways, {}), Step::kNone);
    EXPECT_EQ(next_step(Mode::kWhenNeeded, {}), Step::kNone);
}

TEST(SnapshotMode, ANewSlotNeedsANewSnapshotWhateverWasTakenForAnEarlierOne) {
    EXPECT_EQ(next_step(Mode::kInitial, with(kNoSlot, LastRun::kUnfinished)), Step::kTakeWithSlot);
    EXPECT_EQ(next_step(Mode::kInitial, with(kNoSlot, LastRun::kCompleted)), Step::kTakeWithSlot);
}

TEST(SnapshotMode, ASlotThatIsYoungerThanTheLastSnapshotGetsOneOfItsOwn) {
    Situation remade = with(kNewSlot, LastRun::kOfAnotherSlot);
    EXPECT_EQ(next_step(Mode::kInitial, remade), Step::kTake);
    remade.slot_was_read = true;
    EXPECT_EQ(next_step(Mode::kInitial, remade), Step::kTake);
    EXPECT_EQ(next_step(Mode::kAlways, remade), Step::kTake);
}

TEST(SnapshotMode, OnlyWhenNeededMakesUpForALostSlot) {
    const Situation lost{.slot_was_read = true, .may_create_slot = true};
    EXPECT_EQ(next_step(Mode::kInitial, lost), Step::kNone);
    EXPECT_EQ(next_step(Mode::kAlways, lost), Step::kNone);
    EXPECT_EQ(next_step(Mode::kWhenNeeded, lost), Step::kTakeWithSlot);
    Situation routed = lost;
    routed.has_outbox = true;
    EXPECT_EQ(next_step(Mode::kWhenNeeded, routed), Step::kNone)
        << "the events of an outbox are in no snapshot";
}

TEST(SnapshotMode, AlwaysTakesOneAtEachStart) {
    Situation started = with(kNewSlot, LastRun::kCompleted);
    started.slot_was_read = true;
    EXPECT_EQ(next_step(Mode::kAlways, started), Step::kTake);
    started.taken_by_this_process = true;
    EXPECT_EQ(next_step(Mode::kAlways, started), Step::kNone) << "a reconnect is no start";
}

TEST(SnapshotMode, InitialOnlyNeedsNoSlot) {
    EXPECT_EQ(next_step(Mode::kInitialOnly, {}), Step::kTake);
    EXPECT_EQ(next_step(Mode::kInitialOnly, with({}, LastRun::kUnfinished)), Step::kResume);
    EXPECT_EQ(next_step(Mode::kInitialOnly, with({}, LastRun::kCompleted)), Step::kNone);
}

}  // namespace
}  // namespace holdfast::relay::snapshot
