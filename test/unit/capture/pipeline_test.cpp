#include "capture/pipeline.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "capture/fakes.hpp"
#include "support/manual_clock.hpp"

namespace holdfast::relay::capture {
namespace {

using namespace std::chrono_literals;
using Reply = FakeSource::Reply;
using Status = FakeSource::Status;

constexpr std::uint32_t kOutbox = 16'400;
constexpr std::uint32_t kOther = 16'500;

class PipelineTest : public testing::Test {
 protected:
    PipelineTest() { options.gather_limit = options.fast_gather_limit = 0us; }

    void start() {
        pipeline.emplace(sink, TranslatorOptions{.outboxes = {debezium::EventRouterOptions{}}},
                         nullptr, clock, metrics, options, listener);
        pipeline->attach(source);
    }
    /// One turn.
    Pipeline::Need turn() { return pipeline->turn(); }

    void relation() {
        source.frame(test::relation_frame(kOutbox, "holdfast", "outbox",
                                          {{"id", 2950, true},
                                           {"aggregatetype"},
                                           {"aggregateid"},
                                           {"type"},
                                           {"payload", 114},
                                           {"headers", 114}}));
    }
    void insert(const std::string& id, const std::string& topic = "orders",
                const std::string& payload = "{}") {
        source.frame(test::insert_frame(kOutbox, {id, topic, "k", "T", payload, std::nullopt}));
    }
    void begin(std::uint64_t lsn) { source.frame(test::begin_frame(lsn), lsn); }
    void commit(std::uint64_t lsn, std::uint64_t end) {
        source.frame(test::commit_frame(lsn, end), lsn);
    }
    /// begin, one insert for each id, commit; the transaction ends at `end`.
    void transaction(std::uint64_t end, const std::vector<std::string>& ids) {
        begin(end - 10);
        for (const std::string& id : ids) {
            insert(id);
        }
        commit(end - 10, end);
    }
    /// A second after their commits: 20 ms of 50 records a millisecond, all of which are
    /// acknowledged.
    void backlog() {
        source.server_time_us = 1'000'000;
        for (std::uint64_t n = 1; n <= 20; ++n) {
            transaction(n * 100, std::vector<std::string>(50, "e"));
            clock.advance(1ms);
            turn();
            sink.acknowledge_all();
        }
    }
    [[nodiscard]] std::uint64_t confirmed() const { return pipeline->confirmed().value; }

    /// turn() until it throws; the error's text.
    std::string failure() {
        try {
            for (int i = 0; i < 10; ++i) {
                turn();
            }
            return "none";
        } catch (const FatalError& error) {
            return std::string(exit_code_name(error.code())) + ": " + error.what();
        } catch (const RetryableError& error) {
            return std::string("retry: ") + error.what();
        }
    }

    FakeSource source;
    FakeSink sink;
    test::ManualClock clock;
    metrics::CaptureMetrics metrics;
    PipelineOptions options;
    PositionListener* listener = nullptr;
    std::optional<Pipeline> pipeline;
};

// ---- What another program has sent

TEST_F(PipelineTest, LeavesOutWhatWasSentOfATransactionAndConfirmsItWhole) {
    pipeline.emplace(
        sink,
        TranslatorOptions{
            .outboxes = {debezium::EventRouterOptions{}},
            .connector = {},
            .run_id = {},
            .resume_after =
                ResumePosition{.lsn_commit = Lsn{50}, .lsn = Lsn{70}, .xid = Xid{7}, .events = 1}},
        nullptr, clock, metrics, options, listener);
    EXPECT_EQ(pipeline->plan_start(Lsn{40}), Lsn{50});
    pipeline->attach(source);
    source.keepalive(95);
    turn();
    EXPECT_EQ(confirmed(), 0U) << "the transaction is still to come";

    relation();
    source.frame(test::begin_frame(90, 0, 7), 60);
    for (const auto& [id, lsn] : {std::pair{"a", 60}, std::pair{"b", 70}, std::pair{"c", 70}}) {
        source.frame(test::insert_frame(kOutbox, {id, "orders", "k", "T", "{}", std::nullopt}),
                     static_cast<std::uint64_t>(lsn));
    }
    commit(90, 100);
    transaction(200, {"d"});
    turn();
    EXPECT_EQ(sink.ids(), "c d");
    sink.acknowledge_all();
    turn();
    EXPECT_EQ(confirmed(), 200U);
}

// ---- What is sent

TEST_F(PipelineTest, SendsTheEventsInTheirOrder) {
    start();
    relation();
    transaction(100, {"a", "b"});
    transaction(200, {"c"});
    turn();
    EXPECT_EQ(sink.ids(), "a b c");
    EXPECT_EQ(sink.sent[0].topic, "orders");
    EXPECT_EQ(sink.sent[0].key, "k");
    EXPECT_EQ(sink.sent[0].value, "{}");
}

TEST_F(PipelineTest, ChoosesThePartitionOfTheKeyAsJavaDoes) {
    sink.partitions = 12;
    start();
    relation();
    transaction(100, {"a"});
    turn();
    EXPECT_EQ(sink.sent[0].partition, partition_of_key("k", 12));
}

TEST_F(PipelineTest, FollowsARelationThatChangesInTheMiddleOfTheStream) {
    start();
    relation();
    transaction(100, {"a"});
    begin(190);
    source.frame(test::relation_frame(
        kOutbox, "holdfast", "outbox",
        {{"tenant"}, {"id"}, {"payload"}, {"aggregatetype"}, {"aggregateid"}, {"type"}}));
    source.frame(test::insert_frame(kOutbox, {"t", "b", "[1]", "other", "k", "T"}));
    commit(190, 200);
    turn();
    EXPECT_EQ(sink.ids(), "a b");
    EXPECT_EQ(sink.sent[1].topic, "other");
    EXPECT_EQ(sink.sent[1].value, "[1]");
}

TEST_F(PipelineTest, HaltsWhenTheOutboxLosesAColumn) {
    start();
    relation();
    transaction(100, {"a"});
    begin(190);
    source.frame(test::relation_frame(kOutbox, "holdfast", "outbox", {{"id"}, {"payload"}}));
    EXPECT_EQ(failure(),
              "outbox_shape_changed: table holdfast.outbox has no column \"aggregateid\" "
              "(table.field.event.key)");
    EXPECT_EQ(confirmed(), 0U);
}

TEST_F(PipelineTest, HaltsOnRowsOfAnotherTable) {
    start();
    begin(90);
    source.frame(test::relation_frame(kOther, "public", "secrets", {{"id"}}));
    source.frame(test::insert_frame(kOther, {"1"}));
    EXPECT_EQ(failure(),
              "publication_changed: the publication sends changes of public.secrets, which is not "
              "the outbox holdfast.outbox");
}

TEST_F(PipelineTest, HaltsOnARelationThatWasNeverDescribed) {
    start();
    begin(90);
    insert("a");
    EXPECT_EQ(failure(),
              "internal_error: change of relation 16400, which the stream has not described");
}

TEST_F(PipelineTest, HaltsOnATruncatedFrame) {
    start();
    source.frame(test::begin_frame(90).substr(0, 10));
    EXPECT_EQ(failure(), "internal_error: truncated message: 8 bytes needed at offset 9 of 10");
}

TEST_F(PipelineTest, IgnoresUpdatesDeletionsAndTruncationsOfTheOutbox) {
    log::set_level(log::Level::kError);
    start();
    relation();
    begin(90);
    source.frame(test::update_frame(kOutbox, {"a", "orders", "k", "T", "{}", std::nullopt}));
    source.frame(test::delete_frame(kOutbox, {"a"}));
    source.frame(test::truncate_frame({kOutbox}));
    commit(90, 100);
    turn();
    log::set_level(log::Level::kInfo);
    EXPECT_TRUE(sink.sent.empty());
    EXPECT_EQ(confirmed(), 100U);
}

TEST_F(PipelineTest, HaltsOnAnUpdateWhenAskedTo) {
    debezium::EventRouterOptions router;
    router.table_op_invalid_behavior = "fatal";
    pipeline.emplace(sink, TranslatorOptions{.outboxes = {router}}, nullptr, clock, metrics,
                     options);
    pipeline->attach(source);
    relation();
    begin(90);
    source.frame(test::update_frame(kOutbox, {"a", "orders", "k", "T", "{}", std::nullopt}));
    EXPECT_EQ(
        failure(),
        "malformed_event: update of an outbox row at 0/5A (table.op.invalid.behavior = fatal)");
}

// ---- Logical messages

constexpr const char* kMessage =
    R"({"id":"m","aggregatetype":"orders","aggregateid":"k","type":"T","payload":{}})";

TEST_F(PipelineTest, SendsAMessageWithItsTransaction) {
    start();
    relation();
    begin(90);
    insert("a");
    source.frame(test::message_frame(true, 80, "outbox", kMessage));
    source.frame(test::message_frame(true, 81, "somebody else's", "whatever"));
    commit(90, 100);
    turn();
    EXPECT_EQ(sink.ids(), "a m");
    sink.acknowledge(0);
    turn();
    EXPECT_EQ(confirmed(), 0U);
    sink.acknowledge(1);
    turn();
    EXPECT_EQ(confirmed(), 100U);
}

TEST_F(PipelineTest, AMessageOutsideOfATransactionIsConfirmedByItself) {
    start();
    source.frame(test::message_frame(false, 80, "outbox", kMessage), 80);
    source.frame(test::message_frame(false, 85, "somebody else's", "whatever"), 85);
    turn();
    EXPECT_EQ(sink.ids(), "m");
    EXPECT_EQ(confirmed(), 0U);
    sink.acknowledge_all();
    turn();
    EXPECT_EQ(confirmed(), 80U);
    EXPECT_TRUE(pipeline->settled());
}

TEST_F(PipelineTest, AMessageOutsideOfATransactionWaitsForAFullSinkToo) {
    sink.capacity = 0;
    start();
    source.frame(test::message_frame(false, 80, "outbox", kMessage), 80);
    source.frame(test::begin_frame(90), 90);
    turn();
    EXPECT_EQ(source.unread(), 1U);
    sink.capacity = 1;
    turn();
    EXPECT_EQ(sink.ids(), "m");
    sink.acknowledge_all();
    turn();
    EXPECT_EQ(confirmed(), 80U);
}

TEST_F(PipelineTest, AMalformedMessageHaltsAndNamesItsLsn) {
    start();
    source.frame(test::message_frame(false, 0x80, "outbox", "{"), 0x80);
    EXPECT_TRUE(failure().starts_with("malformed_event: event at 0/80 cannot become a record"));
}

// ---- What is confirmed (docs/delivery-guarantees.md)

TEST_F(PipelineTest, AcknowledgementsOutOfOrderConfirmNothingTooEarly) {
    start();
    relation();
    transaction(100, {"a"});
    transaction(200, {"b"});
    transaction(300, {"c"});
    turn();
    sink.acknowledge(2);
    sink.acknowledge(1);
    turn();
    EXPECT_EQ(confirmed(), 0U);
    sink.acknowledge(0);
    turn();
    EXPECT_EQ(confirmed(), 300U);
}

TEST_F(PipelineTest, ConfirmsTheEndOfTheCommitRecordNotItsStart) {
    start();
    relation();
    begin(90);
    insert("a");
    commit(90, 97);
    turn();
    sink.acknowledge_all();
    clock.advance(1s);
    turn();
    EXPECT_EQ(source.statuses.back(), (Status{Lsn{97}, Lsn{97}}));
}

TEST_F(PipelineTest, PositionsInsideOfATransactionAreNeverConfirmed) {
    start();
    relation();
    begin(90);
    source.frame(test::insert_frame(kOutbox, {"a", "orders", "k", "T", "{}", std::nullopt}), 70);
    source.frame(test::insert_frame(kOutbox, {"b", "orders", "k", "T", "{}", std::nullopt}), 71);
    turn();
    sink.acknowledge_all();
    clock.advance(11s);
    turn();
    EXPECT_EQ(source.statuses.back(), (Status{Lsn{90}, Lsn{0}}));
}

TEST_F(PipelineTest, AKeepaliveWhileRecordsAreInFlightConfirmsNothing) {
    start();
    relation();
    transaction(100, {"a"});
    source.keepalive(150, Reply::kWanted);
    turn();
    EXPECT_EQ(source.statuses.back(), (Status{Lsn{150}, Lsn{0}}));
    sink.acknowledge_all();
    turn();
    EXPECT_EQ(confirmed(), 100U);
}

TEST_F(PipelineTest, AnIdleDatabaseAdvancesTheSlotByKeepalives) {
    start();
    source.keepalive(500);
    turn();
    EXPECT_EQ(confirmed(), 500U);
    clock.advance(200ms);
    turn();
    EXPECT_EQ(source.statuses.back(), (Status{Lsn{500}, Lsn{500}}));
    begin(590);
    source.keepalive(600);
    turn();
    EXPECT_EQ(confirmed(), 500U) << "a transaction is open";
}

TEST_F(PipelineTest, AFailedDeliveryConfirmsNothingAndAsksForReplay) {
    start();
    relation();
    transaction(100, {"a"});
    transaction(200, {"b"});
    transaction(300, {"c"});
    turn();
    sink.acknowledge(0);
    sink.fail(1, ExitCode::kOk, "timed out");
    sink.acknowledge(2);
    EXPECT_EQ(failure(),
              "retry: event \"b\" for topic orders was not delivered (key 1 bytes, value 2 bytes): "
              "timed out");
    EXPECT_EQ(confirmed(), 100U);
    EXPECT_EQ(source.statuses.back().confirmed, Lsn{100});
    EXPECT_EQ(metrics.delivery_failures.value(), 1U);
}

TEST_F(PipelineTest, ARecordThatKafkaRefusesForItsSizeHaltsAndIsNamed) {
    start();
    relation();
    begin(90);
    insert("big", "orders", std::string(5000, 'x'));
    commit(90, 100);
    turn();
    sink.fail(0, ExitCode::kMessageTooLarge, "Broker: Message size too large");
    EXPECT_EQ(failure(),
              "message_too_large: event \"big\" for topic orders was not delivered (key 1 bytes, "
              "value 5000 bytes): Broker: Message size too large");
}

TEST_F(PipelineTest, ARecordThatTheClientRefusesForItsSizeHaltsAndIsNamed) {
    sink.largest_value = 100;
    start();
    relation();
    begin(90);
    insert("big", "orders", std::string(101, 'x'));
    EXPECT_EQ(failure(),
              "message_too_large: event \"big\" for topic orders is too large (key 1 bytes, value "
              "101 bytes): larger than message.max.bytes");
}

TEST_F(PipelineTest, AMissingTopicHaltsWithItsOwnCode) {
    start();
    relation();
    transaction(100, {"a"});
    turn();
    sink.fail(0, ExitCode::kTopicMissing, "unknown topic");
    EXPECT_TRUE(failure().starts_with("topic_missing: event \"a\""));
}

// ---- Status updates

TEST_F(PipelineTest, AnswersAKeepaliveThatWantsAReplyAtOnce) {
    start();
    source.keepalive(50, Reply::kWanted);
    turn();
    ASSERT_EQ(source.statuses.size(), 1U);
    EXPECT_EQ(source.statuses[0], (Status{Lsn{50}, Lsn{50}}));
    turn();
    EXPECT_EQ(source.statuses.size(), 1U);
}

TEST_F(PipelineTest, SendsAStatusAtLeastAtEachInterval) {
    start();
    EXPECT_EQ(turn().timeout, 10s);
    clock.advance(9'999ms);
    EXPECT_EQ(turn().timeout, 1ms);
    EXPECT_EQ(source.statuses.size(), 0U);
    clock.advance(1ms);
    turn();
    EXPECT_EQ(source.statuses.size(), 1U);
    EXPECT_EQ(turn().timeout, 10s);
}

TEST_F(PipelineTest, KeepsWithinTheServersOwnLimit) {
    source.limit = 3s;
    start();
    EXPECT_EQ(turn().timeout, 1s);
}

TEST_F(PipelineTest, ReportsAnAdvanceSoonButNotEachOne) {
    start();
    relation();
    clock.advance(1s);
    for (std::uint64_t n = 1; n <= 95; ++n) {
        transaction(n * 100, {"e" + std::to_string(n)});
        turn();
        sink.acknowledge_all();
        turn();
        clock.advance(10ms);
    }
    EXPECT_GE(source.statuses.size(), 5U);
    EXPECT_LE(source.statuses.size(), 6U);
    EXPECT_LE(turn().timeout, 200ms) << "the last advance is still to be reported";
}

TEST_F(PipelineTest, KeepsReportingWhileKafkaTakesNothing) {
    sink.capacity = 1;
    start();
    relation();
    transaction(100, {"a"});
    transaction(200, {"b", "c"});
    source.keepalive(300, Reply::kWanted);
    turn();
    EXPECT_EQ(sink.ids(), "a");
    for (int minute = 0; minute < 60; ++minute) {
        clock.advance(10s);
        const auto need = turn();
        EXPECT_FALSE(need.source_readable);
        EXPECT_GT(need.timeout, 0us) << "it must not spin";
    }
    EXPECT_EQ(source.statuses.size(), 60U);
    EXPECT_EQ(source.statuses.back().confirmed, Lsn{0});
    EXPECT_EQ(sink.ids(), "a");

    sink.acknowledge_all();
    turn();
    EXPECT_EQ(sink.ids(), "a b");
    sink.acknowledge_all();
    turn();
    EXPECT_EQ(sink.ids(), "a b c");
    sink.acknowledge_all();
    turn();
    EXPECT_EQ(confirmed(), 200U);
}

TEST_F(PipelineTest, WaitsForTheNumberOfPartitionsWithoutBlocking) {
    sink.partitions.reset();
    start();
    relation();
    transaction(100, {"a"});
    EXPECT_FALSE(turn().source_readable);
    EXPECT_TRUE(sink.sent.empty());
    sink.partitions = 3;
    turn();
    EXPECT_EQ(sink.ids(), "a");
}

// ---- Bounds

TEST_F(PipelineTest, StopsReadingAtTheBoundAndGoesOnBelowIt) {
    options.max_in_flight_bytes = 4 * (1000 + 1 + InFlight::kOverheadBytes);
    start();
    relation();
    begin(90);
    for (int n = 0; n < 20; ++n) {
        insert("e" + std::to_string(n), "orders", std::string(1000, 'x'));
    }
    turn();
    EXPECT_EQ(sink.sent.size(), 4U);
    EXPECT_FALSE(turn().source_readable);
    EXPECT_EQ(sink.sent.size(), 4U);
    EXPECT_GE(metrics.queue_full.value(), 1U);
    EXPECT_EQ(metrics.in_flight_records.value(), 4);
    sink.acknowledge(0);
    turn();
    EXPECT_EQ(sink.sent.size(), 5U);
}

TEST_F(PipelineTest, LetsOneRecordThroughHoweverLarge) {
    options.max_in_flight_bytes = 1;
    start();
    relation();
    transaction(100, {"a", "b"});
    turn();
    EXPECT_EQ(sink.ids(), "a");
    sink.acknowledge_all();
    turn();
    EXPECT_EQ(sink.ids(), "a b");
}

TEST_F(PipelineTest, ReadsABacklogInBoundedPieces) {
    start();
    relation();
    for (std::uint64_t n = 1; n <= 3000; ++n) {
        transaction(n * 100, {"e"});
    }
    const auto need = turn();
    EXPECT_EQ(need.timeout, 0us);
    EXPECT_GT(source.unread(), 0U) << "acknowledgements and the clock get their turn";
    while (source.unread() > 0) {
        turn();
    }
    EXPECT_EQ(sink.sent.size(), 3000U);
}

TEST_F(PipelineTest, AtALowRateAnAcknowledgementEndsTheGathering) {
    options.gather_limit = 5ms;
    start();
    relation();
    transaction(100, {"a"});
    auto need = turn();
    EXPECT_EQ(need.timeout, 5ms);
    EXPECT_FALSE(need.source_readable);
    transaction(200, {"b"});
    transaction(300, {"c"});
    clock.advance(1ms);
    turn();
    EXPECT_EQ(sink.ids(), "a");
    sink.acknowledge_all();
    turn();
    EXPECT_EQ(sink.ids(), "a b c");
}

TEST_F(PipelineTest, AtALowRateGatheringEndsThoughNothingIsAcknowledged) {
    options.gather_limit = 5ms;
    start();
    relation();
    transaction(100, {"a"});
    turn();
    transaction(200, {"b"});
    clock.advance(5ms);
    turn();
    EXPECT_EQ(sink.ids(), "a b");
}

TEST_F(PipelineTest, AtALowRateNoRecordLingers) {
    start();
    relation();
    for (std::uint64_t n = 1; n <= 30; ++n) {
        transaction(n * 100, {"e"});
        clock.advance(1ms);
        EXPECT_TRUE(turn().source_readable);
        EXPECT_EQ(sink.sent.size(), n);
        EXPECT_EQ(sink.sent_now, n);
    }
}

TEST_F(PipelineTest, WithoutABacklogAnAcknowledgementSendsWhatWaitedForIt) {
    start();
    relation();
    transaction(100, {"a"});
    turn();
    transaction(200, {"b"});
    turn();
    sink.sent_now = 0;
    sink.acknowledge(0);
    turn();
    EXPECT_EQ(sink.sent_now, 2U);
}

TEST_F(PipelineTest, OfABacklogRecordsLingerAndChangesGatherForAMomentOnly) {
    options.gather_limit = 5ms;
    options.fast_gather_limit = 1ms;
    start();
    relation();
    backlog();
    const std::size_t sent_now = sink.sent_now;
    EXPECT_LT(sent_now, sink.sent.size());
    turn();
    transaction(3000, {"in flight"});
    EXPECT_EQ(turn().timeout, 1ms);
    transaction(3100, {"late"});
    turn();
    EXPECT_EQ(sink.sent.back().id, "in flight");
    clock.advance(1ms);
    turn();
    EXPECT_EQ(sink.sent.back().id, "late");
    EXPECT_EQ(sink.sent_now, sent_now);
}

TEST_F(PipelineTest, NothingLingersAtAHighRateWithoutABacklog) {
    source.server_time_us = 20'000;
    start();
    relation();
    for (std::uint64_t n = 1; n <= 20; ++n) {
        transaction(n * 100, std::vector<std::string>(50, "e"));
        clock.advance(1ms);
        turn();
        EXPECT_EQ(sink.sent_now, sink.sent.size());
    }
}

TEST_F(PipelineTest, NothingLingersOnceABacklogIsRead) {
    start();
    relation();
    backlog();
    transaction(3000, {"last"});
    turn();
    EXPECT_LT(sink.sent_now, sink.sent.size());
    clock.advance(10ms);
    turn();
    EXPECT_EQ(sink.sent_now, sink.sent.size());
}

TEST_F(PipelineTest, NothingLingersAtTheBound) {
    options.max_in_flight_bytes = 200 * InFlight::kOverheadBytes;
    start();
    relation();
    backlog();
    transaction(3000, std::vector<std::string>(300, "e"));
    turn();
    EXPECT_GT(source.unread(), 0U);
    EXPECT_EQ(sink.sent_now, sink.sent.size());
}

TEST_F(PipelineTest, NothingLingersWhileTheSinkTakesNoMore) {
    sink.capacity = 100;
    start();
    relation();
    backlog();
    transaction(3000, std::vector<std::string>(300, "e"));
    turn();
    EXPECT_GT(source.unread(), 0U);
    EXPECT_EQ(sink.sent_now, sink.sent.size());
}

TEST_F(PipelineTest, KnowsAHighRateHoweverSmallThePieces) {
    source.server_time_us = 1'000'000;
    start();
    relation();
    for (std::uint64_t n = 1; n <= 500; ++n) {
        transaction(n * 100, {"e"});
        clock.advance(40us);
        turn();
    }
    EXPECT_LT(sink.sent_now, 300U);
}

TEST_F(PipelineTest, DoesNotTakeABurstForAHighRate) {
    source.server_time_us = 1'000'000;
    start();
    relation();
    transaction(100, std::vector<std::string>(150, "e"));
    turn();
    clock.advance(10ms);
    transaction(200, {"e"});
    turn();
    EXPECT_EQ(sink.sent_now, 151U);
}

TEST_F(PipelineTest, DoesNotGatherWhenNothingIsInFlight) {
    options.gather_limit = options.fast_gather_limit = 2ms;
    start();
    relation();
    transaction(100, std::vector<std::string>(100, "e"));
    clock.advance(1ms);
    turn();
    sink.acknowledge_all();
    transaction(200, {"late"});
    turn();
    EXPECT_EQ(sink.sent.size(), 101U);
}

// ---- Broken streams

TEST_F(PipelineTest, ANewStreamRepeatsWhatTheOldOneLeftOpen) {
    start();
    relation();
    transaction(100, {"a"});
    begin(190);
    insert("b");
    source.break_connection();
    EXPECT_EQ(failure(), "retry: the connection is lost");
    sink.acknowledge_all();

    FakeSource again;
    pipeline->wait_without_source(0ms, Pipeline::Wait::kUntilSettled, EventFd());
    EXPECT_EQ(confirmed(), 100U);
    pipeline->attach(again);
    again.frame(test::begin_frame(190), 190);
    again.frame(
        test::relation_frame(kOutbox + 1, "holdfast", "outbox",
                             {{"id"}, {"aggregatetype"}, {"aggregateid"}, {"type"}, {"payload"}}));
    again.frame(test::insert_frame(kOutbox + 1, {"b", "orders", "k", "T", "{}"}));
    again.frame(test::commit_frame(190, 200), 190);
    turn();
    EXPECT_EQ(sink.ids(), "a b b");
    EXPECT_EQ(confirmed(), 100U);
    sink.acknowledge_all();
    turn();
    EXPECT_EQ(confirmed(), 200U);
    clock.advance(1s);
    turn();
    EXPECT_EQ(again.statuses.back().confirmed, Lsn{200});
}

TEST_F(PipelineTest, ARecordThatWaitedWhenTheStreamBrokeIsForgotten) {
    sink.capacity = 1;
    start();
    relation();
    transaction(100, {"a"});
    transaction(200, {"b"});
    turn();
    FakeSource again;
    pipeline->attach(again);
    sink.acknowledge_all();
    turn();
    turn();
    EXPECT_EQ(sink.ids(), "a");
    EXPECT_TRUE(pipeline->settled());
    EXPECT_EQ(confirmed(), 100U);
}

TEST_F(PipelineTest, RelationsOfABrokenStreamAreForgotten) {
    start();
    relation();
    turn();
    pipeline->attach(source);
    begin(90);
    insert("a");
    EXPECT_TRUE(failure().starts_with("internal_error: change of relation 16400"));
}

// ---- Draining

TEST_F(PipelineTest, ADrainReadsToTheEndOfTheOpenTransactionAndNoFurther) {
    sink.capacity = 1;
    start();
    relation();
    begin(90);
    insert("a");
    insert("b");
    commit(90, 100);
    transaction(200, {"c"});
    turn();
    pipeline->begin_drain();
    for (int i = 0; i < 5; ++i) {
        turn();
        sink.acknowledge_all();
    }
    EXPECT_EQ(sink.ids(), "a b");
    EXPECT_TRUE(pipeline->settled());
    EXPECT_EQ(confirmed(), 100U);
}

TEST_F(PipelineTest, RunDrainsConfirmsAndReturnsWhenStopped) {
    const SystemClock system_clock;
    const EventFd stop;
    sink.acknowledge_at_once = true;
    pipeline.emplace(sink, TranslatorOptions{.outboxes = {debezium::EventRouterOptions{}}}, nullptr,
                     system_clock, metrics, options);
    relation();
    transaction(100, {"a", "b"});
    stop.signal();
    EXPECT_TRUE(pipeline->run(source, stop));
    EXPECT_EQ(source.statuses.back(), (Status{Lsn{100}, Lsn{100}}));
}

TEST_F(PipelineTest, RunGivesUpDrainingAtItsLimit) {
    const SystemClock system_clock;
    const EventFd stop;
    options.drain_limit = 20ms;
    pipeline.emplace(sink, TranslatorOptions{.outboxes = {debezium::EventRouterOptions{}}}, nullptr,
                     system_clock, metrics, options);
    relation();
    transaction(100, {"a"});
    stop.signal();
    EXPECT_FALSE(pipeline->run(source, stop));
    EXPECT_EQ(source.statuses.back(), (Status{Lsn{100}, Lsn{0}}));
}

TEST_F(PipelineTest, RunIsWokenByStopFromAnotherThread) {
    const SystemClock system_clock;
    const EventFd stop;
    pipeline.emplace(sink, TranslatorOptions{.outboxes = {debezium::EventRouterOptions{}}}, nullptr,
                     system_clock, metrics, options);
    const std::jthread other([&] { stop.signal(); });
    EXPECT_TRUE(pipeline->run(source, stop));
}

// ---- What others are told

class Positions final : public PositionListener {
 public:
    void on_position(std::string_view event_id, std::string_view topic, std::int32_t partition,
                     std::int64_t offset) noexcept override {
        lines.push_back(std::string(event_id) + " " + std::string(topic) + "/" +
                        std::to_string(partition) + "@" + std::to_string(offset));
    }
    std::vector<std::string> lines;
};

TEST_F(PipelineTest, TellsWhereEachRecordIs) {
    Positions positions;
    listener = &positions;
    start();
    relation();
    transaction(100, {"a", std::string(50, 'i')});
    turn();
    sink.acknowledge_all();
    turn();
    EXPECT_EQ(positions.lines,
              (std::vector<std::string>{"a orders/0@0", std::string(39, 'i') + " orders/0@1"}));
}

TEST_F(PipelineTest, Counts) {
    start();
    relation();
    transaction(100, {"a", "b"});
    transaction(200, {"c"});
    source.keepalive(250);
    turn();
    sink.acknowledge(0);
    sink.acknowledge(1);
    clock.advance(1s);
    turn();
    EXPECT_EQ(metrics.events.value(), 2U);
    EXPECT_EQ(metrics.event_bytes.value(), 6U);
    EXPECT_EQ(metrics.transactions.value(), 1U);
    EXPECT_EQ(metrics.in_flight_records.value(), 1);
    EXPECT_EQ(metrics.in_flight_bytes.value(), 3);
    EXPECT_EQ(metrics.received_lsn.value(), 250);
    EXPECT_EQ(metrics.server_lsn.value(), 250);
    EXPECT_EQ(metrics.confirmed_lsn.value(), 100);
}

}  // namespace
}  // namespace holdfast::relay::capture
