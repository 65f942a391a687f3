#include "postgres/chunk_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "postgres/scratch_server.hpp"

namespace holdfast::relay::postgres {
namespace {

using Key = std::vector<std::string>;

class ChunkReaderTest : public testing::DatabaseTest {
 protected:
    void SetUp() override {
        DatabaseTest::SetUp();
        if (server_ == nullptr) {
            return;
        }
        sql("SET search_path = pg_catalog, pg_temp");
        sql("CREATE TABLE public.item (id int PRIMARY KEY, name text, "
            "twice int GENERATED ALWAYS AS (id * 2) STORED)");
        sql("CREATE PUBLICATION app FOR TABLE public.item");
        request.publication = "app";
        request.schema = "public";
        request.table = "item";
    }

    void fill(int rows) {
        sql("INSERT INTO public.item SELECT n, 'n' || n FROM generate_series(1, " +
            std::to_string(rows) + ") AS n");
    }
    TableChunk read() {
        std::optional<TableChunk> chunk =
            read_chunk(*session_, request, [](std::string_view) { return true; });
        return std::move(chunk.value());
    }
    /// "1 n1|2 n2": the rows with their values.
    static std::string rows(const TableChunk& chunk) {
        std::string text;
        for (const Result& part : chunk.parts) {
            for (int row = 0; row < part.rows(); ++row) {
                text += text.empty() ? "" : "|";
                for (int column = 0; column < part.columns(); ++column) {
                    text += (column == 0 ? "" : " ") +
                            std::string(part.nullable(row, column).value_or("NULL"));
                }
            }
        }
        return text;
    }
    std::string refused() {
        try {
            return "read " + rows(read());
        } catch (const ChunkRefused& error) {
            return error.what();
        }
    }
    /// Whether a statement can run, and outside of a transaction.
    bool is_idle() { return sql("SHOW transaction_read_only").text(0, 0) == "off"; }

    ChunkRequest request;
};

TEST_F(ChunkReaderTest, ReadsOnBehindTheLastKeyUntilNothingIsLeft) {
    fill(5);
    request.max_rows = 2;
    TableChunk chunk = read();
    EXPECT_EQ(rows(chunk), "1 n1|2 n2") << "without what the stream does not have";
    EXPECT_EQ(chunk.last_key, Key{"2"});
    EXPECT_FALSE(chunk.last);
    request.after = chunk.last_key;
    chunk = read();
    EXPECT_EQ(rows(chunk), "3 n3|4 n4");
    EXPECT_FALSE(chunk.last);
    request.after = chunk.last_key;
    chunk = read();
    EXPECT_EQ(rows(chunk), "5 n5");
    EXPECT_TRUE(chunk.last);
    EXPECT_TRUE(is_idle());
}

TEST_F(ChunkReaderTest, FindsNothingBehindAFullLastChunk) {
    fill(2);
    request.max_rows = 2;
    EXPECT_FALSE(read().last);
    request.after = {"2"};
    const TableChunk chunk = read();
    EXPECT_TRUE(chunk.parts.empty());
    EXPECT_TRUE(chunk.last_key.empty());
    EXPECT_TRUE(chunk.last);
}

TEST_F(ChunkReaderTest, ReadsManyRowsInItsOrder) {
    fill(3000);
    request.max_rows = 2500;
    const TableChunk chunk = read();
    std::string expected;
    for (int n = 1; n <= 2500; ++n) {
        expected += (n == 1 ? "" : "|") + std::to_string(n) + " n" + std::to_string(n);
    }
    EXPECT_EQ(rows(chunk), expected);
    EXPECT_EQ(chunk.last_key, Key{"2500"});
}

TEST_F(ChunkReaderTest, EndsAtItsBytesAndHasARowHoweverLargeItIs) {
    sql("INSERT INTO public.item SELECT n, repeat('x', 1000) FROM generate_series(1, 1000) AS n");
    request.max_bytes = 100'000;
    TableChunk chunk = read();
    const int read_rows = std::stoi(chunk.last_key.at(0));
    EXPECT_GE(read_rows, 90);
    EXPECT_LE(read_rows, 110);
    EXPECT_FALSE(chunk.last);
    request.after = chunk.last_key;
    chunk = read();
    EXPECT_TRUE(rows(chunk).starts_with(std::to_string(read_rows + 1) + " "));
    request.max_bytes = 10;
    request.after = {};
    EXPECT_FALSE(read().parts.empty());
}

TEST_F(ChunkReaderTest, ComparesAKeyOfSeveralColumnsAsAWhole) {
    sql("CREATE TABLE public.line (\"No\" int, \"Order\" text COLLATE \"C\", PRIMARY KEY "
        "(\"Order\", \"No\"))");
    sql("ALTER PUBLICATION app ADD TABLE public.line");
    sql("INSERT INTO public.line SELECT n, o FROM unnest(ARRAY['a', 'b']) o, generate_series(1, 3) "
        "n");
    request.table = "line";
    request.max_rows = 4;
    TableChunk chunk = read();
    EXPECT_EQ(rows(chunk), "1 a|2 a|3 a|1 b");
    EXPECT_EQ(chunk.last_key, (Key{"b", "1"}));
    request.after = chunk.last_key;
    EXPECT_EQ(rows(read()), "2 b|3 b");
}

TEST_F(ChunkReaderTest, WithAConditionItLooksAtSoManyRowsAndGoesOnBehindThem) {
    fill(10);
    request.max_rows = 4;
    request.condition = "id IN (2, 9) -- and no other";
    TableChunk chunk = read();
    EXPECT_EQ(rows(chunk), "2 n2");
    EXPECT_EQ(chunk.last_key, Key{"4"});
    EXPECT_FALSE(chunk.last);
    request.after = chunk.last_key;
    chunk = read();
    EXPECT_EQ(rows(chunk), "");
    EXPECT_EQ(chunk.last_key, Key{"8"});
    EXPECT_FALSE(chunk.last);
    request.after = chunk.last_key;
    chunk = read();
    EXPECT_EQ(rows(chunk), "9 n9");
    EXPECT_TRUE(chunk.last);
}

TEST_F(ChunkReaderTest, ReadsWhatThePublicationLetsThrough) {
    sql("CREATE TABLE public.child () INHERITS (public.item)");
    fill(4);
    sql("INSERT INTO public.child VALUES (3, 'of the child')");
    sql("ALTER PUBLICATION app SET TABLE ONLY public.item (id) WHERE (id <> 2)");
    EXPECT_EQ(rows(read()), "1|3|4");
}

TEST_F(ChunkReaderTest, ReadsAPartitionedTableThatIsPublishedAsOne) {
    sql("CREATE TABLE public.part (id int PRIMARY KEY) PARTITION BY RANGE (id)");
    sql("CREATE TABLE public.low PARTITION OF public.part FOR VALUES FROM (0) TO (10)");
    sql("CREATE TABLE public.high PARTITION OF public.part FOR VALUES FROM (10) TO (20)");
    sql("INSERT INTO public.part VALUES (15), (5)");
    sql("CREATE PUBLICATION roots FOR TABLE public.part WITH (publish_via_partition_root)");
    request.publication = "roots";
    request.table = "part";
    EXPECT_EQ(rows(read()), "5|15");
}

TEST_F(ChunkReaderTest, ReadsNothingInASnapshotThatIsTooOld) {
    fill(1);
    std::string asked;
    EXPECT_FALSE(read_chunk(*session_, request, [&](std::string_view snapshot) {
        asked = snapshot;
        return false;
    }));
    EXPECT_NE(asked.find(':'), std::string::npos) << asked;
    EXPECT_TRUE(is_idle());
}

TEST_F(ChunkReaderTest, RefusesWhatCannotBeReadInChunks) {
    sql("CREATE TABLE public.alone (id int PRIMARY KEY)");
    sql("CREATE TABLE public.keyless (id int)");
    sql("ALTER PUBLICATION app ADD TABLE public.keyless");
    request.table = "alone";
    EXPECT_EQ(refused(),
              "table public.alone is not in publication app: ALTER PUBLICATION ... ADD TABLE");
    request.table = "keyless";
    EXPECT_EQ(refused(),
              "table public.keyless has no published key to read it by: add a primary key");
    sql("CREATE TABLE public.made (id int, half int GENERATED ALWAYS AS (id / 2) STORED, "
        "PRIMARY KEY (id, half))");
    sql("ALTER PUBLICATION app ADD TABLE public.made");
    request.table = "made";
    EXPECT_EQ(refused(),
              "table public.made has a key with a generated column, which is not streamed: half");
    request.table = "item";
    request.after = {"1", "2"};
    EXPECT_EQ(refused(),
              "the key of table public.item is not what it was when the snapshot began: ask for it "
              "again");
    EXPECT_TRUE(is_idle());
}

TEST_F(ChunkReaderTest, RefusesAKeyWhoseOrderIsNotFoundByThePinnedSearchPath) {
    if (sql("SELECT FROM pg_available_extensions WHERE name = 'citext'").empty()) {
        GTEST_SKIP() << "the server has no citext";
    }
    sql("CREATE EXTENSION citext SCHEMA public");
    sql("CREATE DOMAIN public.email AS public.citext");
    sql("CREATE TABLE public.person (email public.email PRIMARY KEY)");
    sql("ALTER PUBLICATION app ADD TABLE public.person");
    request.table = "person";
    EXPECT_EQ(refused(),
              "table public.person has a key of type public.citext, by whose order it cannot be "
              "read");
}

TEST_F(ChunkReaderTest, OrdersAnEnumADomainAndARangeAsTheirIndexDoes) {
    sql("CREATE TYPE public.size AS ENUM ('small', 'large')");
    sql("CREATE DOMAIN public.code AS text");
    sql("CREATE TABLE public.box (size public.size, code public.code, at int4range, "
        "PRIMARY KEY (size, code, at))");
    sql("ALTER PUBLICATION app ADD TABLE public.box");
    sql("INSERT INTO public.box VALUES ('large', 'a', '[1,2)'), ('small', 'b', '[1,2)'), "
        "('small', 'b', '[0,5)')");
    request.table = "box";
    request.max_rows = 2;
    EXPECT_EQ(rows(read()), "small b [0,5)|small b [1,2)");
    request.after = {"small", "b", "[1,2)"};
    EXPECT_EQ(rows(read()), "large a [1,2)");
}

TEST_F(ChunkReaderTest, AFailureLeavesTheSessionAsItWas) {
    fill(1);
    request.condition = "1 / (id - 1) = 1";
    EXPECT_THROW(read(), SqlError);
    EXPECT_TRUE(is_idle());
    Session other(options());
    other.exec("BEGIN");
    other.exec("LOCK TABLE public.item IN ACCESS EXCLUSIVE MODE");
    sql("SET lock_timeout = '10ms'");
    request.condition.clear();
    EXPECT_THROW(read(), SqlError);
    EXPECT_TRUE(is_idle());
    other.exec("ROLLBACK");
    EXPECT_EQ(rows(read()), "1 n1");
}

TEST_F(ChunkReaderTest, TakesItsSnapshotBehindTheLock) {
    fill(3);
    sql("ALTER TABLE public.item DROP COLUMN twice");
    Session other(options());
    other.exec("BEGIN");
    other.exec("ALTER TABLE public.item ALTER COLUMN id TYPE bigint");  // writes the table anew
    std::vector<std::string> read_rows;
    std::thread reader([&] { read_rows.push_back(rows(read())); });
    while (other
               .exec("SELECT FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM "
                     "pg_database WHERE datname = current_database())")
               .empty()) {
        std::this_thread::yield();
    }
    other.exec("COMMIT");
    reader.join();
    EXPECT_EQ(read_rows, std::vector<std::string>{"1 n1|2 n2|3 n3"});
}

}  // namespace
}  // namespace holdfast::relay::postgres
