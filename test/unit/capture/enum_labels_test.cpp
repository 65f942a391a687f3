#include "capture/enum_labels.hpp"

#include <gtest/gtest.h>

#include <array>

namespace holdfast::relay::capture {
namespace {

using Kind = pgoutput::Value::Kind;

constexpr std::uint32_t kMood = 16'481;
constexpr std::uint32_t kMoods = 16'480;

/// (id int4, m mood, many mood[])
class EnumLabelsTest : public testing::Test {
 protected:
    static EnumLabels described(std::vector<std::string> labels) {
        static constexpr std::array<pgoutput::Column, 3> kColumns{
            {{true, "id", {23}, -1}, {false, "m", {kMood}, -1}, {false, "many", {kMoods}, -1}}};
        debezium::TableDescription table;
        table.types[23] = {.id = {23}, .schema = "pg_catalog", .name = "int4"};
        table.types[kMood] = {.id = {kMood},
                              .schema = "s",
                              .name = "mood",
                              .kind = 'e',
                              .category = 'E',
                              .labels = std::move(labels)};
        table.types[kMoods] = {
            .id = {kMoods}, .schema = "s", .name = "_mood", .category = 'A', .element = {kMood}};
        return {
            {.id = {1}, .schema = "s", .name = "t", .replica_identity = 'd', .columns = kColumns},
            table};
    }
    static bool lack(const EnumLabels& labels, pgoutput::Value value) {
        const std::array<pgoutput::Value, 3> row{
            {{Kind::kText, "1"}, value, {Kind::kText, "{nobody knows}"}}};
        return labels.lack(row);
    }
};

TEST_F(EnumLabelsTest, OnlyAColumnOfAnEnumCanHaveANewOne) {
    const EnumLabels labels = described({"sad", "happy"});
    EXPECT_FALSE(lack(labels, {Kind::kText, "happy"}));
    EXPECT_TRUE(lack(labels, {Kind::kText, "ok"}));
    EXPECT_TRUE(lack(labels, {Kind::kText, "Happy"}));
}

TEST_F(EnumLabelsTest, NullAndUnchangedValuesTellNothing) {
    const EnumLabels labels = described({"sad"});
    EXPECT_FALSE(lack(labels, {Kind::kNull, {}}));
    EXPECT_FALSE(lack(labels, {Kind::kUnchanged, {}}));
    EXPECT_FALSE(labels.lack({}));
}

TEST_F(EnumLabelsTest, WhatIsLearntIsNotAskedForAgain) {
    EnumLabels labels = described({"sad"});
    const std::array<pgoutput::Value, 3> row{
        {{Kind::kText, "1"}, {Kind::kText, "renamed since"}, {Kind::kNull, {}}}};
    EXPECT_TRUE(labels.lack(row));
    labels.learn(row);
    EXPECT_FALSE(labels.lack(row));
    EXPECT_TRUE(lack(labels, {Kind::kText, "ok"}));
}

TEST_F(EnumLabelsTest, NothingDescribedLacksNothing) {
    EXPECT_FALSE(lack(EnumLabels(), {Kind::kText, "ok"}));
}

}  // namespace
}  // namespace holdfast::relay::capture
