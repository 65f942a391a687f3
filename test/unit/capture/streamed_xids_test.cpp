#include "capture/streamed_xids.hpp"

#include <gtest/gtest.h>

namespace holdfast::relay::capture {
namespace {

TEST(TransactionHorizon, SeesWhatHadEnded) {
    const TransactionHorizon horizon{.xmax = 20, .in_progress = {10, 15}};
    EXPECT_TRUE(horizon.sees(Xid{9}));
    EXPECT_TRUE(horizon.sees(Xid{19}));
    EXPECT_FALSE(horizon.sees(Xid{10}));
    EXPECT_FALSE(horizon.sees(Xid{15}));
}

TEST(TransactionHorizon, DoesNotSeeWhatHadNotBegun) {
    const TransactionHorizon horizon{.xmax = 20};
    EXPECT_FALSE(horizon.sees(Xid{20}));
    EXPECT_FALSE(horizon.sees(Xid{500}));
}

TEST(TransactionHorizon, KnowsBeforeFromAfterWhereTheIdsBeginAgain) {
    const TransactionHorizon horizon{.xmax = 5};
    EXPECT_TRUE(horizon.sees(Xid{0xFFFF'FFF0}));
    EXPECT_FALSE((TransactionHorizon{.xmax = 0xFFFF'FFF0}.sees(Xid{5})));
    EXPECT_TRUE(horizon.sees(Xid{0x9000'0000})) << "from long ago";
}

TEST(StreamedXids, AreSeenWhenEachIs) {
    StreamedXids streamed;
    EXPECT_TRUE(streamed.all_seen_by({.xmax = 0}));
    streamed.add(Xid{7});
    streamed.add(Xid{9});
    EXPECT_TRUE(streamed.all_seen_by({.xmax = 10}));
    EXPECT_FALSE(streamed.all_seen_by({.xmax = 10, .in_progress = {7}}));
    EXPECT_FALSE(streamed.all_seen_by({.xmax = 9}));
}

TEST(StreamedXids, RemembersTheNewestOfManyAndNoMore) {
    StreamedXids streamed;
    for (std::uint32_t xid = 0; xid <= StreamedXids::kCapacity; ++xid) {
        streamed.add(Xid{xid});
    }
    const auto newest = static_cast<std::uint32_t>(StreamedXids::kCapacity);
    EXPECT_TRUE(streamed.all_seen_by({.xmax = newest + 1, .in_progress = {0}}));
    EXPECT_FALSE(streamed.all_seen_by({.xmax = newest + 1, .in_progress = {1}}));
    EXPECT_FALSE(streamed.all_seen_by({.xmax = newest}));
}

TEST(StreamedXids, ForgetsWhatIsSoOldThatItWouldSeemToBeAhead) {
    StreamedXids streamed;
    constexpr std::uint32_t kQuarter = (1U << 30U) + 1;
    std::uint32_t newest = 7;
    for (int n = 0; n < 5; ++n, newest += kQuarter) {
        streamed.add(Xid{newest});
        EXPECT_TRUE(streamed.all_seen_by({.xmax = newest + 1})) << newest;
        EXPECT_FALSE(streamed.all_seen_by({.xmax = newest})) << newest;
    }
}

}  // namespace
}  // namespace holdfast::relay::capture
