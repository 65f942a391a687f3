#include "core/timestamp.hpp"

#include <gtest/gtest.h>

namespace holdfast::core {
namespace {

TEST(Timestamp, ShowsMicrosecondsInUtc) {
    EXPECT_EQ(Rfc3339{{0}}.view(), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(Rfc3339{{1772357400000123}}.view(), "2026-03-01T09:30:00.000123Z");
}

TEST(Timestamp, KnowsLeapDaysAndEndsOfYears) {
    EXPECT_EQ(Rfc3339{{951782400000000 - 1}}.view(), "2000-02-28T23:59:59.999999Z");
    EXPECT_EQ(Rfc3339{{951782400000000}}.view(), "2000-02-29T00:00:00.000000Z");
    EXPECT_EQ(Rfc3339{{4102444800000000 - 1}}.view(), "2099-12-31T23:59:59.999999Z");
}

TEST(Timestamp, GoesBackBeforeTheEpoch) {
    EXPECT_EQ(Rfc3339{{-1}}.view(), "1969-12-31T23:59:59.999999Z");
}

}  // namespace
}  // namespace holdfast::core
