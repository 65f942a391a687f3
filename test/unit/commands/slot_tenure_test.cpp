#include "commands/slot_tenure.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.hpp"
#include "postgres/scratch_server.hpp"

namespace holdfast::relay::commands {
namespace {

constexpr const char* kMine = "00000000-0000-4000-8000-000000000001";
constexpr const char* kOther = "00000000-0000-4000-8000-000000000002";

TEST(SlotMoved, OnlyWhatIsFurtherOnThanItWasLeft) {
    const auto moved = [](std::uint64_t confirmed, std::uint64_t left) {
        postgres::SlotRow slot;
        slot.confirmed_flush = Lsn{confirmed};
        return slot_moved(slot, Lsn{left}, "orders");
    };
    EXPECT_FALSE(moved(100, 100));
    EXPECT_FALSE(moved(99, 100));
    EXPECT_FALSE(moved(100, 0)) << "where it was left is not known";
    ASSERT_TRUE(moved(0x101, 0x100));
    EXPECT_NE(moved(0x101, 0x100)->message.find("up to 0/101"), std::string::npos);
    EXPECT_NE(moved(0x101, 0x100)->message.find("left it at 0/100"), std::string::npos);
    EXPECT_NE(moved(0x101, 0x100)->hint.find("holdfast.forget_slot('orders')"), std::string::npos);
}

// The extension's table and functions are stand-ins that do the same.
class SlotTenureTest : public postgres::testing::DatabaseTest {
 protected:
    void SetUp() override {
        DatabaseTest::SetUp();
        if (server_ == nullptr) {
            return;
        }
        slot_ = "tenure_" + database_;
        sql("SELECT pg_create_logical_replication_slot('" + slot_ + "', 'pgoutput')");
    }
    void TearDown() override {
        if (server_ != nullptr) {
            sql("SELECT pg_drop_replication_slot('" + slot_ + "')");
        }
        DatabaseTest::TearDown();
    }
    void install() {
        sql("CREATE SCHEMA holdfast");
        sql("CREATE TABLE holdfast.relay_state (slot name PRIMARY KEY, system_identifier text, "
            "confirmed_lsn pg_lsn, reported_at timestamptz DEFAULT now(), run_id uuid, "
            "left_lsn pg_lsn)");
        sql("CREATE FUNCTION holdfast.relay_take_slot(name, uuid) RETURNS void LANGUAGE sql AS "
            "$$ INSERT INTO holdfast.relay_state (slot, run_id) VALUES ($1, $2) "
            "ON CONFLICT (slot) DO UPDATE SET run_id = excluded.run_id, left_lsn = NULL $$");
        sql("CREATE FUNCTION holdfast.relay_leave_slot(name, uuid, pg_lsn) RETURNS void "
            "LANGUAGE sql AS $$ UPDATE holdfast.relay_state SET left_lsn = $3 "
            "WHERE slot = $1 AND run_id = $2 $$");
    }
    void advance() {
        sql("SELECT pg_logical_emit_message(false, 'noise', 'noise')");
        sql("SELECT pg_replication_slot_advance('" + slot_ + "', pg_current_wal_lsn())");
    }
    [[nodiscard]] std::string text(const std::string& query) {
        return std::string(session_->exec(query.c_str()).text(0, 0));
    }
    [[nodiscard]] std::string confirmed() {
        return text("SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = '" +
                    slot_ + "'");
    }
    [[nodiscard]] std::string left() { return text("SELECT left_lsn FROM holdfast.relay_state"); }
    void refuses(SlotTenure& tenure) {
        try {
            tenure.take(*session_);
            FAIL() << "a slot that has moved was taken";
        } catch (const FatalError& error) {
            EXPECT_EQ(error.code(), ExitCode::kSlotMissing);
        }
    }

    std::string slot_;
};

TEST_F(SlotTenureTest, TakesASlotThatStandsWhereItWasLeft) {
    install();
    SlotTenure mine(slot_, kMine);
    mine.take(*session_);
    EXPECT_EQ(left(), "");
    mine.leave(*session_);
    EXPECT_EQ(left(), confirmed());
    SlotTenure next(slot_, kOther);
    next.take(*session_);
    EXPECT_EQ(left(), "");
}

TEST_F(SlotTenureTest, RefusesASlotThatHasMovedSinceAndLeavesTheBooksAsTheyWere) {
    install();
    SlotTenure mine(slot_, kMine);
    mine.take(*session_);
    mine.leave(*session_);
    const std::string before = left();
    advance();
    SlotTenure next(slot_, kOther);
    refuses(next);
    refuses(next);
    EXPECT_EQ(left(), before);
}

TEST_F(SlotTenureTest, RefusesASlotThatHasMovedWhileItWasNotConnected) {
    install();
    SlotTenure mine(slot_, kMine);
    mine.take(*session_);
    advance();
    refuses(mine);
}

TEST_F(SlotTenureTest, WhatItHasConfirmedItselfIsNoMove) {
    install();
    SlotTenure mine(slot_, kMine);
    mine.take(*session_);
    advance();
    mine.note_confirmed(Lsn::parse(confirmed()).value());
    EXPECT_NO_THROW(mine.take(*session_));
}

TEST_F(SlotTenureTest, KnowsNothingOnceAnotherProcessHasReadTheSlot) {
    install();
    SlotTenure mine(slot_, kMine);
    mine.take(*session_);
    SlotTenure other(slot_, kOther);
    other.take(*session_);
    advance();
    EXPECT_NO_THROW(mine.take(*session_));
}

TEST_F(SlotTenureTest, ASlotThatIsMadeAgainWithASnapshotBeginsAnew) {
    install();
    SlotTenure mine(slot_, kMine);
    mine.begin_anew(*session_);
    EXPECT_EQ(text("SELECT count(*) FROM holdfast.relay_state"), "0")
        << "no relay has streamed from it yet";
    mine.take(*session_);
    mine.leave(*session_);
    advance();
    SlotTenure next(slot_, kOther);
    next.begin_anew(*session_);
    EXPECT_NO_THROW(next.take(*session_));
}

TEST_F(SlotTenureTest, WithoutTheExtensionNothingIsKnownAndNothingRefused) {
    SlotTenure mine(slot_, kMine);
    mine.begin_anew(*session_);
    mine.take(*session_);
    advance();
    EXPECT_NO_THROW(mine.take(*session_));
    EXPECT_NO_THROW(mine.leave(*session_));
}

}  // namespace
}  // namespace holdfast::relay::commands
