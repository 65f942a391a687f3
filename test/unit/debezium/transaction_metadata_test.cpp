#include "debezium/transaction_metadata.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::relay::debezium {
namespace {

std::string order(JavaOrderedCounts& counts) {
    std::string names;
    counts.for_each([&names](const JavaOrderedCounts::Entry& entry) {
        names += names.empty() ? entry.name : " " + entry.name;
    });
    return names;
}

void add(JavaOrderedCounts& counts, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        counts.add(counts.slot(name));
    }
}

TEST(JavaOrderedCounts, FollowsTheBucketsOfAHashMap) {
    JavaOrderedCounts counts;
    add(counts, {"s1.a", "s2.a", "public.order_line", "public.customers", "caf\u00E9.\U0001F600"});
    EXPECT_EQ(order(counts), "caf\u00E9.\U0001F600 s1.a public.customers s2.a public.order_line");
}

TEST(JavaOrderedCounts, GrowsAsAHashMap) {
    JavaOrderedCounts counts;
    std::vector<std::string> names;
    names.reserve(20);
    for (int i = 0; i < 20; ++i) {
        names.push_back("public.table_" + std::to_string(i));
    }
    add(counts, names);
    std::string expected;
    for (const int i : {9, 11, 8, 12, 7, 6, 10, 19, 17, 18, 15, 16, 13, 14, 1, 0, 5, 4, 3, 2}) {
        expected += expected.empty() ? "" : " ";
        expected += "public.table_" + std::to_string(i);
    }
    EXPECT_EQ(order(counts), expected);
}

TEST(JavaOrderedCounts, CountsPerNameAndForgets) {
    JavaOrderedCounts counts;
    const std::size_t slot = counts.slot("s.t");
    EXPECT_EQ(counts.add(slot), 1);
    EXPECT_EQ(counts.add(slot), 2);
    EXPECT_EQ(order(counts), "s.t");
    counts.clear();
    EXPECT_EQ(order(counts), "");
    EXPECT_EQ(counts.add(slot), 1);
    EXPECT_EQ(counts.slot("s.t"), slot);
}

TEST(TransactionMetadata, HasTheSchemasOfDebezium) {
    std::string json;
    transaction_key_schema().write(json);
    EXPECT_EQ(json,
              R"({"type":"struct","fields":[{"type":"string","optional":false,"field":"id"}],)"
              R"("optional":false,)"
              R"("name":"io.debezium.connector.common.TransactionMetadataKey","version":1})");
    json.clear();
    transaction_value_schema().write(json);
    EXPECT_EQ(json,
              R"({"type":"struct","fields":[{"type":"string","optional":false,"field":"status"},)"
              R"({"type":"string","optional":false,"field":"id"},)"
              R"({"type":"int64","optional":true,"field":"event_count"},)"
              R"({"type":"array","items":{"type":"struct","fields":[)"
              R"({"type":"string","optional":false,"field":"data_collection"},)"
              R"({"type":"int64","optional":false,"field":"event_count"}],"optional":true,)"
              R"("name":"event.collection","version":1},"optional":true,)"
              R"("field":"data_collections"},)"
              R"({"type":"int64","optional":false,"field":"ts_ms"}],"optional":false,)"
              R"("name":"io.debezium.connector.common.TransactionMetadataValue","version":1})");
}

}  // namespace
}  // namespace holdfast::relay::debezium
