#include "snapshot/pipeline.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "capture/fakes.hpp"
#include "snapshot/fakes.hpp"
#include "support/manual_clock.hpp"

namespace holdfast::relay::snapshot {
namespace {

constexpr pgoutput::TypeId kInt4{23};
constexpr pgoutput::TypeId kText{25};

class SnapshotPipeline : public ::testing::Test {
 protected:
    /// A table of (id, name) with these rows; without a key when `key` is false.
    void table(const std::string& name, const std::vector<int>& ids, bool key = true) {
        const auto oid = static_cast<std::uint32_t>(16'384 + tables.size());
        for (const int id : ids) {
            database[oid].emplace_back(id, "row " + std::to_string(id));
        }
        database.try_emplace(oid);
        Table made{.ordinal = static_cast<int>(tables.size()) + 1,
                   .id = {oid},
                   .description = {.schema = "public",
                                   .name = name,
                                   .columns = {{.name = "id", .type = kInt4, .not_null = true},
                                               {.name = "name", .type = kText}},
                                   .key_columns = {},
                                   .types = {}},
                   .columns = {"id", "name"},
                   .key = {},
                   .after = std::nullopt};
        made.description.types.emplace(
            kInt4.value, debezium::TypeDescription{kInt4, "pg_catalog", "int4", 'b', 'N'});
        made.description.types.emplace(
            kText.value, debezium::TypeDescription{kText, "pg_catalog", "text", 'b', 'S'});
        if (key) {
            made.description.key_columns = {"id"};
            made.key = {0};
        }
        tables.push_back(std::move(made));
    }

    void start(std::size_t threads = 1) {
        options.connector.topic_prefix = "app";
        options.connector.database_name = "shop";
        options.connector.key_converter.schemas_enable = false;
        options.connector.value_converter.schemas_enable = false;
        options.lsn = Lsn{0x2000};
        options.xid = Xid{700};
        std::vector<RowSource*> sources;
        for (std::size_t i = 0; i < threads; ++i) {
            rows.push_back(std::make_unique<FakeRows>(database));
            sources.push_back(rows.back().get());
        }
        pipeline.emplace(sink, tables, sources, ledger, clock, metrics, options);
    }

    /// Everything to its end, Kafka answering at once.
    void finish() {
        for (int n = 0; n < 1'000 && !pipeline->done(); ++n) {
            pipeline->turn();
            sink.acknowledge_all();
        }
        EXPECT_TRUE(pipeline->done());
    }

    /// "a1:first b1:last": table, id and marker of each record.
    [[nodiscard]] std::string sent() const {
        std::string text;
        const auto part = [](const std::string& value, const std::string& before, char end) {
            const std::size_t begin = value.find(before) + before.size();
            return value.substr(begin, value.find(end, begin) - begin);
        };
        for (const auto& record : sink.sent) {
            text += (text.empty() ? "" : " ") + record.topic.substr(record.topic.rfind('.') + 1) +
                    part(record.value, R"("after":{"id":)", ',') + ":" +
                    part(record.value, R"("snapshot":")", '"');
        }
        return text;
    }

    FakeDatabase database;
    std::vector<Table> tables;
    std::vector<std::unique_ptr<FakeRows>> rows;
    capture::FakeSink sink;
    FakeLedger ledger;
    test::ManualClock clock;
    metrics::CaptureMetrics metrics;
    PipelineOptions options;
    std::optional<Pipeline> pipeline;
};

TEST_F(SnapshotPipeline, EachRowIsAReadEventWhereTheSnapshotWasTaken) {
    table("a", {7});
    start();
    finish();
    ASSERT_EQ(sink.sent.size(), 1U);
    EXPECT_EQ(sink.sent[0].topic, "app.public.a");
    EXPECT_EQ(sink.sent[0].key, R"({"id":7})");
    EXPECT_TRUE(sink.sent[0].value.starts_with(
        R"({"before":null,"after":{"id":7,"name":"row 7"},"source":{)"))
        << sink.sent[0].value;
    for (const char* part : {R"("sequence":"[null,\"8192\"]")", R"("txId":700,"lsn":8192)",
                             R"("transaction":null,"op":"r")"}) {
        EXPECT_NE(sink.sent[0].value.find(part), std::string::npos)
            << part << " in " << sink.sent[0].value;
    }
}

TEST_F(SnapshotPipeline, MarksTheFirstAndTheLastOfEachTableAndOfAll) {
    table("a", {1, 2, 3});
    table("b", {1, 2, 3});
    start();
    finish();
    EXPECT_EQ(sent(),
              "a1:first a2:true b1:first_in_data_collection b2:true "
              "a3:last_in_data_collection b3:last");
}

TEST_F(SnapshotPipeline, TheLastRowIsTheLastOfAllEvenWhenEmptyTablesComeBehindIt) {
    table("a", {});
    table("b", {1});
    table("c", {});
    start();
    finish();
    EXPECT_EQ(sent(), "b1:last");
    EXPECT_EQ(ledger.saved,
              (std::vector<std::string>{"a - 0 completed", "c - 0 completed", "b 1 1 completed"}));
}

TEST_F(SnapshotPipeline, ATableOfOneRowHasTheMarkOfItsEnd) {
    table("a", {1});
    table("b", {1});
    table("c", {1});
    start();
    finish();
    EXPECT_EQ(sent(), "a1:first b1:last_in_data_collection c1:last");
}

TEST_F(SnapshotPipeline, NothingAtAllIsDoneAtOnce) {
    start();
    EXPECT_TRUE(pipeline->done());
    table("a", {});
    start();
    finish();
    EXPECT_TRUE(sink.sent.empty());
}

TEST_F(SnapshotPipeline, ReadsInChunksAlongTheKey) {
    table("a", {1, 2, 3, 4, 5});
    options.chunk_rows = 2;
    start();
    finish();
    EXPECT_EQ(rows[0]->queries, (std::vector<std::string>{"a>/3", "a>2/3", "a>4/3"}));
    EXPECT_EQ(sent(), "a1:first a2:true a3:true a4:true a5:last");
}

TEST_F(SnapshotPipeline, CountsEachRowOnceThatItReads) {
    table("a", {1, 2, 3, 4, 5});
    table("b", {1}, false);
    options.chunk_rows = 2;
    start();
    finish();
    EXPECT_EQ(metrics.initial_snapshot_rows.value(), 6U) << "not those that end a chunk";
    EXPECT_EQ(metrics.incremental_snapshot_rows.value(), 0U);
}

TEST_F(SnapshotPipeline, AChunkThatEndsWithTheTableIsKnownToBeTheLast) {
    table("a", {1, 2, 3, 4});
    options.chunk_rows = 2;
    start();
    finish();
    EXPECT_EQ(rows[0]->queries, (std::vector<std::string>{"a>/3", "a>2/3"}));
    EXPECT_EQ(sent(), "a1:first a2:true a3:true a4:last");
}

TEST_F(SnapshotPipeline, ATableWithoutAKeyIsReadAsAWhole) {
    table("a", {1, 2, 3, 4}, false);
    options.chunk_rows = 2;
    start();
    finish();
    EXPECT_EQ(rows[0]->queries, (std::vector<std::string>{"a>/0"}));
    EXPECT_EQ(sink.sent.back().key, "(null)");
    EXPECT_EQ(ledger.saved.back(), "a - 4 completed");
}

TEST_F(SnapshotPipeline, SeveralTablesAreReadAtATime) {
    table("a", {1, 2});
    table("b", {1, 2});
    table("c", {1, 2});
    start(2);
    for (auto& source : rows) {
        source->readable = 0;
    }
    pipeline->turn();
    EXPECT_EQ(rows[0]->queries, (std::vector<std::string>{"a>/10241"}));
    EXPECT_EQ(rows[1]->queries, (std::vector<std::string>{"b>/10241"}));
    rows[1]->readable = SIZE_MAX;
    pipeline->turn();
    EXPECT_EQ(sent(), "b1:first c1:first_in_data_collection b2:last_in_data_collection")
        << "the second reader goes on with the third table while the first one waits";
    rows[0]->readable = SIZE_MAX;
    finish();
    EXPECT_EQ(sent(),
              "b1:first c1:first_in_data_collection b2:last_in_data_collection "
              "a1:first_in_data_collection c2:last_in_data_collection a2:last");
}

TEST_F(SnapshotPipeline, SavesWhatKafkaHasAndNothingMore) {
    table("a", {1, 2, 3, 4, 5});
    options.chunk_rows = 2;
    start();
    pipeline->turn();
    clock.advance(options.save_interval);
    pipeline->turn();
    EXPECT_TRUE(ledger.saved.empty());
    sink.acknowledge(0);
    sink.acknowledge(2);
    sink.acknowledge(3);
    clock.advance(options.save_interval);
    pipeline->turn();
    EXPECT_TRUE(ledger.saved.empty()) << "the second row is not in Kafka";
    sink.acknowledge(1);
    clock.advance(options.save_interval);
    pipeline->turn();
    EXPECT_EQ(ledger.saved, (std::vector<std::string>{"a 4 4"}));
    EXPECT_FALSE(pipeline->done());
    sink.acknowledge(4);
    pipeline->turn();
    EXPECT_EQ(ledger.saved, (std::vector<std::string>{"a 4 4", "a 5 5 completed"}));
    EXPECT_TRUE(pipeline->done());
}

TEST_F(SnapshotPipeline, SavesAtMostOnceInAnInterval) {
    std::vector<int> ids(100);
    std::iota(ids.begin(), ids.end(), 1);
    table("a", ids);
    options.chunk_rows = 2;
    sink.capacity = 10;
    start();
    finish();
    EXPECT_EQ(ledger.saved, (std::vector<std::string>{"a 100 100 completed"}));
}

TEST_F(SnapshotPipeline, GoesOnBehindTheRowsThatKafkaHas) {
    table("a", {1, 2, 3, 4, 5});
    tables[0].after = Key{"3"};
    tables[0].rows_sent = 3;
    start();
    finish();
    EXPECT_EQ(rows[0]->queries, (std::vector<std::string>{"a>3/10241"}));
    EXPECT_EQ(sent(), "a4:true a5:last");
    EXPECT_EQ(ledger.saved.back(), "a 5 5 completed");
}

TEST_F(SnapshotPipeline, StopsReadingAtTheBoundAndGoesOnWhenKafkaAnswers) {
    table("a", {1, 2, 3, 4, 5, 6});
    options.max_in_flight_bytes = 1;
    start();
    pipeline->turn();
    EXPECT_EQ(sent(), "a1:first");
    pipeline->turn();
    EXPECT_EQ(sink.sent.size(), 1U);
    sink.acknowledge_all();
    pipeline->turn();
    EXPECT_EQ(sent(), "a1:first a2:true");
    finish();
    EXPECT_EQ(sink.sent.size(), 6U);
}

TEST_F(SnapshotPipeline, RecordsLingerWhileMoreIsToComeAndNotAtTheEnd) {
    table("a", {1, 2, 3, 4, 5});
    start();
    rows[0]->readable = 3;
    pipeline->turn();
    EXPECT_EQ(sink.sent.size(), 3U);
    EXPECT_EQ(sink.sent_now, 0U);
    rows[0]->readable = SIZE_MAX;
    pipeline->turn();
    EXPECT_EQ(sink.sent.size(), 5U);
    EXPECT_EQ(sink.sent_now, 5U);
}

TEST_F(SnapshotPipeline, NothingLingersAtTheBound) {
    table("a", {1, 2, 3});
    options.max_in_flight_bytes = 1;
    start();
    pipeline->turn();
    EXPECT_EQ(sink.sent.size(), 1U);
    EXPECT_EQ(sink.sent_now, 1U);
}

TEST_F(SnapshotPipeline, AFullSinkLosesNothing) {
    table("a", {1, 2, 3, 4, 5});
    table("b", {1, 2});
    sink.capacity = 1;
    start(2);
    finish();
    EXPECT_EQ(sink.sent.size(), 7U);
    EXPECT_TRUE(sent().ends_with(":last")) << sent();
}

TEST_F(SnapshotPipeline, ALostConnectionEndsItAndWhatKafkaHadIsSaved) {
    table("a", {1, 2, 3, 4, 5});
    options.chunk_rows = 2;
    start();
    rows[0]->break_after = 5;  // with the row beyond the first chunk
    EXPECT_THROW(
        {
            while (true) {
                pipeline->turn();
                sink.acknowledge_all();
                clock.advance(options.save_interval);
            }
        },
        RetryableError);
    EXPECT_EQ(sent(), "a1:first a2:true a3:true a4:true");
}

TEST_F(SnapshotPipeline, ARecordThatKafkaRefusesEndsIt) {
    table("a", {1, 2});
    start();
    pipeline->turn();
    sink.fail(0, ExitCode::kTopicMissing, "unknown topic");
    try {
        pipeline->turn();
        FAIL();
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kTopicMissing);
    }
    EXPECT_TRUE(ledger.saved.empty());
}

TEST_F(SnapshotPipeline, AStopSavesTheChunksThatKafkaHas) {
    table("a", {1, 2, 3, 4, 5});
    options.chunk_rows = 2;
    sink.acknowledge_at_once = true;
    start();
    rows[0]->readable = 5;  // two of the second chunk: the third row was read beyond the first
    EventFd stop;
    stop.signal();
    EXPECT_FALSE(pipeline->run(stop));
    EXPECT_EQ(ledger.saved, (std::vector<std::string>{"a 2 2"}));
    EXPECT_EQ(sent().find("last"), std::string::npos) << sent();
}

TEST_F(SnapshotPipeline, RunsToTheEnd) {
    table("a", {1, 2, 3});
    sink.acknowledge_at_once = true;
    start();
    const EventFd stop;
    EXPECT_TRUE(pipeline->run(stop));
    EXPECT_EQ(sent(), "a1:first a2:true a3:last");
}

}  // namespace
}  // namespace holdfast::relay::snapshot
