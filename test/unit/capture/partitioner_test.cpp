#include "capture/partitioner.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::relay::capture {
namespace {

/// The vectors of Kafka's own UtilsTest.
TEST(Murmur2, AgreesWithTheJavaClient) {
    EXPECT_EQ(murmur2("21"), -973932308);
    EXPECT_EQ(murmur2("foobar"), -790332482);
    EXPECT_EQ(murmur2("a-little-bit-long-string"), -985981536);
    EXPECT_EQ(murmur2("a-little-bit-longer-string"), -1486304829);
    EXPECT_EQ(murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
    EXPECT_EQ(murmur2("abc"), 479470107);
}

TEST(Murmur2, TreatsBytesAsUnsigned) {
    // As Utils.murmur2(new byte[]{-1, -2, -3, -4, -5}) computes.
    EXPECT_NE(murmur2("\xff\xfe\xfd\xfc\xfb"), murmur2("\x7f\x7e\x7d\x7c\x7b"));
    EXPECT_EQ(murmur2(""), 275646681);
}

TEST(Partitioner, KeyedRecordsGoWhereJavaSendsThem) {
    Partitioner partitioner;
    // toPositive clears the sign bit; it does not negate.
    EXPECT_EQ(partitioner.choose(TopicId{0}, "21", 12, 10), (-973932308 & 0x7FFFFFFF) % 12);
    EXPECT_EQ(partition_of_key("foobar", 1), 0);
    for (int i = 0; i < 1000; ++i) {
        const auto partition = partition_of_key(std::to_string(i), 7);
        EXPECT_GE(partition, 0);
        EXPECT_LT(partition, 7);
    }
}

TEST(Partitioner, RecordsWithoutKeyStickTogetherAndThenMoveOn) {
    Partitioner partitioner;
    const auto next = [&](std::uint32_t topic) {
        return partitioner.choose(TopicId{topic}, std::nullopt, 3, Partitioner::kStickyBytes / 2);
    };
    EXPECT_EQ(next(0), 0);
    EXPECT_EQ(next(0), 0);
    EXPECT_EQ(next(0), 1);
    EXPECT_EQ(next(5), 0) << "topics do not share";
    EXPECT_EQ(next(0), 1);
    EXPECT_EQ(next(0), 2);
    EXPECT_EQ(next(0), 2);
    EXPECT_EQ(next(0), 0);
}

TEST(Partitioner, SurvivesAFallingNumberOfPartitions) {
    Partitioner partitioner;
    for (int i = 0; i < 5; ++i) {
        partitioner.choose(TopicId{0}, std::nullopt, 10, Partitioner::kStickyBytes);
    }
    EXPECT_LT(partitioner.choose(TopicId{0}, std::nullopt, 2, 1), 2);
}

}  // namespace
}  // namespace holdfast::relay::capture
