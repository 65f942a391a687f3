// The pipeline with an incremental snapshot: rows of chunks among the events of the stream.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "capture/fakes.hpp"
#include "capture/incremental_snapshot.hpp"
#include "capture/pipeline.hpp"
#include "capture/snapshot_fakes.hpp"
#include "support/manual_clock.hpp"

namespace holdfast::relay::capture {
namespace {

using namespace std::chrono_literals;
using Calls = std::vector<std::string>;

constexpr std::uint32_t kTable = FakeChunkSource::kTable;
constexpr std::uint32_t kOther = 16'500;
constexpr std::uint32_t kMood = 16'481;

/// Text columns, as many as the relation has; counts how often it is asked.
class FakeCatalog final : public TableCatalog {
 public:
    debezium::TableDescription describe(const pgoutput::Relation& relation) override {
        ++asked;
        debezium::TableDescription table{.schema = std::string(relation.schema),
                                         .name = std::string(relation.name),
                                         .columns = {},
                                         .key_columns = key,
                                         .types = {}};
        for (const pgoutput::Column& column : relation.columns) {
            table.columns.push_back({.name = std::string(column.name), .type = column.type});
        }
        table.types[25] = {.id = {25}, .schema = "pg_catalog", .name = "text"};
        table.types[kMood] = {.id = {kMood},
                              .schema = "inventory",
                              .name = "mood",
                              .kind = 'e',
                              .category = 'E',
                              .labels = labels};
        return table;
    }
    std::vector<std::string> key{"id"};
    std::vector<std::string> labels{"sad"};
    int asked = 0;
};

class PipelineSnapshotTest : public testing::Test {
 protected:
    PipelineSnapshotTest() {
        log::set_level(log::Level::kError);
        options.gather_limit = options.fast_gather_limit = 0us;
        chunks.table = {row("1"), row("2"), row("3"), row("4"), row("5")};
    }
    ~PipelineSnapshotTest() override { log::set_level(log::Level::kInfo); }

    static test::Row row(const std::string& id, const std::string& name = "read") {
        return {id, "eu", name};
    }

    void start() {
        debezium::ConnectorOptions connector;
        connector.topic_prefix = "app";
        connector.database_name = "db";
        connector.table_include_list = {"inventory.customers"};
        connector.key_converter.schemas_enable = false;
        connector.value_converter.schemas_enable = false;
        connector.tombstones_on_delete = false;
        connector.skipped_operations = skipped;
        connector.skip_messages_without_change = skip_without_change;
        pipeline.emplace(sink, TranslatorOptions{.outboxes = {}, .connector = connector}, &catalog,
                         clock, metrics, options, nullptr, &snapshot);
        pipeline->attach(source);
        turn();
    }
    void turn() { pipeline->turn(); }
    /// Everything that was sent is in Kafka, and the pipeline knows.
    void acknowledge() {
        sink.acknowledge_all();
        turn();
    }

    void relation(const std::vector<test::ColumnSpec>& columns = {
                      {"id", 25, true}, {"region"}, {"name"}}) {
        source.frame(test::relation_frame(kTable, "inventory", "customers", columns));
    }
    void begin(std::uint32_t xid = 7) {
        end += 100;
        source.frame(test::begin_frame(end - 10, 0, xid), end - 10);
    }
    void commit() { source.frame(test::commit_frame(end - 10, end), end); }
    /// One transaction with these frames.
    void transaction(const std::vector<std::string>& frames, std::uint32_t xid = 7) {
        begin(xid);
        for (const std::string& frame : frames) {
            source.frame(frame, end - 50);
        }
        commit();
    }
    void message(const std::string& content, std::uint32_t xid = 7) {
        transaction({test::message_frame(true, end + 50, "holdfast.snapshot", content)}, xid);
    }
    /// The newest watermark comes back, and a turn reads it.
    void watermark() {
        message(chunks.watermarks.back());
        turn();
    }
    void ring(const std::string& action, std::uint32_t xid = 7) {
        message(R"({"slot":"relay","snapshot_id":7,"action":")" + action + "-snapshot\"}", xid);
    }

    /// Operation and key of each record: "r 1 c 2".
    [[nodiscard]] std::string sent() const {
        std::string text;
        for (const FakeSink::Sent& record : sink.sent) {
            const std::size_t operation = record.value.find(R"("op":")") + 6;
            const std::size_t key = record.key.find(R"(:")") + 2;
            text += (text.empty() ? "" : " ") + record.value.substr(operation, 1) + " " +
                    record.key.substr(key, record.key.find('"', key) - key);
        }
        return text;
    }

    std::string skipped = "none";  ///< skipped.operations
    bool skip_without_change = false;
    FakeSource source;
    FakeSink sink;
    test::ManualClock clock;
    metrics::CaptureMetrics metrics;
    PipelineOptions options;
    FakeCatalog catalog;
    FakeChunkSource chunks;
    IncrementalSnapshot snapshot{chunks, clock, metrics, "relay"};
    std::uint64_t end = 0;  ///< of the newest transaction
    std::optional<Pipeline> pipeline;
};

// ---- Chunks

TEST_F(PipelineSnapshotTest, SendsChunkAfterChunkInTheOrderOfTheKey) {
    start();
    EXPECT_EQ(chunks.calls, Calls{"read"});
    EXPECT_EQ(sent(), "") << "not before the watermark";
    watermark();
    EXPECT_EQ(sent(), "r 1 r 2");
    EXPECT_EQ(chunks.calls, Calls{"read"}) << "not before Kafka has them";
    acknowledge();
    EXPECT_EQ(chunks.calls, (Calls{"read", "progress 2 rows after 2", "read after 2"}));
    watermark();
    acknowledge();
    watermark();
    acknowledge();
    EXPECT_EQ(sent(), "r 1 r 2 r 3 r 4 r 5");
    EXPECT_EQ(chunks.last_call(), "progress 5 rows after 5, completed");
    EXPECT_EQ(pipeline->confirmed(), Lsn{end});
}

TEST_F(PipelineSnapshotTest, CountsTheRowsThatItReads) {
    start();
    EXPECT_EQ(metrics.incremental_snapshot_rows.value(), 2U);
    watermark();
    acknowledge();
    EXPECT_EQ(metrics.incremental_snapshot_rows.value(), 4U);
    EXPECT_EQ(metrics.initial_snapshot_rows.value(), 0U);
}

TEST_F(PipelineSnapshotTest, MarksTheRowsAsIncrementalAndWithoutAPosition) {
    start();
    watermark();
    const std::string& value = sink.sent.at(0).value;
    EXPECT_EQ(sink.sent[0].topic, "app.inventory.customers");
    EXPECT_NE(value.find(R"("after":{"id":"1","region":"eu","name":"read"})"), std::string::npos)
        << value;
    for (const char* part :
         {R"("snapshot":"incremental")", R"("txId":null)", R"("lsn":null)", R"("before":null)",
          R"("transaction":null)", R"("ts_ms":1700000000000)"}) {
        EXPECT_NE(value.find(part), std::string::npos) << part << " in " << value;
    }
}

TEST_F(PipelineSnapshotTest, FindsThatATableEndsWithAFullChunk) {
    chunks.table.resize(2);
    start();
    watermark();
    acknowledge();
    turn();
    EXPECT_EQ(chunks.calls, (Calls{"read", "progress 2 rows after 2", "read after 2",
                                   "progress 2 rows after 2, completed"}));
    EXPECT_EQ(chunks.watermarks.size(), 1U) << "nothing to watch over";
}

TEST_F(PipelineSnapshotTest, TheSlotIsNotConfirmedPastAWatermarkWhoseRowsAreUnderWay) {
    start();
    watermark();
    transaction({});
    turn();
    EXPECT_EQ(pipeline->confirmed(), Lsn{0});
    sink.acknowledge(0);
    turn();
    EXPECT_EQ(pipeline->confirmed(), Lsn{0});
    EXPECT_EQ(chunks.calls, Calls{"read"});
    sink.acknowledge(1);
    turn();
    EXPECT_EQ(pipeline->confirmed(), Lsn{end});
    EXPECT_EQ(chunks.calls.size(), 3U);
}

TEST_F(PipelineSnapshotTest, ProgressDoesNotWaitForWhatComesBehindTheWatermark) {
    start();
    watermark();
    relation();
    transaction({test::insert_frame(kTable, row("9"))});
    turn();
    sink.acknowledge(0);
    sink.acknowledge(1);
    turn();
    EXPECT_EQ(chunks.calls, (Calls{"read", "progress 2 rows after 2", "read after 2"}));
}

TEST_F(PipelineSnapshotTest, RowsWaitForAFullSinkLikeEvents) {
    sink.capacity = 1;
    start();
    watermark();
    EXPECT_EQ(sent(), "r 1");
    sink.acknowledge_all();
    turn();
    turn();
    EXPECT_EQ(sent(), "r 1 r 2");
}

TEST_F(PipelineSnapshotTest, ReadsNothingWhileTooMuchIsUnderWay) {
    options.max_in_flight_bytes = 1;
    chunks.lost = "not yet";
    start();
    relation();
    transaction({test::insert_frame(kTable, row("9"))});
    turn();
    clock.advance(1s);
    turn();
    EXPECT_TRUE(chunks.calls.empty());
    sink.acknowledge_all();
    turn();
    EXPECT_EQ(chunks.calls, Calls{"read"});
}

TEST_F(PipelineSnapshotTest, ReadsNothingWhileATransactionOfTheStreamIsOpen) {
    chunks.lost = "not yet";
    start();
    relation();
    begin();
    source.frame(test::insert_frame(kTable, row("9")), end - 50);
    turn();
    clock.advance(1s);
    turn();
    EXPECT_TRUE(chunks.calls.empty()) << "its other changes would drop rows, and these would not";
    commit();
    turn();
    EXPECT_EQ(chunks.calls, Calls{"read"});
}

// ---- What the stream changes meanwhile

TEST_F(PipelineSnapshotTest, ARowThatTheStreamInsertsUpdatesOrDeletesIsDropped) {
    chunks.chunk_rows = 10;
    start();
    relation();
    transaction({test::insert_frame(kTable, row("1", "new")),
                 test::update_frame(kTable, row("3", "new")),
                 test::delete_frame(kTable, {"5", std::nullopt, std::nullopt})});
    watermark();
    EXPECT_EQ(sent(), "c 1 u 3 d 5 r 2 r 4");
    acknowledge();
    EXPECT_EQ(chunks.last_call(), "progress 2 rows after 5, completed");
}

TEST_F(PipelineSnapshotTest, AKeyThatChangesDropsBothRows) {
    chunks.chunk_rows = 10;
    start();
    relation();
    transaction({test::update_frame(kTable, {"2", std::nullopt, std::nullopt}, row("4"))});
    watermark();
    EXPECT_EQ(sent(), "d 2 c 4 r 1 r 3 r 5");
}

TEST_F(PipelineSnapshotTest, AChangeThatMakesNoEventDropsNothing) {
    chunks.chunk_rows = 10;
    skipped = "c,u";
    start();
    relation();
    transaction({test::insert_frame(kTable, row("1")), test::update_frame(kTable, row("3")),
                 test::delete_frame(kTable, {"5", std::nullopt, std::nullopt})});
    watermark();
    EXPECT_EQ(sent(), "d 5 r 1 r 2 r 3 r 4");
}

TEST_F(PipelineSnapshotTest, AnUpdateThatChangesNothingThatIsSentDropsNothing) {
    skip_without_change = true;
    start();
    relation();
    transaction({test::update_frame(kTable, row("1"), row("1")),
                 test::update_frame(kTable, row("2"), row("2", "new"))});
    watermark();
    EXPECT_EQ(sent(), "u 2 r 1");
}

TEST_F(PipelineSnapshotTest, ATruncateDropsAllRowsOfItsTable) {
    start();
    relation();
    source.frame(test::relation_frame(kOther, "inventory", "other", {{"id", 25, true}}));
    transaction({test::truncate_frame({kOther})});
    watermark();
    EXPECT_EQ(sent(), "r 1 r 2") << "another table's";
    acknowledge();
    transaction({test::truncate_frame({kTable})});
    watermark();
    ASSERT_EQ(sink.sent.size(), 3U);
    EXPECT_NE(sink.sent[2].value.find(R"("op":"t")"), std::string::npos);
    acknowledge();
    EXPECT_EQ(chunks.calls[3], "progress 2 rows after 4");
}

TEST_F(PipelineSnapshotTest, WhatCameBeforeTheChunkWasReadOrAfterItsWatermarkDropsNothing) {
    chunks.paused = true;
    start();
    relation();
    transaction({test::update_frame(kTable, row("1"))});
    turn();
    chunks.paused = false;
    ring("resume");
    turn();
    message(chunks.watermarks.back());
    transaction({test::update_frame(kTable, row("2"))});
    turn();
    EXPECT_EQ(sent(), "u 1 r 1 r 2 u 2");
}

TEST_F(PipelineSnapshotTest, AChangeOfAnotherTableDropsNothing) {
    start();
    source.frame(test::relation_frame(kOther, "inventory", "other", {{"id", 25, true}}));
    transaction({test::insert_frame(kOther, {"1"})});
    watermark();
    EXPECT_EQ(sent(), "r 1 r 2");
}

TEST_F(PipelineSnapshotTest, AnUnchangedValueOutsideOfTheKeyDoesNotMatter) {
    start();
    relation();
    transaction({test::update_frame(kTable, {"1", test::kUnchanged, "new"})});
    watermark();
    EXPECT_EQ(sent(), "u 1 r 2");
}

TEST_F(PipelineSnapshotTest, AnUnchangedValueOfTheKeyIsThatOfTheOldRow) {
    start();
    relation();
    transaction({test::update_frame(kTable, {"2", std::nullopt, std::nullopt},
                                    {test::kUnchanged, "eu", "new"})});
    watermark();
    EXPECT_EQ(sent(), "u 2 r 1");
}

TEST_F(PipelineSnapshotTest, AChangeThatDoesNotTellItsKeyHasTheChunkReadAgain) {
    catalog.key = {"name"};
    start();
    relation();
    transaction({test::update_frame(kTable, {test::kUnchanged, "eu", "new"})});
    turn();
    EXPECT_EQ(chunks.calls, (Calls{"read", "read"}));
    message(chunks.watermarks.front());
    turn();
    EXPECT_EQ(sent(), "u new") << "the watermark of what was given up";
    watermark();
    EXPECT_EQ(sent(), "u new r read r read");
}

TEST_F(PipelineSnapshotTest, AKeyOfSeveralColumnsIsComparedWhole) {
    chunks.key = {1, 0};
    catalog.key = {"region", "id"};
    chunks.columns[1].part_of_key = true;
    chunks.chunk_rows = 3;
    // As one text, the first two would be the same.
    chunks.table = {{"2:3", "1", "a"}, {"3", "1:2", "b"}, {"1", "2", "c"}, {"1", "3", "d"}};
    start();
    relation(chunks.columns);
    transaction({test::update_frame(kTable, {"3", "1:2", "new"})});
    watermark();
    ASSERT_EQ(sink.sent.size(), 3U);
    EXPECT_EQ(sink.sent[1].key, R"({"region":"1","id":"2:3"})");
    EXPECT_EQ(sink.sent[2].key, R"({"region":"2","id":"1"})");
    acknowledge();
    EXPECT_EQ(chunks.last_call(), "read after 2 1");
}

// ---- Definitions

TEST_F(PipelineSnapshotTest, ATableThatTheStreamHasNotDescribedIsDescribedByTheChunk) {
    start();
    watermark();
    EXPECT_EQ(catalog.asked, 1);
    acknowledge();
    watermark();
    EXPECT_EQ(catalog.asked, 1) << "once is enough";
    relation();
    transaction({test::update_frame(kTable, row("1"))});
    turn();
    EXPECT_EQ(sent(), "r 1 r 2 r 3 r 4 u 1");
}

TEST_F(PipelineSnapshotTest, AChunkOfOlderColumnsThanTheStreamsIsReadAgain) {
    start();
    relation({{"id", 25, true}, {"region"}, {"name"}, {"age"}});
    transaction({test::insert_frame(kTable, {"9", "eu", "n", "18"})});
    message(chunks.watermarks.back());
    chunks.columns.push_back({"age"});
    for (test::Row& each : chunks.table) {
        each.emplace_back("18");
    }
    turn();
    EXPECT_EQ(sent(), "c 9");
    EXPECT_EQ(chunks.calls, (Calls{"read", "read"}));
    watermark();
    EXPECT_EQ(sent(), "c 9 r 1 r 2");
    EXPECT_NE(sink.sent[1].value.find(R"("age":"18")"), std::string::npos);
}

TEST_F(PipelineSnapshotTest, AChunkOfNewerColumnsThanTheStreamsIsComparedByTheirNames) {
    chunks.columns = {{"name"}, {"id", 25, true}};
    chunks.key = {1};
    chunks.table = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
    chunks.paused = true;
    start();
    relation({{"id", 25, true}, {"name"}});  // and what comes next was committed before the chunk
    transaction({test::insert_frame(kTable, {"7", "x"})});
    turn();
    chunks.paused = false;
    ring("resume");
    turn();
    transaction({test::update_frame(kTable, {"1", "b"})});
    watermark();
    EXPECT_EQ(sent(), "c 7 u 1 r 2");
    EXPECT_NE(sink.sent[2].value.find(R"("after":{"name":"b","id":"2"})"), std::string::npos);
}

TEST_F(PipelineSnapshotTest, TheStreamMayReachTheColumnsOfTheChunkInItsWindow) {
    chunks.columns = {{"name"}, {"id", 25, true}};
    chunks.key = {1};
    chunks.table = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
    chunks.chunk_rows = 3;
    chunks.paused = true;
    start();
    relation({{"id", 25, true}, {"name"}});
    turn();
    chunks.paused = false;
    ring("resume");
    turn();
    transaction({test::update_frame(kTable, {"1", "3"})});
    relation(chunks.columns);
    transaction({test::update_frame(kTable, {"3", "2"})});
    watermark();
    EXPECT_EQ(sent(), "u 1 u 2 r 3");
}

TEST_F(PipelineSnapshotTest, AnotherTableOfTheSameNameHasTheChunkReadAgain) {
    start();
    source.frame(test::relation_frame(kOther, "inventory", "customers",
                                      {{"id", 25, true}, {"region"}, {"name"}}));
    transaction({test::insert_frame(kOther, row("1", "new"))});
    watermark();
    EXPECT_EQ(sent(), "c 1") << "the rows of the chunk are older";
}

TEST_F(PipelineSnapshotTest, ARowWithANewLabelHasItsTableDescribedAgain) {
    chunks.columns[2].type = kMood;
    chunks.table = {row("1", "sad"), row("2", "happy")};
    chunks.paused = true;
    start();
    relation(chunks.columns);
    turn();
    catalog.labels.emplace_back("happy");
    chunks.paused = false;
    ring("resume");
    turn();
    watermark();
    EXPECT_EQ(sent(), "r 1 r 2");
    EXPECT_EQ(catalog.asked, 2);
}

// ---- Crashes and broken connections

TEST_F(PipelineSnapshotTest, AWatermarkOfAnotherProcessMeansNothing) {
    start();
    message(R"({"slot":"relay","snapshot_id":7,"watermark":"of the process before"})");
    message(R"({"slot":"another","snapshot_id":7,"watermark":"whatever"})");
    turn();
    EXPECT_EQ(sent(), "");
    watermark();
    EXPECT_EQ(sent(), "r 1 r 2");
}

TEST_F(PipelineSnapshotTest, ANewStreamReadsTheChunkOfTheOldOneAgain) {
    start();
    const std::string old = chunks.watermarks.back();
    pipeline->attach(source);
    message(old);
    turn();
    EXPECT_EQ(sent(), "");
    EXPECT_EQ(chunks.calls, (Calls{"read", "read"}));
    watermark();
    EXPECT_EQ(sent(), "r 1 r 2");
}

TEST_F(PipelineSnapshotTest, WhatWasSentWholeCountsInTheNextStreamToo) {
    start();
    watermark();
    pipeline->attach(source);
    turn();
    EXPECT_EQ(chunks.calls, Calls{"read"});
    acknowledge();
    EXPECT_EQ(chunks.calls, (Calls{"read", "progress 2 rows after 2", "read after 2"}));
}

TEST_F(PipelineSnapshotTest, ATransactionThatBrokeOffBehindTheWatermarkDoesNotCount) {
    start();
    begin();
    source.frame(test::message_frame(true, end - 50, "holdfast.snapshot", chunks.watermarks[0]));
    turn();
    EXPECT_EQ(sent(), "r 1 r 2");
    pipeline->attach(source);
    acknowledge();
    EXPECT_EQ(chunks.calls, (Calls{"read", "read"}));
    EXPECT_EQ(pipeline->confirmed(), Lsn{0});
}

TEST_F(PipelineSnapshotTest, ANewPipelineReadsAgainWhatTheOldOneMayHaveLost) {
    start();
    watermark();
    start();
    EXPECT_EQ(chunks.calls, (Calls{"read", "read"}));
}

TEST_F(PipelineSnapshotTest, ADatabaseThatDoesNotAnswerIsAskedAgainAfterAPause) {
    chunks.lost = "the connection is lost";
    start();
    EXPECT_TRUE(chunks.calls.empty());
    relation();
    transaction({test::insert_frame(kTable, row("9"))});
    turn();
    EXPECT_EQ(sent(), "c 9") << "the stream goes on";
    acknowledge();
    clock.advance(200ms);
    turn();
    EXPECT_EQ(chunks.calls, Calls{"read"});
    watermark();
    chunks.lost = "lost again, before progress is kept";
    acknowledge();
    EXPECT_EQ(chunks.calls, Calls{"read"});
    clock.advance(1s);
    turn();
    EXPECT_EQ(chunks.calls, (Calls{"read", "progress 2 rows after 2", "read after 2"}));
}

TEST_F(PipelineSnapshotTest, ProgressIsKeptInADrainAndNoMoreIsRead) {
    start();
    watermark();
    pipeline->begin_drain();
    acknowledge();
    EXPECT_EQ(chunks.calls, (Calls{"read", "progress 2 rows after 2"}));
    EXPECT_TRUE(pipeline->settled());
}

// ---- What is not visible yet

TEST_F(PipelineSnapshotTest, ReadsWhenAllThatWasStreamedIsVisible) {
    chunks.paused = true;
    start();
    relation();
    transaction({test::insert_frame(kTable, row("1"))}, 500);
    turn();
    chunks.paused = false;
    chunks.now.in_progress = {500};  // it waits for a standby
    ring("execute");
    turn();
    EXPECT_EQ(chunks.calls, Calls{"read too early"});
    EXPECT_LE(pipeline->turn().timeout, 1s) << "and will look again";
    clock.advance(1s);
    turn();
    EXPECT_EQ(chunks.calls, (Calls{"read too early", "read too early"}));
    chunks.now.in_progress.clear();
    clock.advance(1s);
    turn();
    EXPECT_EQ(chunks.last_call(), "read");
}

TEST_F(PipelineSnapshotTest, ARequestThatIsNotVisibleYetIsWaitedFor) {
    chunks.paused = true;  // as it looks to the relay
    start();
    chunks.now = {.xmax = 900, .in_progress = {800}};
    ring("execute", 800);
    turn();
    EXPECT_TRUE(chunks.calls.empty());
    chunks.paused = false;
    chunks.now.in_progress.clear();
    clock.advance(1s);
    turn();
    EXPECT_EQ(chunks.calls, Calls{"read"});
}

// ---- Requests

TEST_F(PipelineSnapshotTest, IsIdleUntilItIsRungFor) {
    chunks.paused = true;
    start();
    chunks.paused = false;
    clock.advance(24h);
    turn();
    EXPECT_TRUE(chunks.calls.empty()) << "an idle relay does not ask";
    ring("execute");
    turn();
    EXPECT_EQ(chunks.calls, Calls{"read"});
}

TEST_F(PipelineSnapshotTest, APauseInTheMiddleOfAChunkTakesItToItsEnd) {
    start();
    chunks.paused = true;
    ring("pause");
    watermark();
    acknowledge();
    EXPECT_EQ(sent(), "r 1 r 2");
    EXPECT_EQ(chunks.calls, (Calls{"read", "progress 2 rows after 2"}));
    chunks.paused = false;
    ring("resume");
    turn();
    EXPECT_EQ(chunks.last_call(), "read after 2");
}

TEST_F(PipelineSnapshotTest, AStopInTheMiddleOfAChunkDropsIt) {
    start();
    chunks.completed = true;
    ring("stop");
    watermark();
    EXPECT_EQ(sent(), "");
    EXPECT_EQ(chunks.calls, Calls{"read"});
}

TEST_F(PipelineSnapshotTest, AStopOfAnotherSnapshotDropsNothing) {
    start();
    message(R"({"slot":"relay","snapshot_id":8,"action":"stop-snapshot"})");
    message(R"({"slot":"another","snapshot_id":7,"action":"stop-snapshot"})");
    watermark();
    EXPECT_EQ(sent(), "r 1 r 2");
}

TEST_F(PipelineSnapshotTest, ASnapshotThatCannotGoOnFailsAndTheStreamGoesOn) {
    chunks.refused = "the table has no key";
    start();
    EXPECT_EQ(chunks.calls,
              Calls{"snapshot 7 failed at inventory.customers: the table has no key"});
    relation();
    transaction({test::insert_frame(kTable, row("9"))});
    turn();
    EXPECT_EQ(sent(), "c 9");
}

TEST_F(PipelineSnapshotTest, ATableThatGetsAnotherKeyFails) {
    start();
    watermark();
    chunks.key = {2};
    acknowledge();
    EXPECT_EQ(chunks.last_call(),
              "snapshot 7 failed at inventory.customers: the key of table inventory.customers is "
              "not what it was when the snapshot began: ask for it again");
    EXPECT_EQ(sent(), "r 1 r 2");
}

TEST_F(PipelineSnapshotTest, ATableWhoseKeyGetsAnotherOrderFails) {
    start();
    watermark();
    chunks.key_type = "integer";
    acknowledge();
    EXPECT_EQ(
        chunks.last_call(),
        "snapshot 7 failed at inventory.customers: the key of table inventory.customers is not "
        "what it was when the snapshot began: ask for it again");
}

TEST_F(PipelineSnapshotTest, AKeyIsComparedWithTheOneThatAnEarlierProcessNoted) {
    chunks.kept.last_key = {"2"};
    chunks.kept.key_columns = {"id integer"};
    start();
    EXPECT_EQ(
        chunks.last_call(),
        "snapshot 7 failed at inventory.customers: the key of table inventory.customers is not "
        "what it was when the snapshot began: ask for it again");
}

TEST_F(PipelineSnapshotTest, ATableThatIsNotCapturedFails) {
    chunks.kept.table = "secrets";
    start();
    EXPECT_EQ(
        chunks.last_call(),
        "snapshot 7 failed at inventory.secrets: table inventory.secrets is not captured: "
        "see the lists in [connector]; an outbox has no snapshot, because its rows are events "
        "already");
}

TEST_F(PipelineSnapshotTest, MessagesAboutSnapshotsAreNoEvents) {
    chunks.paused = true;
    start();
    ring("execute");
    message("not JSON at all");
    source.frame(test::message_frame(false, end + 50, "holdfast.snapshot", "{}"), end + 50);
    transaction({test::message_frame(true, end + 50, "another prefix", "{}")});
    turn();
    ASSERT_EQ(sink.sent.size(), 1U);
    EXPECT_EQ(sink.sent[0].topic, "app.message");
}

}  // namespace
}  // namespace holdfast::relay::capture
