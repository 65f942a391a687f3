#include "postgres/copy_row.hpp"

#include <gtest/gtest.h>

#include <string>

namespace holdfast::relay::postgres {
namespace {

/// "a|<null>|b"
std::string split(std::string row) {
    std::vector<CopyField> fields{{true, "what was there before"}};
    split_copy_row(row, fields);
    std::string text;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        text += (i == 0 ? "" : "|");
        text += fields[i].is_null ? "<null>" : std::string(fields[i].text);
    }
    return text;
}

TEST(CopyRow, TabsAreBetweenTheFields) {
    EXPECT_EQ(split("1\tAnn\t2.50\n"), "1|Ann|2.50");
    EXPECT_EQ(split("1"), "1");
}

TEST(CopyRow, AnEmptyTextIsNoNull) {
    EXPECT_EQ(split("\t\\N\t\n"), "|<null>|");
    EXPECT_EQ(split("\n"), "");
}

TEST(CopyRow, WhatCopyEscapesIsUnescaped) {
    EXPECT_EQ(split("a\\tb\\nc\\rd\\\\e\\bf\\fg\\vh\n"), "a\tb\nc\rd\\e\bf\fg\vh");
    EXPECT_EQ(split("\\\\N\t\\\\\n"), "\\N|\\");
}

TEST(CopyRow, ATextOfBackslashNAndMoreIsNoNull) {
    EXPECT_EQ(split("\\\\N\\\\N\n"), "\\N\\N");
}

TEST(CopyRow, ANewlineWithinAValueDoesNotEndTheRow) {
    EXPECT_EQ(split("a\\n\tb\n"), "a\n|b");
}

}  // namespace
}  // namespace holdfast::relay::postgres
