#include "debezium/java_string.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::relay::debezium {
namespace {

TEST(JavaString, ReadsWhatIsNotUtf8AsReplacementCharacters) {
    for (const std::string text : {"\xFF", "\x80", "\xE2\x82", "\xF0\x9F\x98", "\xC3("}) {
        std::size_t at = 0;
        EXPECT_EQ(next_code_point(text, at), U'\uFFFD');
        EXPECT_EQ(at, 1U);
    }
}

TEST(JavaString, SerializesAsObjectOutputStream) {
    std::string bytes;
    append_java_serialized("a\u00E9\u20AC", bytes);
    EXPECT_EQ(bytes, std::string("\xAC\xED\x00\x05t\x00\x06"
                                 "a\xC3\xA9\xE2\x82\xAC",
                                 13));
    bytes.clear();
    append_java_serialized(std::string("\0", 1), bytes);
    EXPECT_EQ(bytes, std::string("\xAC\xED\x00\x05t\x00\x02\xC0\x80", 9));
    bytes.clear();
    append_java_serialized("\U0001F600", bytes);
    EXPECT_EQ(bytes, std::string("\xAC\xED\x00\x05t\x00\x06\xED\xA0\xBD\xED\xB8\x80", 13));
}

TEST(JavaString, SerializesLongTextWithALongLength) {
    std::string bytes;
    append_java_serialized(std::string(0x1'0000, 'x'), bytes);
    EXPECT_EQ(bytes.substr(0, 13),
              std::string("\xAC\xED\x00\x05|\x00\x00\x00\x00\x00\x01\x00\x00", 13));
    EXPECT_EQ(bytes.size(), 13U + 0x1'0000U);
}

}  // namespace
}  // namespace holdfast::relay::debezium
