#include "base/backoff.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::relay {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesItsBoundUpToTheCap) {
    Backoff backoff(milliseconds(100), milliseconds(700),
                    [](std::uint64_t limit) { return limit; });
    std::vector<std::int64_t> waits;
    for (int i = 0; i < 5; ++i) {
        waits.push_back(backoff.next().count());
    }
    EXPECT_EQ(waits, (std::vector<std::int64_t>{100, 200, 400, 700, 700}));
    EXPECT_EQ(backoff.attempts(), 5U);
    backoff.reset();
    EXPECT_EQ(backoff.attempts(), 0U);
    EXPECT_EQ(backoff.next(), milliseconds(100));
}

TEST(Backoff, NeverWaitsLessThanAMillisecond) {
    Backoff backoff(milliseconds(0), milliseconds(0), [](std::uint64_t) { return 0U; });
    EXPECT_EQ(backoff.next(), milliseconds(1));
}

TEST(Backoff, SpreadsOverTheWholeInterval) {
    Backoff backoff(milliseconds(1000), milliseconds(1000));
    std::int64_t lowest = 1000;
    std::int64_t highest = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto wait = backoff.next().count();
        ASSERT_GE(wait, 1);
        ASSERT_LE(wait, 1000);
        lowest = std::min(lowest, wait);
        highest = std::max(highest, wait);
    }
    EXPECT_LT(lowest, 100);
    EXPECT_GT(highest, 900);
}

}  // namespace
}  // namespace holdfast::relay
