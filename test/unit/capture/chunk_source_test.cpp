#include "capture/chunk_source.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace holdfast::relay::capture {
namespace {

using pgoutput::Value;

TEST(ChunkRows, KeepTheirValuesWhenTheyAreMoved) {
    ChunkRows read;
    for (const std::optional<std::string_view> value :
         {std::optional<std::string_view>("1"), std::optional<std::string_view>(),
          std::optional<std::string_view>("2"), std::optional<std::string_view>("")}) {
        read.append(value);
    }
    read.seal(2);
    const ChunkRows rows = std::move(read);
    ASSERT_EQ(rows.count(), 2U);
    EXPECT_EQ(rows[0][0], (Value{Value::Kind::kText, "1"}));
    EXPECT_EQ(rows[0][1], Value{});
    EXPECT_EQ(rows[1][0], (Value{Value::Kind::kText, "2"}));
    EXPECT_EQ(rows[1][1], (Value{Value::Kind::kText, ""}));
    EXPECT_EQ(rows.bytes(), 2U);
}

TEST(ChunkRows, OfATableWithoutRowsAreNone) {
    ChunkRows rows;
    rows.seal(3);
    EXPECT_EQ(rows.count(), 0U);
}

}  // namespace
}  // namespace holdfast::relay::capture
