#include "base/lsn.hpp"

#include <gtest/gtest.h>

namespace holdfast::relay {
namespace {

TEST(Lsn, PrintsAsPostgresDoes) {
    EXPECT_EQ(Lsn{}.to_string(), "0/0");
    EXPECT_EQ(Lsn{0x16B374D848}.to_string(), "16/B374D848");
    EXPECT_EQ(Lsn{0x100000001}.to_string(), "1/1");
    EXPECT_EQ(Lsn{UINT64_MAX}.to_string(), "FFFFFFFF/FFFFFFFF");
}

TEST(Lsn, ReadsWhatItPrints) {
    for (const std::uint64_t value :
         {std::uint64_t{0}, std::uint64_t{0x16B374D848}, std::uint64_t{UINT64_MAX}}) {
        EXPECT_EQ(Lsn::parse(Lsn{value}.to_string()), Lsn{value});
    }
    EXPECT_EQ(Lsn::parse("a/b"), Lsn{0xA0000000BULL});
}

TEST(Lsn, RefusesAnythingElse) {
    for (const char* text : {"", "/", "0", "0/", "/0", "0/123456789", "0x1/0", "1/0 ", " 1/0",
                             "1/-1", "g/0", "0/0/0"}) {
        EXPECT_EQ(Lsn::parse(text), std::nullopt) << text;
    }
}

}  // namespace
}  // namespace holdfast::relay
