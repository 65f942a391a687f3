#include "postgres/snapshot_tables.hpp"

#include <gtest/gtest.h>

#include <string>

#include "postgres/scratch_server.hpp"

namespace holdfast::relay::postgres {
namespace {

class SnapshotTables : public testing::DatabaseTest {
 protected:
    /// "schema.name(columns)[key]; ..."
    std::string read() {
        std::string text;
        for (const SnapshotTable& table : read_snapshot_tables(*session_, "pub")) {
            text += (text.empty() ? "" : "; ") + table.schema + "." + table.name + "(";
            for (const SnapshotColumn& column : table.columns) {
                text += (text.ends_with('(') ? "" : ",") + column.name;
            }
            text += ")[";
            for (const std::string& name : table.key) {
                text += (text.ends_with('[') ? "" : ",") + name;
            }
            text += "]";
        }
        return text;
    }
    std::string query(const ChunkRange& range) {
        const SnapshotTable table = read_snapshot_tables(*session_, "pub").at(0);
        std::vector<std::string> columns;
        for (const SnapshotColumn& column : table.columns) {
            columns.push_back(column.name);
        }
        return chunk_query(*session_, table, columns, range);
    }
    /// First column of the rows of a query.
    std::string first_column(const std::string& sql) {
        const Result rows = session_->exec(sql.c_str());
        std::string text;
        for (int row = 0; row < rows.rows(); ++row) {
            text += (row == 0 ? "" : ",") + std::string(rows.text(row, 0));
        }
        return text;
    }
};

TEST_F(SnapshotTables, ArePublishedOnesWithTheirPrimaryKeyInItsOrder) {
    sql("CREATE TABLE b (x text, y int, z int, PRIMARY KEY (z, y))");
    sql("CREATE TABLE a (id int PRIMARY KEY)");
    sql("CREATE TABLE c (id int PRIMARY KEY)");
    sql("CREATE PUBLICATION pub FOR TABLE a, b");
    EXPECT_EQ(read(), "public.a(id)[id]; public.b(x,y,z)[z,y]");
}

TEST_F(SnapshotTables, OneOfThemIsReadAlone) {
    sql("CREATE TABLE a (id int PRIMARY KEY)");
    sql("CREATE TABLE b (id int PRIMARY KEY, n int)");
    sql("CREATE TABLE c (id int PRIMARY KEY)");
    sql("CREATE PUBLICATION pub FOR TABLE a, b WHERE (id > 1)");
    const auto table = read_snapshot_table(*session_, "pub", "public", "b");
    ASSERT_TRUE(table);
    EXPECT_EQ(table->name, "b");
    EXPECT_EQ(table->columns.size(), 2U);
    EXPECT_EQ(table->key, std::vector<std::string>{"id"});
    EXPECT_EQ(table->row_filter, "(id > 1)");
    EXPECT_FALSE(read_snapshot_table(*session_, "pub", "public", "c"));
}

TEST_F(SnapshotTables, ARangeMayEndAtAKey) {
    sql("CREATE TABLE a (x int, y int, PRIMARY KEY (y, x))");
    sql("CREATE PUBLICATION pub FOR TABLE a");
    sql("INSERT INTO a SELECT x, y FROM generate_series(1, 2) x, generate_series(1, 3) y");
    EXPECT_EQ(first_column(query({.after = {"1", "1"}, .up_to = {"'2'", "'2'"}})), "2,1,2");
}

TEST_F(SnapshotTables, TheIndexOfTheReplicaIdentityIsTheKeyBecauseOldRowsHaveIt) {
    sql("CREATE TABLE a (id int PRIMARY KEY, code text NOT NULL)");
    sql("CREATE UNIQUE INDEX a_code ON a (code)");
    sql("ALTER TABLE a REPLICA IDENTITY USING INDEX a_code");
    sql("CREATE PUBLICATION pub FOR TABLE a");
    EXPECT_EQ(read(), "public.a(id,code)[code]");
}

TEST_F(SnapshotTables, WithoutAPrimaryKeyAUniqueIndexServesIfNothingInItCanBeMissing) {
    sql("CREATE TABLE a (x int NOT NULL, y int)");
    sql("CREATE UNIQUE INDEX a_1 ON a (y)");
    sql("CREATE UNIQUE INDEX a_2 ON a (x) WHERE x > 5");
    sql("CREATE UNIQUE INDEX a_3 ON a ((x + 1))");
    sql("CREATE PUBLICATION pub FOR TABLE a WITH (publish = 'insert')");
    EXPECT_EQ(read(), "public.a(x,y)[]");
    sql("CREATE UNIQUE INDEX a_4 ON a (x) INCLUDE (y)");
    EXPECT_EQ(read(), "public.a(x,y)[x]");
}

TEST_F(SnapshotTables, AKeyWhoseOrderTheSearchPathDecidesIsKnown) {
    if (sql("SELECT FROM pg_available_extensions WHERE name = 'citext'").empty()) {
        GTEST_SKIP() << "the server has no citext";
    }
    sql("CREATE EXTENSION citext");
    sql("CREATE DOMAIN email AS citext");
    sql("CREATE TYPE mood AS ENUM ('sad')");
    sql("CREATE DOMAIN age AS int");
    sql("CREATE TABLE a (id email PRIMARY KEY)");
    sql("CREATE TABLE b (m mood, n age, l citext[], PRIMARY KEY (m, n, l))");
    sql("CREATE PUBLICATION pub FOR TABLE a, b");
    const std::vector<SnapshotTable> tables = read_snapshot_tables(*session_, "pub");
    EXPECT_EQ(tables.at(0).key_type_elsewhere, "citext");
    EXPECT_EQ(tables.at(1).key_type_elsewhere, "");
}

TEST_F(SnapshotTables, AKeyOfACompositeTypeIsNotReadBy) {
    sql("CREATE TYPE place AS (x int, y int)");
    sql("CREATE DOMAIN spot AS place");
    sql("CREATE TABLE a (at place PRIMARY KEY)");
    sql("CREATE TABLE b (at spot PRIMARY KEY)");
    sql("INSERT INTO a VALUES ('(1,1)'), ('(1,2)')");
    sql("CREATE PUBLICATION pub FOR TABLE a, b");
    EXPECT_THROW(first_column(query({.after = {"'(1,1)'"}})), SqlError) << "then it could be";
    const std::vector<SnapshotTable> tables = read_snapshot_tables(*session_, "pub");
    EXPECT_EQ(tables.at(0).key_type_elsewhere, "place");
    EXPECT_EQ(tables.at(1).key_type_elsewhere, "place");
}

TEST_F(SnapshotTables, AnIndexIsNoKeyWhoseCollationTellsApartWhatTheColumnsDoesNot) {
    sql("CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', "
        "deterministic = false)");
    sql("CREATE TABLE a (code text COLLATE nocase NOT NULL)");
    sql("CREATE UNIQUE INDEX a_code ON a (code COLLATE \"C\")");
    sql("CREATE TABLE b (code text COLLATE nocase PRIMARY KEY)");
    sql("CREATE TABLE c (code text COLLATE \"C\" NOT NULL)");
    sql("CREATE UNIQUE INDEX c_code ON c (code COLLATE nocase)");
    sql("INSERT INTO a VALUES ('a'), ('A')");
    sql("CREATE PUBLICATION pub FOR TABLE a, b, c");
    EXPECT_EQ(read(), "public.a(code)[]; public.b(code)[code]; public.c(code)[code]");
}

TEST_F(SnapshotTables, TheDefinitionOfAKeySaysWhatItsOrderDependsOn) {
    sql("CREATE TABLE a (id int, \"The name\" varchar(5) COLLATE \"C\", code varchar(5), "
        "PRIMARY KEY (code, \"The name\", id))");
    sql("CREATE PUBLICATION pub FOR TABLE a");
    const SnapshotTable table = read_snapshot_tables(*session_, "pub").at(0);
    EXPECT_EQ(
        table.key_definition,
        (std::vector<std::string>{"code character varying",
                                  "\"The name\" character varying COLLATE \"C\"", "id integer"}));
}

TEST_F(SnapshotTables, AnIntegerKeyThatOutgrowsItsTypeHasTheSameDefinition) {
    sql("CREATE TABLE a (id smallint PRIMARY KEY)");
    sql("CREATE PUBLICATION pub FOR TABLE a");
    const auto definition = [&] {
        return read_snapshot_tables(*session_, "pub").at(0).key_definition;
    };
    const std::vector<std::string> before = definition();
    sql("ALTER TABLE a ALTER id TYPE int");
    EXPECT_EQ(definition(), before);
    sql("ALTER TABLE a ALTER id TYPE bigint");
    EXPECT_EQ(definition(), before);
    sql("ALTER TABLE a ALTER id TYPE text");
    EXPECT_NE(definition(), before);
}

TEST_F(SnapshotTables, AListOfColumnsLimitsThemAndGeneratedOnesAreThereWithoutOne) {
    sql("CREATE TABLE a (id int PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED)");
    sql("CREATE PUBLICATION pub FOR TABLE a");
    EXPECT_EQ(read(), "public.a(id,n,twice)[id]");
    sql("ALTER PUBLICATION pub SET TABLE a (id)");
    EXPECT_EQ(read(), "public.a(id)[id]");
}

TEST_F(SnapshotTables, APartitionedTableIsReadAsTheStreamNamesIt) {
    sql("CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id)");
    sql("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)");
    sql("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)");
    sql("INSERT INTO p VALUES (15), (1)");
    sql("CREATE PUBLICATION pub FOR TABLE p");
    EXPECT_EQ(read(), "public.p1(id)[id]; public.p2(id)[id]");
    EXPECT_EQ(first_column(query({.after = {}})), "1");
    sql("ALTER PUBLICATION pub SET (publish_via_partition_root = true)");
    EXPECT_EQ(read(), "public.p(id)[id]");
    EXPECT_EQ(first_column(query({.after = {}})), "1,15");
}

TEST_F(SnapshotTables, AChunkIsBehindAKeyInItsOrderAndNotLongerThanItsLimit) {
    sql(R"(CREATE TABLE "a b" (x int, "Y" text, PRIMARY KEY ("Y", x)))");
    sql(R"(INSERT INTO "a b" VALUES (1, 'q'), (2, 'p'), (3, 'q'), (4, 'r'), (5, 'o''b'))");
    sql(R"(CREATE PUBLICATION pub FOR TABLE "a b")");
    EXPECT_EQ(first_column(query({.after = {}})), "5,2,1,3,4");
    EXPECT_EQ(first_column(query({.after = {}, .limit = 2})), "5,2");
    EXPECT_EQ(first_column(query({.after = {"'q'", "'1'"}, .limit = 2})), "3,4");
    EXPECT_EQ(first_column(
                  query({.after = {session_->quote_literal("o'b"), session_->quote_literal("5")}})),
              "2,1,3,4");
}

TEST_F(SnapshotTables, RowFilterAndConditionBothApply) {
    sql("CREATE TABLE a (id int PRIMARY KEY, n int)");
    sql("INSERT INTO a SELECT g, g FROM generate_series(1, 10) g");
    sql("CREATE PUBLICATION pub FOR TABLE a WHERE (id > 3) WITH (publish = 'insert')");
    EXPECT_EQ(first_column(query({.after = {}})), "4,5,6,7,8,9,10");
    EXPECT_EQ(first_column(query({.after = {}, .limit = 0, .condition = "n < 6 OR n = 9 -- so"})),
              "4,5,9");
}

}  // namespace
}  // namespace holdfast::relay::postgres
