#include "capture/resume_point.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/errors.hpp"

namespace holdfast::relay::capture {
namespace {

constexpr Lsn kCommit{1000};
constexpr Lsn kChange{2000};
constexpr Lsn kEnd{3000};  ///< of the transaction that was left in its middle
constexpr Xid kXid{742};

/// Stopped in the middle of a transaction, after `events` changes at kChange.
ResumePoint middle(std::uint64_t events = 1, std::optional<Lsn> commit = kCommit) {
    return ResumePoint({.lsn_commit = commit, .lsn = kChange, .xid = kXid, .events = events});
}

/// Which of the changes are sent already.
std::vector<bool> sent(ResumePoint& point, const std::vector<Lsn>& changes) {
    std::vector<bool> answers;
    for (const Lsn lsn : changes) {
        answers.push_back(point.sent(lsn));
    }
    return answers;
}

TEST(ResumePosition, ComesBackFromItsText) {
    for (const ResumePosition& position :
         {ResumePosition{.lsn_commit = kCommit, .lsn = {}, .xid = {}, .events = 0},
          ResumePosition{.lsn_commit = {}, .lsn = kChange, .xid = {}, .events = 0},
          ResumePosition{.lsn_commit = kCommit, .lsn = kChange, .xid = kXid, .events = 3},
          ResumePosition{.lsn_commit = {}, .lsn = kChange, .xid = Xid{4294967295}, .events = 0}}) {
        EXPECT_EQ(ResumePosition::parse(position.to_string()), position) << position.to_string();
    }
    EXPECT_EQ(
        ResumePosition::parse("lsn_commit=0/16B3748 txId=742 lsn=0/16B3800 lsn_events_processed=3")
            ->to_string(),
        "lsn_commit=0/16B3748 txId=742 lsn=0/16B3800 lsn_events_processed=3");
}

TEST(ResumePosition, RefusesTextThatLeavesAnythingOpen) {
    for (const char* text :
         {"", " ", "lsn", "lsn=", "lsn=0/0", "lsn=5", "lsn=0/5 ", " lsn=0/5", "lsn=0/5  txId=1",
          "lsn=0/5 lsn=0/6", "lsn_commit=0/5 lsn=0/6", "txId=7", "txId=7 lsn=0/5",
          "txId=7 lsn_events_processed=1", "lsn=0/5 lsn_events_processed=1",
          "txId=-1 lsn=0/5 lsn_events_processed=1",
          "txId=4294967296 lsn=0/5 lsn_events_processed=1", "txId=7 lsn=0/5 lsn_events_processed=x",
          "lsn=0/5 more=1"}) {
        EXPECT_EQ(ResumePosition::parse(text), std::nullopt) << text;
    }
}

TEST(ResumePoint, WithoutAPositionNothingHasBeenSent) {
    ResumePoint point;
    EXPECT_EQ(point.start(Lsn{7}), Lsn{7});
    EXPECT_FALSE(point.pending());
    EXPECT_FALSE(point.holds_confirmation());
    point.begin(Xid{1}, Lsn{10});
    EXPECT_FALSE(point.sent(Lsn{8}));
    point.commit();
    point.lone_message(Lsn{11});
    EXPECT_EQ(point.last_commit(), std::nullopt);
}

TEST(ResumePoint, AtTheEndOfATransactionItOnlyStartsThere) {
    ResumePoint point({.lsn_commit = kCommit, .lsn = {}, .xid = {}, .events = 0});
    EXPECT_EQ(point.start(Lsn{500}), kCommit);
    EXPECT_TRUE(point.pending());
    EXPECT_FALSE(point.holds_confirmation());
    EXPECT_EQ(point.last_commit(), kCommit);
    point.begin(Xid{9}, Lsn{1500});
    EXPECT_FALSE(point.begin_sent());
    EXPECT_FALSE(point.sent(Lsn{900}));
    point.commit();
    EXPECT_EQ(point.start(Lsn{1600}), Lsn{1600});
    EXPECT_FALSE(point.pending());
}

TEST(ResumePoint, AfterASnapshotItStartsWhereThatWasTaken) {
    ResumePoint point({.lsn_commit = {}, .lsn = kChange, .xid = {}, .events = 0});
    EXPECT_EQ(point.start(Lsn{1900}), kChange);
    EXPECT_EQ(point.last_commit(), std::nullopt);
    EXPECT_FALSE(point.holds_confirmation());
}

TEST(ResumePoint, InTheMiddleChangesUpToItAreSent) {
    ResumePoint point = middle();
    EXPECT_EQ(point.start(Lsn{500}), kCommit);
    EXPECT_TRUE(point.holds_confirmation());
    point.begin(kXid, kEnd);
    EXPECT_FALSE(point.holds_confirmation());
    EXPECT_TRUE(point.begin_sent());
    EXPECT_EQ(sent(point, {Lsn{1200}, Lsn{1999}, kChange, Lsn{2001}, Lsn{2500}}),
              (std::vector<bool>{true, true, true, false, false}));
    point.commit();
    EXPECT_FALSE(point.begin_sent());
    // The next one has changes from before, of a session beside: they were never sent.
    point.begin(Xid{743}, Lsn{3500});
    EXPECT_EQ(sent(point, {Lsn{1300}, kChange}), (std::vector<bool>{false, false}));
}

TEST(ResumePoint, CountsChangesThatShareALsn) {
    ResumePoint point = middle(3);
    static_cast<void>(point.start(kCommit));
    point.begin(kXid, kEnd);
    EXPECT_EQ(sent(point, {Lsn{1500}, kChange, kChange, kChange, kChange, kChange, Lsn{2100}}),
              (std::vector<bool>{true, true, true, true, false, false, false}));
    point.commit();
}

TEST(ResumePoint, KnowsTheLastOfWhatWasSent) {
    ResumePoint point = middle(2);
    static_cast<void>(point.start(kCommit));
    point.begin(kXid, kEnd);
    std::vector<bool> last;
    for (const Lsn lsn : {Lsn{1500}, kChange, kChange}) {
        EXPECT_TRUE(point.sent(lsn));
        last.push_back(point.was_last());
    }
    EXPECT_EQ(last, (std::vector<bool>{false, false, true}));
    point.commit();
    EXPECT_FALSE(point.was_last());

    ResumePoint beginning = middle(0);
    static_cast<void>(beginning.start(kCommit));
    beginning.begin(kXid, kEnd);
    EXPECT_TRUE(beginning.sent(Lsn{1500}));
    EXPECT_FALSE(beginning.was_last());
}

TEST(ResumePoint, WhenOnlyTheBeginningWasSeenEverythingIsToBeSent) {
    ResumePoint point = middle(0);
    static_cast<void>(point.start(kCommit));
    point.begin(kXid, kEnd);
    EXPECT_TRUE(point.begin_sent());
    EXPECT_EQ(sent(point, {kChange, kChange, Lsn{2100}}), (std::vector<bool>{false, false, false}));
    point.commit();
}

TEST(ResumePoint, TheLastChangeOfATransactionLeavesNothingOfIt) {
    ResumePoint point = middle(2);
    static_cast<void>(point.start(kCommit));
    point.begin(kXid, kEnd);
    EXPECT_EQ(sent(point, {kChange, kChange}), (std::vector<bool>{true, true}));
    point.commit();
    point.begin(Xid{800}, Lsn{4000});
    EXPECT_FALSE(point.sent(Lsn{3100}));
}

TEST(ResumePoint, WithoutACommitTheSlotSaysWhereToStart) {
    ResumePoint point = middle(1, std::nullopt);
    // Debezium confirms the change itself then.
    EXPECT_EQ(point.start(kChange), kChange);
    EXPECT_TRUE(point.pending());
    EXPECT_EQ(point.last_commit(), kChange);
    point.begin(kXid, kEnd);
    EXPECT_EQ(sent(point, {kChange, Lsn{2001}}), (std::vector<bool>{true, false}));
    point.commit();
    EXPECT_EQ(point.start(kEnd), kEnd);
    EXPECT_FALSE(point.pending());
}

TEST(ResumePoint, AStreamThatBreaksBeginsAgain) {
    ResumePoint point = middle(2);
    static_cast<void>(point.start(kCommit));
    point.begin(kXid, kEnd);
    EXPECT_EQ(sent(point, {kChange}), (std::vector<bool>{true}));
    static_cast<void>(point.start(kCommit));
    EXPECT_TRUE(point.holds_confirmation());
    point.begin(kXid, kEnd);
    EXPECT_EQ(sent(point, {kChange, kChange, kChange}), (std::vector<bool>{true, true, false}));
    point.commit();
}

TEST(ResumePoint, IsUsedUpOnceTheSlotIsBeyondIt) {
    ResumePoint point = middle();
    EXPECT_EQ(point.start(kEnd), kEnd);
    EXPECT_FALSE(point.pending());
    EXPECT_FALSE(point.holds_confirmation());
    point.begin(Xid{900}, Lsn{5000});
    EXPECT_FALSE(point.sent(Lsn{4000}));
    point.commit();
    point.lone_message(Lsn{5100});
}

TEST(ResumePoint, AnyOtherTransactionThanTheOneThatWasLeftHalts) {
    for (const auto& contradict : std::vector<void (*)(ResumePoint&)>{
             [](ResumePoint& point) { point.begin(Xid{743}, kEnd); },
             [](ResumePoint& point) { point.begin(kXid, kChange); },
             [](ResumePoint& point) { point.lone_message(Lsn{1500}); },
             [](ResumePoint& point) {  // fewer changes at the position than were sent
                 point.begin(kXid, kEnd);
                 static_cast<void>(point.sent(kChange));
                 static_cast<void>(point.sent(Lsn{2001}));
             },
             [](ResumePoint& point) {
                 point.begin(kXid, kEnd);
                 static_cast<void>(point.sent(Lsn{1500}));
                 point.commit();
             }}) {
        ResumePoint point = middle(2);
        static_cast<void>(point.start(kCommit));
        try {
            contradict(point);
            ADD_FAILURE() << "went on";
        } catch (const FatalError& error) {
            EXPECT_EQ(error.code(), ExitCode::kConfig);
            EXPECT_NE(std::string(error.what()).find("resume_after"), std::string::npos);
            EXPECT_FALSE(error.hint().empty());
        }
    }
}

}  // namespace
}  // namespace holdfast::relay::capture
