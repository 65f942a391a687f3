#include "kafka/client_log.hpp"

#include <gtest/gtest.h>

namespace holdfast::relay::kafka {
namespace {

using std::chrono::seconds;

TEST(LineLimiter, LeavesOutRepetitionsAndCountsThem) {
    LineLimiter limiter;
    const LineLimiter::TimePoint start{};
    EXPECT_EQ(limiter.admit("1/1 brokers are down", start), 0U);
    EXPECT_EQ(limiter.admit("0/1 brokers are down", start + seconds(1)), std::nullopt);
    EXPECT_EQ(limiter.admit("1/1 brokers are down", start + seconds(29)), std::nullopt);
    EXPECT_EQ(limiter.admit("1/1 brokers are down", start + seconds(30)), 2U);
    EXPECT_EQ(limiter.admit("1/1 brokers are down", start + seconds(60)), 0U);
}

TEST(LineLimiter, DoesNotMistakeOneLineForAnother) {
    LineLimiter limiter;
    const LineLimiter::TimePoint start{};
    EXPECT_EQ(limiter.admit("connection refused", start), 0U);
    EXPECT_EQ(limiter.admit("connection reset", start), 0U);
}

TEST(LineLimiter, IsBounded) {
    LineLimiter limiter;
    const LineLimiter::TimePoint start{};
    std::string line;
    for (int i = 0; i < 10'000; ++i) {
        line = std::string(static_cast<std::size_t>(i % 300), 'x');
        (void)limiter.admit(line, start);
    }
    EXPECT_TRUE(limiter.admit("something new", start).has_value());
}

}  // namespace
}  // namespace holdfast::relay::kafka
