#include "debezium/timestamp_text.hpp"

#include <gtest/gtest.h>

namespace holdfast::relay::debezium {
namespace {

TEST(TimestampText, ReadsWhatPostgresPrints) {
    EXPECT_EQ(parse_timestamp("1970-01-01 00:00:00"), 0);
    EXPECT_EQ(parse_timestamp("2026-11-21 04:05:06.789012"), 1'795'233'906'789'012);
    EXPECT_EQ(parse_timestamp("2026-11-21 04:05:06.7+00"), 1'795'233'906'700'000);
    EXPECT_EQ(parse_timestamp("2026-11-21 13:05:06+09"), 1'795'233'906'000'000);
    EXPECT_EQ(parse_timestamp("2026-11-20 20:35:06-07:30"), 1'795'233'906'000'000);
    EXPECT_EQ(parse_timestamp("2026-11-21 04:13:41+00:08:35"), 1'795'233'906'000'000);
    EXPECT_EQ(parse_timestamp("1969-12-31 23:59:59.5"), -500'000);
    // In JSON
    EXPECT_EQ(parse_timestamp("2026-11-21T13:05:06.789012+09:00"), 1'795'233'906'789'012);
    EXPECT_EQ(parse_timestamp("2026-11-21T04:05:06.789012Z"), 1'795'233'906'789'012);
}

TEST(TimestampText, RefusesAnythingElse) {
    for (const char* text :
         {"", "infinity", "-infinity", "2026-11-21", "2026-11-21_04:05:06", "2026-13-01 00:00:00",
          "2026-02-30 00:00:00", "0044-03-15 12:00:00 BC", "2026-11-21 04:05:06 UTC",
          "2026-11-21 04:05:06.", "2026-11-21 04:05:06.1234567", "2026-11-21 04:61:06",
          "12026-01-01 00:00:00", "2026-11-21 04:05:06+9", "2026-11-21T04:05:06Z+00",
          "2026-11-21T 04:05:06"}) {
        EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
    }
}

TEST(TimestampText, WritesRfc3339) {
    Rfc3339Buffer buffer;
    EXPECT_EQ(format_rfc3339(0, buffer), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(format_rfc3339(1'795'233'906'789'012, buffer), "2026-11-21T04:05:06.789012Z");
    EXPECT_EQ(format_rfc3339(-1, buffer), "1969-12-31T23:59:59.999999Z");
    EXPECT_EQ(format_rfc3339(-62'167'219'200'000'000, buffer), "0000-01-01T00:00:00.000000Z");
    EXPECT_EQ(format_rfc3339(253'402'300'799'999'999, buffer), "9999-12-31T23:59:59.999999Z");
}

TEST(TimestampText, HasNoTextForYearsThatRfc3339DoesNotHave) {
    Rfc3339Buffer buffer;
    EXPECT_EQ(format_rfc3339(253'402'300'800'000'000, buffer), "");
    EXPECT_EQ(format_rfc3339(-62'167'219'200'000'001, buffer), "");
    EXPECT_EQ(format_rfc3339(INT64_MAX, buffer), "");
    EXPECT_EQ(format_rfc3339(INT64_MIN, buffer), "");
}

}  // namespace
}  // namespace holdfast::relay::debezium
