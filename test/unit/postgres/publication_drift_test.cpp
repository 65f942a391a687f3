#include "postgres/publication_drift.hpp"

#include <gtest/gtest.h>

#include <string>

#include "postgres/scratch_server.hpp"

namespace holdfast::relay::postgres {
namespace {

class PublicationDrift : public testing::DatabaseTest {
 protected:
    void SetUp() override {
        DatabaseTest::SetUp();
        scope.publication = "pub";
        scope.captures = [](std::string_view schema, std::string_view) { return schema == "shop"; };
        if (server_ != nullptr) {
            sql("CREATE SCHEMA shop");
            sql("CREATE TABLE shop.item (id int PRIMARY KEY, name text, price int)");
            sql("CREATE TABLE public.other (id int)");
        }
    }
    /// "kind subject; ..."
    std::string look() {
        if (!watch) {
            watch.emplace(scope);
        }
        std::string text;
        last = watch->look(*session_);
        for (const Drift& drift : last) {
            text +=
                (text.empty() ? "" : "; ") + std::string(name_of(drift.kind)) + " " + drift.subject;
        }
        return text;
    }

    DriftScope scope;
    std::optional<PublicationWatch> watch;
    std::vector<Drift> last;
};

TEST_F(PublicationDrift, NothingIsWrongWithWhatFits) {
    sql("CREATE PUBLICATION pub FOR TABLE shop.item, public.other");
    EXPECT_EQ(look(), "");
}

TEST_F(PublicationDrift, NoPublicationIsForTheStreamToSay) {
    EXPECT_EQ(look(), "");
}

TEST_F(PublicationDrift, ANewTableThatTheListsCaptureIsNotPublished) {
    sql("CREATE PUBLICATION pub FOR TABLE shop.item");
    EXPECT_EQ(look(), "");
    sql(R"(CREATE TABLE shop."New Table" (id int PRIMARY KEY))");
    EXPECT_EQ(look(), "table_not_published shop.New Table");
    EXPECT_TRUE(
        last[0].repair.starts_with(R"(ALTER PUBLICATION "pub" ADD TABLE "shop"."New Table"; )"))
        << last[0].repair;
    sql(last[0].repair.substr(0, last[0].repair.find(';')));
    EXPECT_EQ(look(), "");
}

TEST_F(PublicationDrift, ATableThatIsMadeAgainIsLostFromThePublication) {
    sql("CREATE PUBLICATION pub FOR TABLE shop.item, public.other");
    EXPECT_EQ(look(), "");
    sql("DROP TABLE shop.item");
    EXPECT_EQ(look(), "");
    sql("CREATE TABLE shop.item (id int PRIMARY KEY)");
    EXPECT_EQ(look(), "table_recreated shop.item");
    sql("ALTER PUBLICATION pub ADD TABLE shop.item");
    EXPECT_EQ(look(), "");
}

TEST_F(PublicationDrift, APublicationOfAllTablesLosesNone) {
    sql("CREATE PUBLICATION pub FOR ALL TABLES");
    sql("DROP TABLE shop.item");
    sql("CREATE TABLE shop.item (id int PRIMARY KEY)");
    EXPECT_EQ(look(), "");
}

TEST_F(PublicationDrift, AnExpressionThatFitsNoTableIsNamed) {
    sql("CREATE PUBLICATION pub FOR TABLE shop.item");
    scope.expected = {
        {"shop[.]item", [](auto, std::string_view table) { return table == "item"; }},
        {"shop[.]itme", [](auto, std::string_view table) { return table == "itme"; }}};
    EXPECT_EQ(look(), "no_such_table shop[.]itme");
}

TEST_F(PublicationDrift, RowFiltersAndColumnListsHide) {
    sql("CREATE PUBLICATION pub FOR TABLE shop.item (id, name) WHERE (id > 5)");
    EXPECT_EQ(look(), "row_filter shop.item; column_list shop.item");
    EXPECT_EQ(last[1].problem, "a column list of the publication leaves out price");
    watch.reset();
    scope.has_column = [](auto, auto, std::string_view column) { return column != "price"; };
    EXPECT_EQ(look(), "row_filter shop.item") << "the configuration leaves it out as well";
}

TEST_F(PublicationDrift, ColumnsWithStrangeNamesAreNamed) {
    sql(R"(ALTER TABLE shop.item ADD COLUMN "a,""b\" int, ADD COLUMN c int)");
    sql("CREATE PUBLICATION pub FOR TABLE shop.item (id, name, price)");
    EXPECT_EQ(look(), "column_list shop.item");
    EXPECT_EQ(last[0].problem, R"(a column list of the publication leaves out a,"b\, c)");
}

TEST_F(PublicationDrift, AnOperationThatIsWantedAndNotPublished) {
    sql("CREATE PUBLICATION pub FOR TABLE shop.item WITH (publish = 'insert, truncate')");
    EXPECT_EQ(look(), "operation_not_published pub");
    EXPECT_TRUE(last[0].repair.find("'insert, update, delete, truncate'") != std::string::npos)
        << last[0].repair;
}

TEST_F(PublicationDrift, IdentitiesThatLeaveDeletesWithoutAKey) {
    sql("CREATE TABLE shop.bare (id int)");
    sql("CREATE TABLE shop.nothing (id int PRIMARY KEY)");
    sql("ALTER TABLE shop.nothing REPLICA IDENTITY NOTHING");
    sql("CREATE TABLE shop.indexed (id int PRIMARY KEY, code int NOT NULL UNIQUE)");
    sql("ALTER TABLE shop.indexed REPLICA IDENTITY USING INDEX indexed_code_key");
    sql("CREATE TABLE shop.whole (id int)");
    sql("ALTER TABLE shop.whole REPLICA IDENTITY FULL");
    sql("CREATE TABLE shop.wide (id int PRIMARY KEY, code int NOT NULL, UNIQUE (code, id))");
    sql("ALTER TABLE shop.wide REPLICA IDENTITY USING INDEX wide_code_id_key");
    sql("CREATE PUBLICATION pub FOR ALL TABLES");
    EXPECT_EQ(look(),
              "no_replica_identity shop.bare; identity_without_key shop.indexed; "
              "no_replica_identity shop.nothing");
    sql("ALTER PUBLICATION pub SET (publish = 'insert')");
    watch.reset();
    scope.updates = scope.deletes = false;
    EXPECT_EQ(look(), "") << "inserts need no identity";
}

class PartitionDrift : public PublicationDrift {
 protected:
    void SetUp() override {
        PublicationDrift::SetUp();
        if (server_ != nullptr) {
            sql("CREATE TABLE shop.log (at int PRIMARY KEY, what text) PARTITION BY RANGE (at)");
            partition("log_1", 0);
            partition("log_2", 10);
        }
    }
    void partition(const std::string& name, int from) {
        sql("CREATE TABLE shop." + name + " PARTITION OF shop.log FOR VALUES FROM (" +
            std::to_string(from) + ") TO (" + std::to_string(from + 10) + ")");
    }
};

TEST_F(PartitionDrift, APartitionedTableBringsItsNewPartitions) {
    for (const char* via_root : {"true", "false"}) {
        sql("DROP PUBLICATION IF EXISTS pub");
        sql(std::string("CREATE PUBLICATION pub FOR TABLE shop.item, shop.log WITH "
                        "(publish_via_partition_root = ") +
            via_root + ")");
        watch.reset();
        EXPECT_EQ(look(), "") << via_root;
        partition(std::string("more_") + via_root, via_root[0] == 't' ? 20 : 30);
        EXPECT_EQ(look(), "") << via_root;
    }
}

TEST_F(PartitionDrift, ANewPartitionIsMissingWherePartitionsAreListed) {
    sql("CREATE PUBLICATION pub FOR TABLE shop.item, shop.log_1, shop.log_2");
    EXPECT_EQ(look(), "");
    partition("log_3", 20);
    EXPECT_EQ(look(), "partition_not_published shop.log_3");
}

TEST_F(PartitionDrift, APartitionedTableThatIsNotPublishedAtAllIsNamedWithItsPartitions) {
    sql("CREATE PUBLICATION pub FOR TABLE shop.item");
    EXPECT_EQ(look(),
              "table_not_published shop.log; table_not_published shop.log_1; "
              "table_not_published shop.log_2");
}

TEST_F(PartitionDrift, TheIdentityIsThatOfThePartitions) {
    sql("CREATE PUBLICATION pub FOR TABLE shop.item, shop.log WITH "
        "(publish_via_partition_root = true)");
    sql("ALTER TABLE shop.log_2 REPLICA IDENTITY NOTHING");
    scope.captures = [](std::string_view, std::string_view table) { return table == "log"; };
    EXPECT_EQ(look(), "no_replica_identity shop.log_2");
}

}  // namespace
}  // namespace holdfast::relay::postgres
