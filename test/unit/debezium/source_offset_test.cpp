#include "debezium/source_offset.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/errors.hpp"

namespace holdfast::relay::debezium {
namespace {

TEST(SourceOffsetKey, IsTheConnectorAndItsTopicPrefix) {
    EXPECT_EQ(SourceOffsetKey::parse(R"(["shop",{"server":"app"}])"),
              (SourceOffsetKey{"shop", "app"}));
}

TEST(SourceOffsetKey, OthersKeysAreNone) {
    for (const char* key : {"", "null", "[]", R"(["shop"])", R"(["shop",{}])",
                            R"(["shop",{"server":1}])", R"(["shop",{"file":"a"}])",
                            R"(["shop",{"server":"a","partition":"b"}])", R"([1,{"server":"a"}])",
                            R"(["shop",{"server":"app"}] )"
                            "x"}) {
        EXPECT_EQ(SourceOffsetKey::parse(key), std::nullopt) << key;
    }
}

TEST(SourceOffset, ReadsTheMembersOfAStreamingOffset) {
    const SourceOffset offset = SourceOffset::parse(
        R"({"lsn_proc":24023128,"messageType":"INSERT","lsn_commit":24023000,"lsn":24023128,)"
        R"("txId":571,"ts_usec":1700000000123456,"lsn_events_processed":3})");
    EXPECT_EQ(offset.lsn, Lsn{24023128});
    EXPECT_EQ(offset.lsn_proc, Lsn{24023128});
    EXPECT_EQ(offset.lsn_commit, Lsn{24023000});
    EXPECT_EQ(offset.tx_id, Xid{571});
    EXPECT_EQ(offset.lsn_events_processed, 3U);
    EXPECT_EQ(offset.message_type, "INSERT");
    EXPECT_FALSE(offset.in_snapshot);
    EXPECT_FALSE(offset.in_incremental_snapshot);
}

TEST(SourceOffset, WhatIsAbsentOrNullIsNotKnown) {
    const SourceOffset offset = SourceOffset::parse(R"({"lsn":5,"lsn_commit":null,"lsn_proc":0})");
    EXPECT_EQ(offset.lsn_commit, std::nullopt);
    EXPECT_EQ(offset.lsn_proc, std::nullopt);
    EXPECT_EQ(offset.tx_id, std::nullopt);
    EXPECT_EQ(offset.lsn_events_processed, std::nullopt);
    EXPECT_EQ(offset.message_type, "");
}

TEST(SourceOffset, KnowsSnapshots) {
    const SourceOffset running = SourceOffset::parse(
        R"({"lsn":5,"txId":1,"snapshot":"INITIAL","last_snapshot_record":false,"snapshot_completed":false})");
    EXPECT_TRUE(running.in_snapshot);
    EXPECT_FALSE(running.last_snapshot_record);
    const SourceOffset last = SourceOffset::parse(
        R"({"lsn":5,"snapshot":true,"last_snapshot_record":true,"snapshot_completed":true})");
    EXPECT_TRUE(last.in_snapshot);
    EXPECT_TRUE(last.last_snapshot_record);
    EXPECT_TRUE(last.snapshot_completed);
    EXPECT_TRUE(SourceOffset::parse(R"({"lsn":5,"incremental_snapshot_collections":"[]"})")
                    .in_incremental_snapshot);
}

TEST(SourceOffset, RefusesWhatLeavesAnythingOpen) {
    for (const char* json :
         {"", "[]", "null", "{", R"({"lsn":-1})", R"({"lsn":1.5})", R"({"lsn":"1"})",
          R"({"txId":4294967296})", R"({"lsn":1,"lsn":2})", R"({"messageType":3})",
          R"({"last_snapshot_record":"true"})", R"({"lsn_events_processed":-1})", R"({"lsn":1} x)",
          "{\"messageType\":\"\xff\"}"}) {
        EXPECT_THROW(static_cast<void>(SourceOffset::parse(json)), FatalError) << json;
    }
}

}  // namespace
}  // namespace holdfast::relay::debezium
