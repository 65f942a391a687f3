// The pipeline where Debezium has left the slot: what was sent is left out, and nothing else.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "capture/fakes.hpp"
#include "capture/pipeline.hpp"
#include "support/manual_clock.hpp"

namespace holdfast::relay::capture {
namespace {

constexpr std::uint32_t kOutbox = 16'400;

/// A stream that goes on in transaction 7, after two of the changes at 150; it ends at 200.
class PipelineResumeTest : public testing::Test {
 protected:
    PipelineResumeTest() {
        options.gather_limit = options.fast_gather_limit = std::chrono::microseconds(0);
    }

    Lsn start(std::uint64_t slot_confirmed) {
        if (!pipeline) {
            pipeline.emplace(sink, translator, nullptr, clock, metrics, options);
        }
        const Lsn from = pipeline->plan_start(Lsn{slot_confirmed});
        pipeline->attach(*source);
        source->frame(test::relation_frame(kOutbox, "holdfast", "outbox",
                                           {{"id", 2950, true},
                                            {"aggregatetype"},
                                            {"aggregateid"},
                                            {"type"},
                                            {"payload", 114},
                                            {"headers", 114}}));
        return from;
    }
    void begin(std::uint32_t xid, std::uint64_t final_lsn) {
        source->frame(test::begin_frame(final_lsn, 0, xid));
    }
    void insert(const std::string& id, std::uint64_t lsn) {
        source->frame(test::insert_frame(kOutbox, {id, "orders", "k", "T", "{}", std::nullopt}),
                      lsn);
    }
    void commit(std::uint64_t lsn, std::uint64_t end) {
        source->frame(test::commit_frame(lsn, end), end);
    }
    void rest_of_the_stream() {
        begin(7, 190);
        insert("a", 140);
        insert("b", 150);
        insert("c", 150);
        insert("d", 150);
        insert("e", 160);
        commit(190, 200);
        begin(8, 290);
        insert("f", 145);
        insert("g", 210);
        commit(290, 300);
    }
    [[nodiscard]] std::uint64_t confirmed() const { return pipeline->confirmed().value; }

    std::unique_ptr<FakeSource> source = std::make_unique<FakeSource>();
    FakeSink sink;
    test::ManualClock clock;
    metrics::CaptureMetrics metrics;
    PipelineOptions options;
    TranslatorOptions translator{
        .outboxes = {debezium::EventRouterOptions{}},
        .connector = {},
        .run_id = {},
        .resume_after =
            ResumePosition{.lsn_commit = Lsn{100}, .lsn = Lsn{150}, .xid = Xid{7}, .events = 2}};
    std::optional<Pipeline> pipeline;
};

TEST_F(PipelineResumeTest, LeavesOutExactlyWhatWasSent) {
    EXPECT_EQ(start(90), Lsn{100});
    EXPECT_TRUE(pipeline->resumes());
    rest_of_the_stream();
    pipeline->turn();
    EXPECT_EQ(sink.ids(), "d e f g");
    sink.acknowledge_all();
    pipeline->turn();
    EXPECT_EQ(confirmed(), 300U);
}

TEST_F(PipelineResumeTest, AKeepaliveConfirmsNothingUntilTheTransactionHasCome) {
    start(90);
    source->keepalive(170);
    pipeline->turn();
    EXPECT_EQ(confirmed(), 0U);
    rest_of_the_stream();
    source->keepalive(400);
    pipeline->turn();
    sink.acknowledge_all();
    pipeline->turn();
    source->keepalive(410);
    pipeline->turn();
    EXPECT_EQ(confirmed(), 410U);
}

TEST_F(PipelineResumeTest, ATransactionOfWhichEverythingWasSentIsConfirmed) {
    start(100);
    begin(7, 190);
    insert("b", 150);
    insert("c", 150);
    commit(190, 200);
    pipeline->turn();
    EXPECT_EQ(sink.ids(), "");
    EXPECT_EQ(confirmed(), 200U);
}

TEST_F(PipelineResumeTest, AStreamThatBreaksInTheMiddleLeavesItOutAgain) {
    start(100);
    begin(7, 190);
    insert("b", 150);
    insert("c", 150);
    insert("d", 150);
    pipeline->turn();
    source->break_connection();
    EXPECT_THROW(pipeline->turn(), RetryableError);
    EXPECT_EQ(sink.ids(), "d");
    source = std::make_unique<FakeSource>();
    start(100);
    rest_of_the_stream();
    pipeline->turn();
    EXPECT_EQ(sink.ids(1), "d e f g");  // at least once: d was sent and not confirmed
}

TEST_F(PipelineResumeTest, IsUsedUpOnceTheSlotIsBeyondIt) {
    EXPECT_EQ(start(200), Lsn{200});
    EXPECT_FALSE(pipeline->resumes());
    begin(7, 290);  // the number has come round
    insert("f", 145);
    commit(290, 300);
    pipeline->turn();
    EXPECT_EQ(sink.ids(), "f");
}

TEST_F(PipelineResumeTest, HaltsWhenAnotherTransactionComesFirst) {
    start(90);
    begin(8, 190);
    try {
        pipeline->turn();
        FAIL() << "went on";
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kConfig);
    }
    EXPECT_EQ(confirmed(), 0U);
    EXPECT_EQ(sink.ids(), "");
}

TEST_F(PipelineResumeTest, HaltsWhenALoneMessageComesFirst) {
    start(90);
    source->frame(test::message_frame(false, 120, "outbox", "{}"), 120);
    EXPECT_THROW(pipeline->turn(), FatalError);
    EXPECT_EQ(sink.ids(), "");
}

}  // namespace
}  // namespace holdfast::relay::capture
