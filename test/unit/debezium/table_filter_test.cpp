#include "debezium/table_filter.hpp"

#include <gtest/gtest.h>

namespace holdfast::relay::debezium {
namespace {

TEST(TableFilter, LetsAllThroughButWhatIsNobodys) {
    const TableFilter filter{ConnectorOptions{}};
    EXPECT_TRUE(filter.captures("public", "orders"));
    EXPECT_TRUE(filter.has_column("public", "orders", "id"));
    EXPECT_FALSE(filter.captures("pg_catalog", "pg_class"));
    EXPECT_FALSE(filter.captures("information_schema", "sql_features"));
    EXPECT_FALSE(filter.captures("pg_temp_3", "t"));
    EXPECT_FALSE(filter.captures("public", "spatial_ref_sys"));
}

TEST(TableFilter, SchemaAndTableHaveToPass) {
    ConnectorOptions options;
    options.schema_include_list = {"inventory", "sales"};
    options.table_exclude_list = {"inventory.audit_.*"};
    const TableFilter filter(options);
    EXPECT_TRUE(filter.captures("inventory", "orders"));
    EXPECT_TRUE(filter.captures("SALES", "orders"));
    EXPECT_FALSE(filter.captures("inventory", "audit_1"));
    EXPECT_FALSE(filter.captures("public", "orders"));
}

TEST(TableFilter, ColumnsAreIncludedOrExcludedByTheirWholeName) {
    ConnectorOptions include;
    include.column_include_list = {"inventory\\.orders\\.(id|total)"};
    EXPECT_TRUE(TableFilter(include).has_column("inventory", "orders", "total"));
    EXPECT_FALSE(TableFilter(include).has_column("inventory", "orders", "note"));
    ConnectorOptions exclude;
    exclude.column_exclude_list = {".*\\.note"};
    EXPECT_FALSE(TableFilter(exclude).has_column("inventory", "orders", "note"));
    EXPECT_TRUE(TableFilter(exclude).has_column("inventory", "orders", "notes"));
}

}  // namespace
}  // namespace holdfast::relay::debezium
