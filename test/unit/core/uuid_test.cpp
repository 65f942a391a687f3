#include "core/uuid.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::core {
namespace {

constexpr std::array<std::uint8_t, 8> kOnes{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

std::string text(const Uuid& id) {
    std::string formatted(36, ' ');
    format_uuid(id, formatted.data());
    return formatted;
}

TEST(Uuid, HasVersionVariantAndTimeOfRfc9562) {
    UuidV7Generator generator;
    // The RFC's example: 2022-02-22 19:22:22.00 UTC is 017F22E2-79B0-7...
    const Uuid id = generator.next(1645557742000000, kOnes);
    EXPECT_EQ(text(id), "017f22e2-79b0-7000-bfff-ffffffffffff");
}

TEST(Uuid, KeepsMicroseconds) {
    UuidV7Generator generator;
    for (const std::int64_t micros : {1645557742000000, 1645557742000999, 1645557742123456}) {
        EXPECT_NEAR(
            static_cast<double>(uuid_v7_unix_micros(generator.next(micros, kOnes)) - micros), 0, 1);
    }
}

TEST(Uuid, RisesWithinOneTickAndWhenTheClockGoesBack) {
    UuidV7Generator generator;
    Uuid last = generator.next(1645557742000500, kOnes);
    for (int i = 0; i < 20000; ++i) {
        const Uuid next = generator.next(1645557742000500 - i, {});
        ASSERT_LT(last, next);
        last = next;
    }
}

TEST(Uuid, GoesOnWithTheClockAfterwards) {
    UuidV7Generator generator;
    generator.next(1645557742000500, kOnes);
    generator.next(1645557741000500, kOnes);
    EXPECT_EQ(text(generator.next(1645557743000000, kOnes)),
              "017f22e2-7d98-7000-bfff-ffffffffffff");
}

}  // namespace
}  // namespace holdfast::core
