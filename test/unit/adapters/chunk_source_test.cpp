#include "adapters/chunk_source.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/scope_exit.hpp"
#include "postgres/scratch_server.hpp"
#include "support/manual_clock.hpp"

namespace holdfast::relay::adapters {
namespace {

TEST(ChunkSource, ReadsTheServersSnapshot) {
    const capture::TransactionHorizon horizon = transaction_horizon("10:20:10,14");
    EXPECT_EQ(horizon.xmax, 20U);
    EXPECT_EQ(horizon.in_progress, (std::vector<std::uint32_t>{10, 14}));
    EXPECT_TRUE(transaction_horizon("10:10:").in_progress.empty());
    EXPECT_EQ(transaction_horizon("4294967301:4294967306:4294967301").xmax, 10U)
        << "the stream's ids have no epoch";
    EXPECT_THROW(transaction_horizon("10:x:"), RetryableError);
    EXPECT_THROW(transaction_horizon(""), RetryableError);
}

TEST(ChunkSource, DescribesATableAsTheStreamDoes) {
    postgres::TableChunk chunk;
    chunk.table.oid = 16'400;
    chunk.table.schema = "inventory";
    chunk.table.name = "customers";
    chunk.table.columns = {{.name = "name", .type = 25}, {.name = "id", .type = 23, .modifier = 4}};
    chunk.table.key = {"id"};
    chunk.last = true;
    capture::SnapshotChunk described = snapshot_chunk(chunk, 7);
    EXPECT_EQ(described.relation.id(), pgoutput::RelationId{16'400});
    EXPECT_EQ(described.relation.qualified_name(), "inventory.customers");
    using Column = pgoutput::CachedRelation::Column;
    EXPECT_EQ(described.relation.columns(),
              (std::vector<Column>{{false, "name", {25}, -1}, {true, "id", {23}, 4}}));
    EXPECT_EQ(described.key, std::vector<std::size_t>{1});
    EXPECT_EQ(described.read_time_us, 7);
    EXPECT_TRUE(described.last);
    chunk.table.replica_identity = 'f';
    EXPECT_TRUE(snapshot_chunk(chunk, 7).relation.columns()[0].part_of_key);
    chunk.table.replica_identity = 'n';
    EXPECT_FALSE(snapshot_chunk(chunk, 7).relation.columns()[1].part_of_key);
}

// The extension's functions are stand-ins that show what has arrived.
class ChunkSourceTest : public postgres::testing::DatabaseTest {
 protected:
    void SetUp() override {
        DatabaseTest::SetUp();
        if (server_ == nullptr) {
            return;
        }
        sql("CREATE TABLE item (id int PRIMARY KEY, name text)");
        sql("INSERT INTO item VALUES (1, 'a'), (2, NULL), (3, 'c')");
        sql("CREATE PUBLICATION app FOR TABLE item");
    }
    void install() {
        sql("CREATE SCHEMA holdfast");
        sql("CREATE TABLE holdfast.arrived (text text)");
        sql("CREATE FUNCTION holdfast.snapshot_next(slot name, OUT snapshot_id bigint, "
            "OUT ordinal int, OUT schema_name name, OUT table_name name, OUT condition text, "
            "OUT last_key text[], OUT rows_sent bigint, OUT key_columns text[]) RETURNS SETOF "
            "record LANGUAGE sql AS "
            "$$ SELECT 7, 2, 'public', 'item', NULL, ARRAY['1', 'two \"quoted\"'], 5, ARRAY['a', "
            "'b, c'] "
            "WHERE slot = 'relay' $$");
        sql("CREATE FUNCTION holdfast.snapshot_progress(bigint, int, text[], bigint, boolean, "
            "text[]) "
            "RETURNS void LANGUAGE sql AS $$ INSERT INTO holdfast.arrived VALUES "
            "(concat_ws(' ', $1, $2, coalesce($3::text, 'null'), $4, $5)) $$");
        sql("CREATE FUNCTION holdfast.snapshot_end(bigint, text, text) RETURNS void LANGUAGE sql "
            "AS $$ INSERT INTO holdfast.arrived VALUES (concat_ws(' ', $1, $2, $3)) $$");
    }
    [[nodiscard]] ChunkSource source(const std::string& slot = "relay") const {
        return {options(), {.slot = slot, .publication = "app", .chunk_rows = 2}, clock};
    }
    std::string arrived() {
        return std::string(sql("SELECT string_agg(text, '|') FROM holdfast.arrived").text(0, 0));
    }

    test::ManualClock clock;
    capture::StreamedXids streamed;
    capture::SnapshotWork work{.snapshot_id = 7, .ordinal = 2, .schema = "public", .table = "item"};
};

TEST_F(ChunkSourceTest, HasNothingToDoWithoutTheExtension) {
    EXPECT_FALSE(source().next_work());
}

TEST_F(ChunkSourceTest, AsksTheExtensionAndTellsIt) {
    install();
    ChunkSource chunks = source();
    const std::optional<capture::SnapshotWork> next = chunks.next_work();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->snapshot_id, 7);
    EXPECT_EQ(next->ordinal, 2);
    EXPECT_EQ(next->schema + "." + next->table, "public.item");
    EXPECT_EQ(next->condition, "");
    EXPECT_EQ(next->last_key, (std::vector<std::string>{"1", "two \"quoted\""}));
    EXPECT_EQ(next->rows_sent, 5);
    EXPECT_EQ(next->key_columns, (std::vector<std::string>{"a", "b, c"}));
    EXPECT_FALSE(source("another").next_work());
    chunks.record_progress(*next, true);
    chunks.record_progress(work, false);
    chunks.fail(work, "for a reason");
    EXPECT_EQ(arrived(), "7 2 {1,\"two \\\"quoted\\\"\"} 5 t|7 2 null 0 f|7 FAILED for a reason");
}

TEST_F(ChunkSourceTest, PutsAWatermarkIntoTheStream) {
    sql("SELECT pg_create_logical_replication_slot('watermarks', 'test_decoding')");
    source().emit_watermark(work, "token");
    const postgres::Result stream =
        sql("SELECT data FROM pg_logical_slot_get_changes('watermarks', NULL, NULL) "
            "WHERE data LIKE 'message: transactional: 1 prefix: holdfast.snapshot%'");
    sql("SELECT pg_drop_replication_slot('watermarks')");
    ASSERT_EQ(stream.rows(), 1);
    EXPECT_TRUE(stream.text(0, 0).ends_with(
        R"(content:{"slot" : "relay", "snapshot_id" : 7, "watermark" : "token"})"))
        << stream.text(0, 0);
}

TEST_F(ChunkSourceTest, ReadsAChunkWithItsNullsAndTime) {
    const std::optional<capture::SnapshotChunk> chunk = source().read(work, streamed);
    ASSERT_TRUE(chunk);
    ASSERT_EQ(chunk->rows.count(), 2U);
    EXPECT_EQ(chunk->rows[0][1].bytes, "a");
    EXPECT_EQ(chunk->rows[1][1].kind, pgoutput::Value::Kind::kNull);
    EXPECT_EQ(chunk->last_key, std::vector<std::string>{"2"});
    EXPECT_EQ(chunk->read_time_us, clock.system_time().count());
}

TEST_F(ChunkSourceTest, ReadsNothingThatAStreamedTransactionWouldMakeOld) {
    postgres::Session other(options());
    other.exec("BEGIN");
    const auto xid = static_cast<std::uint32_t>(
        other.exec("SELECT pg_current_xact_id()::xid::text").int64(0, 0));
    ChunkSource chunks = source();
    EXPECT_TRUE(chunks.read(work, streamed)) << "nobody has streamed it";
    streamed.add(Xid{xid});
    EXPECT_FALSE(chunks.read(work, streamed));
    EXPECT_FALSE(chunks.horizon().sees(Xid{xid}));
    other.exec("COMMIT");
    EXPECT_TRUE(chunks.read(work, streamed));
    EXPECT_TRUE(chunks.horizon().sees(Xid{xid}));
}

TEST_F(ChunkSourceTest, WithStandbysWaitsForWhatMayHaveBeenStreamedBeforeItBegan) {
    install();
    sql("SET synchronous_commit = 'local'");
    const auto standbys_are = [this](const std::string& names) {
        sql("ALTER SYSTEM SET synchronous_standby_names = '" + names + "'");
        sql("SELECT pg_reload_conf()");
        while (postgres::Session(options()).exec("SHOW synchronous_standby_names").text(0, 0) !=
               names) {
        }
    };
    postgres::Session other(options());
    other.exec("SET synchronous_commit = 'local'");
    other.exec("BEGIN");
    other.exec("SELECT pg_current_xact_id()");
    standbys_are("nobody");
    const ScopeExit reset([&]() noexcept { standbys_are(""); });
    ChunkSource chunks = source();
    ASSERT_TRUE(chunks.next_work());
    EXPECT_FALSE(chunks.read(work, streamed));
    chunks.emit_watermark(work, "which no standby confirms");
    other.exec("COMMIT");
    EXPECT_TRUE(chunks.read(work, streamed));
    postgres::Session later(options());
    later.exec("BEGIN");
    later.exec("SELECT pg_current_xact_id()");
    EXPECT_TRUE(chunks.read(work, streamed)) << "its stream knows of all from now on";
    later.exec("ROLLBACK");
}

TEST_F(ChunkSourceTest, DoesNotTakeWhatAPolicyLeavesForAllThereIs) {
    sql("CREATE ROLE plain LOGIN");
    sql("GRANT SELECT ON item TO plain");
    sql("ALTER TABLE item ENABLE ROW LEVEL SECURITY");
    sql("CREATE POLICY newer ON item USING (id > 1)");
    postgres::ConnectOptions plain = options();
    plain.dsn += " user=plain";
    ChunkSource chunks(plain, {.slot = "relay", .publication = "app", .chunk_rows = 2}, clock);
    std::string reason;
    try {
        static_cast<void>(chunks.read(work, streamed));
    } catch (const capture::SnapshotError& error) {
        reason = error.what();
    }
    sql("DROP OWNED BY plain");
    sql("DROP ROLE plain");
    EXPECT_NE(reason.find("row-level security policy"), std::string::npos) << reason;
}

TEST_F(ChunkSourceTest, SaysWhatKindOfFailureItIs) {
    ChunkSource chunks = source();
    const auto failure = [&](const std::string& table, const std::string& condition) {
        work.table = table;
        work.condition = condition;
        try {
            static_cast<void>(chunks.read(work, streamed));
            return std::string("none");
        } catch (const capture::SnapshotError& error) {
            return std::string("snapshot: ") + error.what();
        } catch (const RetryableError& error) {
            return std::string("retry: ") + error.what();
        }
    };
    EXPECT_EQ(failure("gone", ""),
              "snapshot: relation \"public.gone\" does not exist (SQLSTATE 42P01)");
    EXPECT_EQ(failure("item", "name::int > 0"),
              "snapshot: a row cannot be read, or not by the condition (SQLSTATE 22P02)")
        << "without the value";
    // For a lock that is held, and not only as long as the source waits for one.
    sql("CREATE FUNCTION waits() RETURNS boolean LANGUAGE sql SET lock_timeout = 0 "
        "AS 'SELECT pg_advisory_lock(1) IS NOT NULL'");
    postgres::Session other(options());
    other.exec("SELECT pg_advisory_lock(1)");
    EXPECT_EQ(failure("item", "public.waits()"),
              "retry: canceling statement due to statement timeout (SQLSTATE 57014)");
    other.exec("BEGIN");
    other.exec("LOCK TABLE item IN ACCESS EXCLUSIVE MODE");
    EXPECT_EQ(failure("item", ""),
              "retry: canceling statement due to lock timeout (SQLSTATE 55P03)");
    other.exec("ROLLBACK");
    EXPECT_EQ(failure("item", ""), "none");
}

}  // namespace
}  // namespace holdfast::relay::adapters
