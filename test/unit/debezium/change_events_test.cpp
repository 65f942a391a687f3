#include "debezium/change_events.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.hpp"
#include "debezium/change_stream.hpp"

namespace holdfast::relay::debezium {
namespace {

using test::ChangeStream;
using test::customers;
using test::kUnchanged;
using test::plain_options;
using test::TestTable;
using Lines = std::vector<std::string>;

/// What differs between the sources of the tests.
struct Source {
    std::string sequence = R"([\"22335864\",\"22336112\"])";
    std::string lsn = "22336112";
    std::string xid = "732";
    std::string table = R"("schema":"inventory","table":"customers")";
    std::string snapshot = R"("false")";
    std::string version = "3.7.0.Final";
    std::string time_ms = "1700000000123";
    std::string time_us = "1700000000123456";
    std::string origin = R"("origin":null,"origin_lsn":null)";
};

std::string source(const Source& s = {}) {
    return R"({"version":")" + s.version + R"(","connector":"postgresql","name":"app","ts_ms":)" +
           s.time_ms + R"(,"snapshot":)" + s.snapshot + R"(,"db":"shop","sequence":")" +
           s.sequence + R"(","ts_us":)" + s.time_us + R"(,"ts_ns":)" + s.time_us + "000," +
           s.table + R"(,"txId":)" + s.xid + R"(,"lsn":)" + s.lsn + R"(,"xmin":null,)" + s.origin +
           "}";
}

constexpr std::string_view kTimes =
    R"("ts_ms":1700000000200,"ts_us":1700000000200789,"ts_ns":1700000000200789000})";

std::string value(char operation, const std::string& before, const std::string& after,
                  const Source& s = {}, const std::string& transaction = "null") {
    return R"({"before":)" + before + R"(,"after":)" + after + R"(,"source":)" + source(s) +
           R"(,"transaction":)" + transaction + R"(,"op":")" + operation + "\"," +
           std::string(kTimes);
}

/// A stream with the table of the worked example, in transaction 732 after one that ended at
/// 22335864.
class Customers : public ChangeStream {
 public:
    explicit Customers(const ConnectorOptions& options = plain_options(),
                       const TestTable& table = customers())
        : ChangeStream(options) {
        events.resume_from({22'335'864});
        bind(table);
        begin();
    }
};

ExitCode exit_code(const std::function<void()>& call, std::string_view part) {
    try {
        call();
    } catch (const FatalError& error) {
        EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos)
            << error.what();
        return error.code();
    }
    return ExitCode::kOk;
}

/// The row of most tests.
std::string ann() {
    return R"({"id":1,"name":"Ann","balance":"BNI="})";
}

TEST(ChangeEvents, InsertIsTheWorkedExample) {
    Customers stream;
    EXPECT_EQ(stream.insert({"1", "Ann", "12.34"}),
              Lines{"app.inventory.customers {\"id\":1} " + value('c', "null", ann())});
}

TEST(ChangeEvents, SchemasAreTheWorkedExample) {
    ConnectorOptions options = plain_options();
    options.key_converter.schemas_enable = true;
    options.value_converter.schemas_enable = true;
    Customers stream(options);
    const std::string row =
        R"({"type":"struct","fields":[{"type":"int32","optional":false,"default":0,"field":"id"},)"
        R"({"type":"string","optional":false,"field":"name"},)"
        R"({"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal",)"
        R"("version":1,"parameters":{"scale":"2","connect.decimal.precision":"10"},)"
        R"("field":"balance"}],"optional":true,"name":"app.inventory.customers.Value","field":)";
    const std::string schema =
        R"({"type":"struct","fields":[)" + row + R"("before"},)" + row + R"("after"},)" +
        R"({"type":"struct","fields":[{"type":"string","optional":false,"field":"version"},)"
        R"({"type":"string","optional":false,"field":"connector"},)"
        R"({"type":"string","optional":false,"field":"name"},)"
        R"({"type":"int64","optional":false,"field":"ts_ms"},)"
        R"({"type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,)"
        R"("parameters":{"allowed":"true,first,first_in_data_collection,)"
        R"(last_in_data_collection,last,false,incremental"},"default":"false",)"
        R"("field":"snapshot"},{"type":"string","optional":false,"field":"db"},)"
        R"({"type":"string","optional":true,"field":"sequence"},)"
        R"({"type":"int64","optional":true,"field":"ts_us"},)"
        R"({"type":"int64","optional":true,"field":"ts_ns"},)"
        R"({"type":"string","optional":false,"field":"schema"},)"
        R"({"type":"string","optional":false,"field":"table"},)"
        R"({"type":"int64","optional":true,"field":"txId"},)"
        R"({"type":"int64","optional":true,"field":"lsn"},)"
        R"({"type":"int64","optional":true,"field":"xmin"},)"
        R"({"type":"string","optional":true,"field":"origin"},)"
        R"({"type":"int64","optional":true,"field":"origin_lsn"}],"optional":false,)"
        R"("name":"io.debezium.connector.postgresql.Source","version":1,"field":"source"},)"
        R"({"type":"struct","fields":[{"type":"string","optional":false,"field":"id"},)"
        R"({"type":"int64","optional":false,"field":"total_order"},)"
        R"({"type":"int64","optional":false,"field":"data_collection_order"}],)"
        R"("optional":true,"name":"event.block","version":1,"field":"transaction"},)"
        R"({"type":"string","optional":false,"field":"op"},)"
        R"({"type":"int64","optional":true,"field":"ts_ms"},)"
        R"({"type":"int64","optional":true,"field":"ts_us"},)"
        R"({"type":"int64","optional":true,"field":"ts_ns"}],"optional":false,)"
        R"("name":"app.inventory.customers.Envelope","version":2})";
    EXPECT_EQ(stream.insert({"1", "Ann", "12.34"}),
              Lines{"app.inventory.customers "
                    R"({"schema":{"type":"struct","fields":[{"type":"int32","optional":false,)"
                    R"("default":0,"field":"id"}],"optional":false,)"
                    R"("name":"app.inventory.customers.Key"},"payload":{"id":1}} {"schema":)" +
                    schema + ",\"payload\":" + value('c', "null", ann()) + "}"});
}

TEST(ChangeEvents, SchemasOfKeyAndValueAreSwitchedApart) {
    ConnectorOptions options = plain_options();
    options.key_converter.schemas_enable = true;
    Customers stream(options);
    const std::string line = stream.insert({"1", "Ann", "12.34"}).front();
    EXPECT_TRUE(line.starts_with("app.inventory.customers {\"schema\":"));
    EXPECT_TRUE(line.ends_with("\"payload\":{\"id\":1}} " + value('c', "null", ann())));
}

TEST(ChangeEvents, UpdateWithoutOldRowHasNoBefore) {
    Customers stream;
    EXPECT_EQ(stream.update(std::nullopt, {"1", "Ann", "12.34"}),
              Lines{"app.inventory.customers {\"id\":1} " + value('u', "null", ann())});
}

TEST(ChangeEvents, UpdateWithFullIdentityHasBoth) {
    Customers stream;
    EXPECT_EQ(stream.update(test::Row{"1", "Bob", std::nullopt}, {"1", "Ann", "12.34"}, 'O'),
              Lines{"app.inventory.customers {\"id\":1} " +
                    value('u', R"({"id":1,"name":"Bob","balance":null})", ann())});
}

TEST(ChangeEvents, ChangedKeyBecomesDeletionTombstoneAndCreation) {
    ConnectorOptions options = plain_options();
    options.extended_headers_enabled = true;
    Customers stream(options);
    const std::string context =
        " __debezium.context.connectorLogicalName=app __debezium.context.taskId=0"
        " __debezium.context.connectorName=postgresql __debezium.context.runId=0b3f3c1e-run";
    const std::string filled = R"({"id":1,"name":"","balance":null})";
    EXPECT_EQ(
        stream.update(test::Row{"1", std::nullopt, std::nullopt}, {"11", "Ann", "12.34"}),
        (Lines{"app.inventory.customers {\"id\":1} " + value('d', filled, "null") +
                   " __debezium.newkey={\"id\":11}" + context,
               "app.inventory.customers {\"id\":1} (null) __debezium.newkey={\"id\":11}" + context,
               "app.inventory.customers {\"id\":11} " +
                   value('c', "null", R"({"id":11,"name":"Ann","balance":"BNI="})") +
                   " __debezium.oldkey={\"id\":1}" + context}));
}

TEST(ChangeEvents, SkippedDeletionLeavesTheCreationOfAChangedKey) {
    ConnectorOptions options = plain_options();
    options.skipped_operations = "d,t";
    Customers stream(options);
    const Lines lines =
        stream.update(test::Row{"1", std::nullopt, std::nullopt}, {"11", "Ann", "12.34"});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_TRUE(lines.front().starts_with("app.inventory.customers {\"id\":11} "));
    EXPECT_EQ(stream.remove({"1", std::nullopt, std::nullopt}), Lines{});
}

TEST(ChangeEvents, DeletionFillsWhatTheKeyTupleLacksAndIsFollowedByATombstone) {
    Customers stream;
    EXPECT_EQ(stream.remove({"1", std::nullopt, std::nullopt}),
              (Lines{"app.inventory.customers {\"id\":1} " +
                         value('d', R"({"id":1,"name":"","balance":null})", "null"),
                     "app.inventory.customers {\"id\":1} (null)"}));
}

TEST(ChangeEvents, TombstonesCanBeSwitchedOff) {
    ConnectorOptions options = plain_options();
    options.tombstones_on_delete = false;
    Customers stream(options);
    EXPECT_EQ(stream.remove({"1", std::nullopt, std::nullopt}).size(), 1U);
    EXPECT_EQ(stream.update(test::Row{"1", std::nullopt, std::nullopt}, {"2", "A", "1.00"}).size(),
              2U);
}

TEST(ChangeEvents, KeylessTableHasNullKeysAndStillTombstones) {
    TestTable table = customers();
    table.key.clear();
    Customers stream(plain_options(), table);
    const Lines lines = stream.remove({"1", "Ann", "12.34"});
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0], "app.inventory.customers (null) " + value('d', ann(), "null"));
    EXPECT_EQ(lines[1], "app.inventory.customers (null) (null)");
    EXPECT_EQ(stream.update(test::Row{"1", "Ann", "12.34"}, {"2", "Ann", "12.34"}, 'O').size(), 1U);
}

TEST(ChangeEvents, TruncateIsSkippedByDefaultAndHasNoKey) {
    Customers silent;
    EXPECT_EQ(silent.truncate({16'400}), Lines{});

    ConnectorOptions options = plain_options();
    options.skipped_operations = "none";
    Customers stream(options);
    TestTable other = customers();
    other.name = "orders";
    other.oid = 16'500;
    stream.bind(other);
    const Lines lines = stream.truncate({16'500, 99, 16'400});
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0], "app.inventory.orders (null) " +
                            value('t', "null", "null",
                                  {.table = R"("schema":"inventory","table":"orders")"}));
    EXPECT_EQ(lines[1], "app.inventory.customers (null) " + value('t', "null", "null"));
}

TEST(ChangeEvents, RowsWithoutColumnsAreNoEvents) {
    TestTable table = customers();
    table.columns.clear();
    table.key.clear();
    Customers stream(plain_options(), table);
    EXPECT_EQ(stream.insert({}), Lines{});
    EXPECT_EQ(stream.update(std::nullopt, {}), Lines{});
    EXPECT_EQ(stream.remove({}), Lines{});
}

TEST(ChangeEvents, NullBecomesTheDefaultOfItsColumn) {
    TestTable table = customers();
    table.columns.push_back({"level", test::kInt4, false, "5"});
    Customers stream(plain_options(), table);
    EXPECT_TRUE(stream.insert({"1", "Ann", "12.34", std::nullopt})
                    .front()
                    .find(R"("balance":"BNI=","level":5},"source")") != std::string::npos);

    ConnectorOptions options = plain_options();
    options.value_converter.replace_null_with_default = false;
    Customers plain(options, table);
    EXPECT_EQ(plain.insert({"1", "Ann", "12.34", std::nullopt}),
              Lines{"app.inventory.customers {\"id\":1} " +
                    value('c', "null", R"({"id":1,"name":"Ann","balance":"BNI=","level":null})",
                          {.snapshot = "null"})});
}

TEST(ChangeEvents, UnchangedToastIsAPlaceholderUnlessTheOldRowHasIt) {
    Customers stream;
    EXPECT_EQ(stream.update(std::nullopt, {"1", kUnchanged, "12.34"}),
              Lines{"app.inventory.customers {\"id\":1} " +
                    value('u', "null",
                          R"({"id":1,"name":"__debezium_unavailable_value","balance":"BNI="})")});
    EXPECT_EQ(stream.update(test::Row{"1", "Ann", "12.34"}, {"1", kUnchanged, "12.34"}, 'O'),
              Lines{"app.inventory.customers {\"id\":1} " + value('u', ann(), ann())});
}

TEST(ChangeEvents, KeyFollowsTheConstraintAndTheOption) {
    TestTable table = customers();
    table.key = {"name", "id"};
    Customers stream(plain_options(), table);
    EXPECT_TRUE(stream.insert({"1", "Ann", "12.34"})
                    .front()
                    .starts_with(R"(app.inventory.customers {"name":"Ann","id":1} )"));

    ConnectorOptions options = plain_options();
    options.message_key_columns = "inventory\\.customers:balance,NAME;other.table:x";
    Customers custom(options, table);
    EXPECT_TRUE(custom.insert({"1", "Ann", "12.34"})
                    .front()
                    .starts_with(R"(app.inventory.customers {"balance":"BNI=","name":"Ann"} )"));
}

TEST(ChangeEvents, KeyColumnOfTheOptionThatIsNotThereIsAHalt) {
    ConnectorOptions options = plain_options();
    options.message_key_columns = "inventory.customers:nope";
    ChangeStream stream(options);
    EXPECT_EQ(exit_code([&] { stream.bind(customers()); },
                        "table inventory.customers publishes no column nope"),
              ExitCode::kConfig);
}

TEST(ChangeEvents, ExcludedColumnsAreInTheKeyOnly) {
    ConnectorOptions options = plain_options();
    options.column_exclude_list = {"inventory\\.customers\\.id", ".*\\.BALANCE"};
    Customers stream(options);
    EXPECT_EQ(stream.insert({"1", "Ann", "12.34"}), Lines{"app.inventory.customers {\"id\":1} " +
                                                          value('c', "null", R"({"name":"Ann"})")});
}

TEST(ChangeEvents, AKeyColumnThatTheListsLeaveOutIsOptionalInTheKey) {
    ConnectorOptions options = plain_options();
    options.key_converter.schemas_enable = true;
    options.column_include_list = {"inventory.customers.name"};
    TestTable table = customers();
    table.key = {"id", "name"};
    table.columns[0].default_expression = "7";
    Customers stream(options, table);
    EXPECT_EQ(stream.insert({"1", "Ann", "12.34"}),
              Lines{R"(app.inventory.customers {"schema":{"type":"struct","fields":[)"
                    R"({"type":"int32","optional":true,"field":"id"},)"
                    R"({"type":"string","optional":false,"field":"name"}],"optional":false,)"
                    R"("name":"app.inventory.customers.Key"},"payload":{"id":1,"name":"Ann"}} )" +
                    value('c', "null", R"({"name":"Ann"})")});
}

TEST(ChangeEvents, ColumnsOfUnsupportedTypesAreLeftOut) {
    TestTable table = customers();
    table.columns.insert(table.columns.begin(), {"search", test::kTsquery});
    Customers stream(plain_options(), table);
    EXPECT_EQ(stream.insert({"'a' & 'b'", "1", "Ann", "12.34"}),
              Lines{"app.inventory.customers {\"id\":1} " + value('c', "null", ann())});
}

TEST(ChangeEvents, UpdateWithoutChangeCanBeSkipped) {
    ConnectorOptions options = plain_options();
    options.skip_messages_without_change = true;
    options.column_exclude_list = {"inventory.customers.balance"};
    Customers stream(options);
    EXPECT_EQ(stream.update(test::Row{"1", "Ann", "1.00"}, {"1", "Ann", "2.00"}, 'O'), Lines{});
    EXPECT_EQ(stream.update(test::Row{"1", "Ann", "1.00"}, {"1", "Bob", "1.00"}, 'O').size(), 1U);
    EXPECT_EQ(stream.update(std::nullopt, {"1", "Ann", "1.00"}).size(), 1U);
}

TEST(ChangeEvents, ANullAndItsDefaultAreDifferentValues) {
    ConnectorOptions options = plain_options();
    options.skip_messages_without_change = true;
    TestTable table = customers();
    table.columns[2] = {"balance", test::kInt4, false, "5"};
    Customers stream(options, table);
    EXPECT_EQ(stream.update(test::Row{"1", "Ann", std::nullopt}, {"1", "Ann", "5"}, 'O').size(),
              1U);
}

TEST(ChangeEvents, ValueThatCannotBeConvertedIsUnsetOrAHalt) {
    Customers stream;
    EXPECT_EQ(stream.insert({"1", "Ann", "NaN"}),
              Lines{"app.inventory.customers {\"id\":1} " +
                    value('c', "null", R"({"id":1,"name":"Ann","balance":null})")});

    ConnectorOptions options = plain_options();
    options.event_converting_failure_handling_mode = ConversionFailure::kFail;
    Customers strict(options);
    EXPECT_EQ(exit_code(
                  [&] {
                      strict.insert({"1", "Ann", "NaN"});
                  },
                  "the change at 0/154D270 of inventory.customers cannot become an event: "
                  "column balance: "),
              ExitCode::kMalformedEvent);
}

TEST(ChangeEvents, ValueThatCannotBeConvertedIsAHaltWhereNoNullCanBe) {
    TestTable table = customers();
    table.columns[2].not_null = true;
    Customers stream(plain_options(), table);
    EXPECT_EQ(exit_code(
                  [&] {
                      stream.insert({"1", "Ann", "NaN"});
                  },
                  "column balance"),
              ExitCode::kMalformedEvent);
    EXPECT_EQ(exit_code(
                  [&] {
                      stream.insert({"x", "Ann", "1.00"});
                  },
                  "key column id"),
              ExitCode::kMalformedEvent);
}

TEST(ChangeEvents, RowOfAnotherWidthIsAHalt) {
    Customers stream;
    EXPECT_EQ(exit_code(
                  [&] {
                      stream.insert({"1", "Ann"});
                  },
                  "has 2 columns"),
              ExitCode::kInternal);
    EXPECT_EQ(exit_code([&] { stream.insert({"1"}, 1, 5); }, "relation 5"), ExitCode::kInternal);
}

TEST(ChangeEvents, SequenceHasTheEndOfTheTransactionBefore) {
    ChangeStream stream(plain_options());
    stream.bind(customers());
    stream.begin();
    EXPECT_EQ(stream.insert({"1", "Ann", "12.34"}),
              Lines{"app.inventory.customers {\"id\":1} " +
                    value('c', "null", ann(), {.sequence = R"([null,\"22336112\"])"})});
    stream.commit(22'336'400);
    stream.begin(733);
    EXPECT_EQ(stream.insert({"1", "Ann", "12.34"}, 22'336'500),
              Lines{"app.inventory.customers {\"id\":1} " +
                    value('c', "null", ann(),
                          {.sequence = R"([\"22336400\",\"22336500\"])",
                           .lsn = "22336500",
                           .xid = "733"})});
}

TEST(ChangeEvents, OriginLastsUntilTheNextTransaction) {
    Customers stream;
    stream.events.origin({.commit_lsn = {77}, .name = "pg \"east\""});
    EXPECT_EQ(
        stream.insert({"1", "Ann", "12.34"}),
        Lines{"app.inventory.customers {\"id\":1} " +
              value('c', "null", ann(), {.origin = R"("origin":"pg \"east\"","origin_lsn":77)"})});
    stream.commit(22'336'400);
    stream.begin();
    EXPECT_NE(stream.insert({"1", "Ann", "12.34"}).front().find(R"("origin":null)"),
              std::string::npos);
}

TEST(ChangeEvents, OlderVersionSaysSo) {
    ConnectorOptions options = plain_options();
    options.compat_version = CompatVersion::k36;
    Customers stream(options);
    EXPECT_EQ(stream.insert({"1", "Ann", "12.34"}),
              Lines{"app.inventory.customers {\"id\":1} " +
                    value('c', "null", ann(), {.version = "3.6.1.Final"})});
}

TEST(ChangeEvents, SnapshotRowsAreReadsWithTheirMarker) {
    Customers stream;
    const Source first{.sequence = R"([\"22335864\",\"500\"])",
                       .lsn = "500",
                       .xid = "9",
                       .snapshot = R"("first")",
                       .time_ms = "1700000000200",
                       .time_us = "1700000000200789"};
    EXPECT_EQ(stream.snapshot({"1", "Ann", "12.34"}, SnapshotMarker::kFirst,
                              {.lsn = {500}, .xid = Xid{9}, .now_us = ChangeStream::kNow}),
              Lines{"app.inventory.customers {\"id\":1} " + value('r', "null", ann(), first)});
    // The stream stands at 22335900, where the transaction has begun.
    const Source incremental{.sequence = R"([\"22335864\",\"22335900\"])",
                             .lsn = "null",
                             .xid = "null",
                             .snapshot = R"("incremental")",
                             .time_ms = "1700000000200",
                             .time_us = "1700000000200789"};
    EXPECT_EQ(
        stream.snapshot({"1", "Ann", "12.34"}, SnapshotMarker::kIncremental,
                        {.lsn = {}, .xid = std::nullopt, .now_us = ChangeStream::kNow}),
        Lines{"app.inventory.customers {\"id\":1} " + value('r', "null", ann(), incremental)});
}

TEST(ChangeEvents, ManySnapshotRowsAreAsManyRecordsThatStayTogether) {
    Customers stream;
    const debezium::SnapshotPosition position{.lsn = {}, .xid = {}, .now_us = ChangeStream::kNow};
    const std::vector<test::Row> rows{{"1", "Ann", "12.34"}, {"2", "Bob", std::nullopt}};
    Lines one_by_one;
    for (const test::Row& row : rows) {
        one_by_one.push_back(stream.snapshot(row, SnapshotMarker::kIncremental, position).front());
    }
    EXPECT_EQ(stream.snapshot(rows, SnapshotMarker::kIncremental, position), one_by_one);
    EXPECT_TRUE(
        stream.snapshot(std::vector<test::Row>{}, SnapshotMarker::kIncremental, position).empty());
}

TEST(ChangeEvents, EverySnapshotMarkerIsAText) {
    Customers stream;
    const auto marker = [&stream](SnapshotMarker snapshot) {
        const std::string line =
            stream.snapshot({"1", "Ann", "12.34"}, snapshot, {.lsn = {5}, .xid = {}}).front();
        const std::size_t start = line.find("\"snapshot\":") + 11;
        return line.substr(start, line.find(',', start) - start);
    };
    EXPECT_EQ(marker(SnapshotMarker::kFirstInDataCollection), "\"first_in_data_collection\"");
    EXPECT_EQ(marker(SnapshotMarker::kTrue), "\"true\"");
    EXPECT_EQ(marker(SnapshotMarker::kLastInDataCollection), "\"last_in_data_collection\"");
    EXPECT_EQ(marker(SnapshotMarker::kLast), "\"last\"");
}

TEST(ChangeEvents, TransactionMetadataCountsAndBrackets) {
    ConnectorOptions options = plain_options();
    options.provide_transaction_metadata = true;
    ChangeStream stream(options);
    stream.bind(customers());
    EXPECT_EQ(stream.begin(571, 53'195'829),
              Lines{R"(app.transaction {"id":"571:53195829"} {"status":"BEGIN",)"
                    R"("id":"571:53195829","event_count":null,"data_collections":null,)"
                    R"("ts_ms":1700000000123})"});
    const auto block = [](const std::string& line) {
        const std::size_t start = line.find("\"transaction\":") + 14;
        return line.substr(start, line.find('}', start) - start + 1);
    };
    EXPECT_EQ(block(stream.insert({"1", "Ann", "12.34"}, 53'195'830).front()),
              R"({"id":"571:53195830","total_order":1,"data_collection_order":1})");
    const Lines changed = stream.update(test::Row{"1", std::nullopt, std::nullopt},
                                        {"2", "Ann", "12.34"}, 'K', 53'195'831);
    ASSERT_EQ(changed.size(), 3U);
    EXPECT_EQ(block(changed[0]),
              R"({"id":"571:53195831","total_order":2,"data_collection_order":2})");
    EXPECT_EQ(block(changed[2]),
              R"({"id":"571:53195831","total_order":3,"data_collection_order":3})");
    EXPECT_EQ(block(stream.message(true, "audit", "x", 53'195'832).front()),
              R"({"id":"571:53195832","total_order":4,"data_collection_order":1})");
    EXPECT_EQ(stream.commit(53'195'900),
              Lines{R"(app.transaction {"id":"571:53195900"} {"status":"END",)"
                    R"("id":"571:53195900","event_count":4,"data_collections":[)"
                    R"({"data_collection":"inventory.customers","event_count":3},)"
                    R"({"data_collection":"LOGICAL_DECODING_MESSAGE","event_count":1}],)"
                    R"("ts_ms":1700000000123})"});
    stream.begin(572, 53'196'000);
    EXPECT_EQ(stream.commit(53'196'100),
              Lines{R"(app.transaction {"id":"572:53196100"} {"status":"END",)"
                    R"("id":"572:53196100","event_count":0,"data_collections":[],)"
                    R"("ts_ms":1700000000123})"});
}

/// An outbox: its rows are somebody else's records.
TestTable outbox() {
    return {.name = "outbox",
            .columns = {{"id", test::kText, true}, {"payload"}},
            .key = {"id"},
            .oid = 16'500};
}

TEST(ChangeEvents, TransactionMetadataCountsWhatTheEventRouterTakes) {
    ConnectorOptions options = plain_options();
    options.provide_transaction_metadata = true;
    ChangeStream stream(options);
    stream.bind(customers());
    stream.bind_counted(outbox());
    stream.begin(571, 100);
    stream.count_insert(outbox(), {"a", "{}"});
    EXPECT_NE(stream.insert({"1", "Ann", "12.34"}, 110).front().find("\"total_order\":2,"),
              std::string::npos);
    stream.count_update(outbox(), std::nullopt, {"a", "[]"});
    stream.count_update(outbox(), test::Row{"a", "[]"}, {"a", "{}"});
    stream.count_update(outbox(), test::Row{"a", std::nullopt}, {"b", kUnchanged});  // two events
    stream.count_delete(outbox(), {"b", std::nullopt});
    stream.count_message(true, "outbox", 120);
    stream.truncate({16'500});  // skipped
    EXPECT_EQ(stream.commit(200),
              Lines{R"(app.transaction {"id":"571:200"} {"status":"END","id":"571:200",)"
                    R"("event_count":8,"data_collections":[)"
                    R"({"data_collection":"inventory.outbox","event_count":6},)"
                    R"({"data_collection":"inventory.customers","event_count":1},)"
                    R"({"data_collection":"LOGICAL_DECODING_MESSAGE","event_count":1}],)"
                    R"("ts_ms":1700000000123})"});
}

TEST(ChangeEvents, WhatIsSkippedOrNotCapturedIsNotCounted) {
    const auto counted = [](const ConnectorOptions& options) {
        ChangeStream stream(options);
        stream.bind_counted(outbox());
        stream.begin(571, 100);
        stream.count_insert(outbox(), {"a", "{}"});
        stream.count_update(outbox(), test::Row{"a", std::nullopt}, {"b", "{}"});
        stream.count_delete(outbox(), {"b", std::nullopt});
        stream.truncate({16'500});
        stream.count_message(true, "outbox", 120);
        const std::string end = stream.commit(200).front();
        const std::size_t start = end.find("\"event_count\":") + 14;
        return end.substr(start, end.find(',', start) - start);
    };
    ConnectorOptions options = plain_options();
    options.provide_transaction_metadata = true;
    EXPECT_EQ(counted(options), "5");
    options.skipped_operations = "c";
    EXPECT_EQ(counted(options), "4");
    options.skipped_operations = "d,t";
    EXPECT_EQ(counted(options), "3");
    options.skipped_operations = "none";
    options.table_exclude_list = {"inventory.outbox"};
    options.message_prefix_exclude_list = {"outbox"};
    EXPECT_EQ(counted(options), "0");
}

TEST(ChangeEvents, ALoneMessageOfAnOutboxIsACommitToo) {
    Customers stream;
    stream.count_message(false, "outbox", 22'336'000);
    EXPECT_NE(stream.insert({"1", "Ann", "12.34"}).front().find(R"([\"22336000\",\"22336112\"])"),
              std::string::npos);
}

TEST(ChangeEvents, WithoutTransactionMetadataNothingBrackets) {
    Customers stream;
    EXPECT_EQ(stream.begin(), Lines{});
    EXPECT_EQ(stream.commit(1), Lines{});
}

constexpr const char* kMessageTable = R"("schema":"","table":"")";

TEST(ChangeEvents, TransactionalMessageStandsInItsTransaction) {
    Customers stream;
    EXPECT_EQ(stream.message(true, "pfx", "hello"),
              Lines{R"(app.message {"prefix":"pfx"} {"op":"m","ts_ms":1700000000200,"source":)" +
                    source({.sequence = R"([\"22335864\",\"22338416\"])",
                            .lsn = "22338416",
                            .table = kMessageTable}) +
                    R"(,"transaction":null,"message":{"prefix":"pfx","content":"aGVsbG8="}})"});
}

TEST(ChangeEvents, LoneMessageIsItsOwnCommit) {
    Customers stream;
    stream.commit(22'336'400);
    EXPECT_EQ(stream.message(false, "pfx", "hello"),
              Lines{R"(app.message {"prefix":"pfx"} {"op":"m","ts_ms":1700000000200,"source":)" +
                    source({.sequence = R"([\"22338416\",\"22338416\"])",
                            .lsn = "22338416",
                            .xid = "null",
                            .table = kMessageTable}) +
                    R"(,"transaction":null,"message":{"prefix":"pfx","content":"aGVsbG8="}})"});
}

TEST(ChangeEvents, MessagesAreFilteredByPrefixAndStillMoveTheSequence) {
    ConnectorOptions options = plain_options();
    options.message_prefix_include_list = {"aud.t", "x"};
    Customers stream(options);
    EXPECT_EQ(stream.message(true, "AUDIT", "1").size(), 1U);
    EXPECT_EQ(stream.message(true, "audits", "1").size(), 0U);
    EXPECT_EQ(stream.message(false, "audits", "1", 22'336'000).size(), 0U);
    EXPECT_NE(stream.insert({"1", "Ann", "12.34"}).front().find(R"([\"22336000\",\"22336112\"])"),
              std::string::npos);
    EXPECT_EQ(exit_code([&] { stream.message(true, std::string(5000, 'a'), ""); }, "5000 bytes"),
              ExitCode::kMalformedEvent);
}

TEST(ChangeEvents, ContentOfMessagesFollowsTheBinaryMode) {
    const auto content = [](BinaryHandling mode) {
        ConnectorOptions options = plain_options();
        options.types.binary_handling_mode = mode;
        Customers stream(options);
        const std::string line = stream.message(true, "p", "\xFB\xFF\xFE").front();
        return line.substr(line.find("\"content\":") + 10);
    };
    EXPECT_EQ(content(BinaryHandling::kBytes), "\"+//+\"}}");
    EXPECT_EQ(content(BinaryHandling::kBase64), "\"+//+\"}}");
    EXPECT_EQ(content(BinaryHandling::kBase64UrlSafe), "\"-__-\"}}");
    EXPECT_EQ(content(BinaryHandling::kHex), "\"fbfffe\"}}");
}

TEST(ChangeEvents, HeartbeatGoesToPartitionZero) {
    ConnectorOptions options = plain_options();
    ChangeStream stream(options);
    const Records records = stream.events.heartbeat(1'700'000'000'000'999);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records.front().partition, 0);
    EXPECT_EQ(stream.render(records), Lines{R"(__debezium-heartbeat.app {"serverName":"app"} )"
                                            R"({"ts_ms":1700000000000})"});
    options.topic_heartbeat_name = "beats";
    ChangeStream named(options);
    EXPECT_TRUE(named.render(named.events.heartbeat(0)).front().starts_with("beats "));
}

TEST(ChangeEvents, HeadersCanBeJson) {
    ConnectorOptions options = plain_options();
    options.extended_headers_enabled = true;
    options.header_converter = {.converter = Converter::kJson};
    Customers stream(options);
    const Lines lines =
        stream.update(test::Row{"1", std::nullopt, std::nullopt}, {"11", "Ann", "12.34"});
    EXPECT_NE(lines[0].find(R"(__debezium.newkey={"schema":{"type":"struct","fields":[)"
                            R"({"type":"int32","optional":false,"default":0,"field":"id"}],)"
                            R"("optional":false,"name":"app.inventory.customers.Key"},)"
                            R"("payload":{"id":11}} __debezium.context.connectorLogicalName=)"
                            R"({"schema":{"type":"string","optional":false},"payload":"app"})"),
              std::string::npos)
        << lines[0];
}

TEST(ChangeEvents, NamesAreAdjustedAndFieldsMayNotCollide) {
    ConnectorOptions options = plain_options();
    options.value_converter.schemas_enable = true;
    options.schema_name_adjustment_mode = NameAdjustment::kAvro;
    options.field_name_adjustment_mode = NameAdjustment::kAvro;
    TestTable table = customers();
    table.schema = "my-shop";
    table.columns[1].name = "first name";
    Customers stream(options, table);
    const std::string line = stream.insert({"1", "Ann", "12.34"}).front();
    EXPECT_NE(line.find(R"("name":"app.my_shop.customers.Value")"), std::string::npos);
    EXPECT_NE(line.find(R"("after":{"id":1,"first_name":"Ann")"), std::string::npos);
    EXPECT_NE(line.find(R"("schema":"my-shop")"), std::string::npos);

    table.columns[0].name = "first_name";
    EXPECT_EQ(exit_code([&] { stream.bind(table); }, "become the field \"first_name\""),
              ExitCode::kConfig);
}

TEST(ChangeEvents, MaskedValuesLeaveTheKeyAlone) {
    ConnectorOptions options = plain_options();
    options.mask_with_chars = {
        {"column.mask.with.5.chars", "5", {}, {"inventory.customers.(name|id)"}}};
    TestTable table = customers();
    table.key = {"name"};
    Customers stream(options, table);
    EXPECT_EQ(stream.insert({"1", "Ann", "12.34"}),
              Lines{"app.inventory.customers {\"name\":\"Ann\"} " +
                    value('c', "null", R"({"id":1,"name":"*****","balance":"BNI="})")});
    EXPECT_NE(stream.remove({"1", std::nullopt, std::nullopt}).front().find(R"("name":"*****")"),
              std::string::npos);
}

TEST(ChangeEvents, CapturesWhatTheListsLetThrough) {
    ConnectorOptions options = plain_options();
    options.table_include_list = {"inventory\\..*"};
    const ChangeStream stream(options);
    EXPECT_TRUE(stream.events.captures("inventory", "customers"));
    EXPECT_FALSE(stream.events.captures("public", "customers"));
}

TEST(ChangeEvents, UnboundTablesAreUnknown) {
    Customers stream;
    stream.events.unbind_all();
    EXPECT_EQ(exit_code(
                  [&] {
                      stream.insert({"1", "Ann", "12.34"});
                  },
                  "relation 16400"),
              ExitCode::kInternal);
}

TEST(ChangeEvents, WrongOptionsAreAHaltThatNamesThemAll) {
    ConnectorOptions options;
    options.table_include_list = {"("};
    options.skipped_operations = "x";
    TopicNames topics;
    EXPECT_EQ(exit_code([&] { const ChangeEvents events(options, topics, "run"); },
                        "skipped.operations: \"x\" is neither none nor made of c, u, d and t; "
                        "topic.prefix: it is not set"),
              ExitCode::kConfig);
}

}  // namespace
}  // namespace holdfast::relay::debezium
