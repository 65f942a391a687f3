#include "commands/take_over.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.hpp"

namespace holdfast::relay::commands {
namespace {

using capture::ResumePosition;
using debezium::SourceOffset;

/// "code: message" of what is thrown, "" when nothing is.
template <typename Call>
std::string refusal(const Call& call) {
    try {
        call();
        return "";
    } catch (const FatalError& error) {
        EXPECT_FALSE(error.hint().empty()) << error.what();
        return std::string(exit_code_name(error.code())) + ": " + error.what();
    }
}

ResumePosition position(std::string_view json) {
    return resume_position(SourceOffset::parse(json));
}

// ---- Which offset

const std::vector<debezium::StoredOffset> kOffsets = {
    {R"(["shop",{"server":"app"}])", R"({"lsn":1})"},
    {R"(["shop-2",{"server":"app"}])", R"({"lsn":2})"},
    {R"(["shop",{"server":"other"}])", R"({"lsn":3})"},
    {R"(["gone",{"server":"gone"}])", std::nullopt},
    {R"("something else")", "{}"},
    {std::nullopt, "{}"},
};

TEST(TakeOver, FindsTheOffsetByNameAndTopicPrefix) {
    EXPECT_EQ(find_offset(kOffsets, "shop", "app").lsn, Lsn{1});
    EXPECT_EQ(find_offset(kOffsets, "shop-2", "app").lsn, Lsn{2});
    EXPECT_EQ(find_offset(kOffsets, "", "other").lsn, Lsn{3});
}

TEST(TakeOver, SaysWhichOffsetsThereAre) {
    const std::string missing =
        refusal([] { static_cast<void>(find_offset(kOffsets, "gone", "gone")); });
    EXPECT_NE(missing.find("no offset of the connector \"gone\" with topic.prefix \"gone\", but of "
                           "\"shop\" with topic.prefix \"app\""),
              std::string::npos)
        << missing;
    EXPECT_NE(refusal([] { static_cast<void>(find_offset({}, "a", "b")); }).find("none at all"),
              std::string::npos);
    EXPECT_NE(refusal([] {
                  static_cast<void>(find_offset(kOffsets, "", "app"));
              }).find("several connectors have the topic.prefix \"app\""),
              std::string::npos);
}

// ---- What it says has been sent

TEST(TakeOver, AChangeIsTheMiddleOfItsTransaction) {
    EXPECT_EQ(
        position(R"({"lsn_proc":200,"lsn":200,"lsn_commit":100,"txId":7,)"
                 R"("messageType":"INSERT","lsn_events_processed":3})"),
        (ResumePosition{.lsn_commit = Lsn{100}, .lsn = Lsn{200}, .xid = Xid{7}, .events = 3}));
    // The first transaction of a slot.
    EXPECT_EQ(position(R"({"lsn":200,"txId":7,"messageType":"TRUNCATE","lsn_events_processed":1})"),
              (ResumePosition{.lsn_commit = {}, .lsn = Lsn{200}, .xid = Xid{7}, .events = 1}));
}

TEST(TakeOver, WithoutACountOneChangeIsCertain) {
    EXPECT_EQ(position(R"({"lsn":200,"lsn_commit":100,"txId":7,"messageType":"UPDATE"})").events,
              1U);
}

TEST(TakeOver, ABeginningSendsNothingYet) {
    EXPECT_EQ(
        position(R"({"lsn":200,"lsn_commit":100,"txId":7,"messageType":"BEGIN",)"
                 R"("lsn_events_processed":5})"),
        (ResumePosition{.lsn_commit = Lsn{100}, .lsn = Lsn{200}, .xid = Xid{7}, .events = 0}));
}

TEST(TakeOver, ACommitIsAnEnd) {
    EXPECT_EQ(
        position(R"({"lsn_proc":300,"lsn":300,"lsn_commit":300,"txId":7,"messageType":"COMMIT"})"),
        (ResumePosition{.lsn_commit = Lsn{300}, .lsn = {}, .xid = {}, .events = 0}));
}

TEST(TakeOver, AMessageIsAnEndOutsideOfTransactionsAndAChangeInOne) {
    EXPECT_EQ(position(R"({"lsn":300,"lsn_commit":300,"messageType":"MESSAGE"})"),
              (ResumePosition{.lsn_commit = Lsn{300}, .lsn = {}, .xid = {}, .events = 0}));
    EXPECT_EQ(
        position(R"({"lsn":200,"lsn_proc":150,"lsn_commit":100,"txId":7,)"
                 R"("messageType":"MESSAGE","lsn_events_processed":4})"),
        (ResumePosition{.lsn_commit = Lsn{100}, .lsn = Lsn{200}, .xid = Xid{7}, .events = 1}));
}

TEST(TakeOver, AFinishedSnapshotIsWhereItWasTaken) {
    EXPECT_EQ(position(R"({"lsn":500,"txId":9,"snapshot":"INITIAL","last_snapshot_record":true,)"
                       R"("snapshot_completed":true})"),
              (ResumePosition{.lsn_commit = {}, .lsn = Lsn{500}, .xid = {}, .events = 0}));
    EXPECT_EQ(position(R"({"lsn":500,"txId":9,"ts_usec":1})"),
              (ResumePosition{.lsn_commit = {}, .lsn = Lsn{500}, .xid = {}, .events = 0}));
}

TEST(TakeOver, RefusesWhatDoesNotSayWhatWasSent) {
    const auto refused = [](std::string_view json) {
        return refusal([&] { static_cast<void>(position(json)); });
    };
    EXPECT_EQ(refused(R"({"lsn":5,"snapshot":"INITIAL","last_snapshot_record":false})"),
              "configuration: cannot take over: the connector's snapshot is not complete");
    EXPECT_EQ(refused(R"({"lsn":5,"messageType":"COMMIT","lsn_commit":5,)"
                      R"("incremental_snapshot_primary_key":"x"})"),
              "configuration: cannot take over: an incremental snapshot is under way");
    EXPECT_EQ(refused("{}"),
              "configuration: cannot take over: the offset has no position (\"lsn\")");
    EXPECT_EQ(refused(R"({"lsn":5,"messageType":"INSERT"})"),
              "configuration: cannot take over: the offset is of type INSERT without \"txId\"");
    EXPECT_EQ(
        refused(R"({"lsn":5,"messageType":"COMMIT"})"),
        "configuration: cannot take over: the offset is of type COMMIT without \"lsn_commit\"");
    EXPECT_EQ(refused(R"({"lsn":5,"lsn_proc":5,"lsn_commit":4})"),
              "configuration: cannot take over: the offset does not say what was handled last "
              "(\"messageType\")");
    EXPECT_EQ(
        refused(R"({"lsn":5,"messageType":"NOOP"})"),
        "configuration: cannot take over: the offset is of type \"NOOP\", which is not known");
}

// ---- The slot

class TakeOverSlot : public ::testing::Test {
 protected:
    std::string refused(Lsn wal_end = Lsn{1000}) {
        return refusal([&] { require_takeable(slot, "dbz", "shop", wal_end, position); });
    }
    std::optional<postgres::SlotRow> slot = postgres::SlotRow{.plugin = "pgoutput",
                                                              .slot_type = "logical",
                                                              .database = "shop",
                                                              .active_pid = {},
                                                              .wal_status = "reserved",
                                                              .confirmed_flush = Lsn{100},
                                                              .restart = Lsn{90},
                                                              .temporary = false,
                                                              .safe_wal_bytes = {}};
    ResumePosition position{.lsn_commit = Lsn{100}, .lsn = Lsn{200}, .xid = Xid{7}, .events = 1};
};

TEST_F(TakeOverSlot, OneThatIsNotBeyondTheOffsetIsTaken) {
    EXPECT_EQ(refused(), "");
    slot->confirmed_flush = Lsn{50};
    EXPECT_EQ(refused(), "");
    // Without a commit, Debezium confirms the change itself.
    position.lsn_commit.reset();
    slot->confirmed_flush = Lsn{200};
    EXPECT_EQ(refused(), "");
}

TEST_F(TakeOverSlot, OneBeyondTheOffsetIsNot) {
    slot->confirmed_flush = Lsn{101};
    EXPECT_EQ(
        refused(),
        "configuration: cannot take over: slot \"dbz\" is confirmed up to 0/65, and the stored "
        "offset ends at 0/64: whether what lies between was sent, neither tells");
}

TEST_F(TakeOverSlot, OneThatCannotBeReadIsNot) {
    slot->active_pid = 4711;
    EXPECT_EQ(
        refused(),
        "unavailable: cannot take over: slot \"dbz\" is being read by the server process 4711");
    slot->active_pid.reset();
    slot->wal_status = "lost";
    EXPECT_EQ(refused(), "slot_lost: cannot take over: slot \"dbz\" has lost WAL that it needed");
    slot->temporary = true;
    EXPECT_EQ(refused(), "configuration: cannot take over: slot \"dbz\" is temporary");
    slot->database = "other";
    EXPECT_EQ(
        refused(),
        "configuration: cannot take over: slot \"dbz\" belongs to the database \"other\", not to "
        "\"shop\"");
    slot->plugin = "decoderbufs";
    EXPECT_EQ(
        refused(),
        "configuration: cannot take over: slot \"dbz\" is logical with the plugin decoderbufs");
    slot.reset();
    EXPECT_EQ(refused(), "slot_missing: cannot take over: slot \"dbz\" does not exist");
}

TEST_F(TakeOverSlot, AnOffsetBeyondTheServersLogIsAnotherClusters) {
    EXPECT_EQ(refused(Lsn{199}),
              "wrong_cluster: cannot take over: the stored offset is at 0/C8, and the server's log "
              "ends at 0/C7");
}

}  // namespace
}  // namespace holdfast::relay::commands
