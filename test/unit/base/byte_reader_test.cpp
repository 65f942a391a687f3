#include "base/byte_reader.hpp"

#include <gtest/gtest.h>

namespace holdfast::relay {
namespace {

using std::string_view_literals::operator""sv;

TEST(ByteReader, ReadsBigEndian) {
    ByteReader reader("\x01\x02\x03\x80\x00\x00\x01\xff\xff\xff\xff\xff\xff\xff\xfe"sv);
    EXPECT_EQ(reader.u8(), 1);
    EXPECT_EQ(reader.u16(), 0x0203);
    EXPECT_EQ(reader.u32(), 0x80000001U);
    EXPECT_EQ(reader.i64(), -2);
    EXPECT_EQ(reader.remaining(), 0U);
}

TEST(ByteReader, ViewsStringsAndBytesInPlace) {
    const auto block = "name\0rest"sv;
    ByteReader reader(block);
    EXPECT_EQ(reader.c_string(), "name");
    const auto rest = reader.bytes(4);
    EXPECT_EQ(rest, "rest");
    EXPECT_EQ(rest.data(), block.data() + 5);
}

TEST(ByteReader, ThrowsBeforeTheEndIsPassedAndStaysWhereItWas) {
    ByteReader reader("\x01\x02\x03"sv);
    reader.u8();
    EXPECT_THROW(reader.u32(), ProtocolError);
    EXPECT_THROW(reader.bytes(SIZE_MAX), ProtocolError);
    EXPECT_THROW(reader.c_string(), ProtocolError);
    EXPECT_EQ(reader.offset(), 1U);
    EXPECT_EQ(reader.u16(), 0x0203);
}

TEST(ByteReader, NamesOffsetAndSizes) {
    ByteReader reader("\x01\x02\x03"sv);
    reader.u8();
    try {
        reader.u32();
        FAIL();
    } catch (const ProtocolError& error) {
        EXPECT_STREQ(error.what(), "truncated message: 4 bytes needed at offset 1 of 3");
    }
}

}  // namespace
}  // namespace holdfast::relay
