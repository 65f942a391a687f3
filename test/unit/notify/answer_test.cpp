#include "notify/answer.hpp"

#include <gtest/gtest.h>

namespace holdfast::relay::notify {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(NotifyAnswer, Any2xxIsAnAnswer) {
    for (const int status : {200, 201, 202, 204, 299}) {
        EXPECT_EQ(judge(status), Verdict::kAnswered) << status;
    }
}

TEST(NotifyAnswer, WhatSaysNothingAboutTheMessageIsRetried) {
    for (const int status : {0, 100, 301, 302, 307, 408, 425, 429, 500, 502, 503, 504, 599}) {
        EXPECT_EQ(judge(status), Verdict::kRetry) << status;
    }
}

TEST(NotifyAnswer, Any4xxElseRefusesTheMessage) {
    for (const int status : {400, 401, 403, 404, 409, 410, 413, 422, 451}) {
        EXPECT_EQ(judge(status), Verdict::kRefused) << status;
    }
}

TEST(NotifyAnswer, RetryAfterIsSecondsOrADate) {
    // Tue, 24 Nov 2026 20:00:00 GMT
    const microseconds now = seconds(1'795'550'400);
    EXPECT_EQ(parse_retry_after("120", now), seconds(120));
    EXPECT_EQ(parse_retry_after("0", now), seconds(0));
    EXPECT_EQ(parse_retry_after("Tue, 24 Nov 2026 20:00:30 GMT", now), seconds(30));
    EXPECT_EQ(parse_retry_after("Tue, 24 Nov 2026 19:00:00 GMT", now), seconds(0));
}

TEST(NotifyAnswer, RetryAfterIsBounded) {
    EXPECT_EQ(parse_retry_after("99999999", microseconds{0}), hours(1));
    EXPECT_EQ(parse_retry_after("99999999999999999999999", microseconds{0}), hours(1));
    EXPECT_EQ(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", microseconds{0}), hours(1));
}

TEST(NotifyAnswer, RetryAfterThatMakesNoSenseIsNone) {
    for (const char* wrong : {"", "soon", "-1", "1.5", "12 s", "Tue, 24 Nov 2026"}) {
        EXPECT_EQ(parse_retry_after(wrong, microseconds{0}), std::nullopt) << wrong;
    }
}

}  // namespace
}  // namespace holdfast::relay::notify
