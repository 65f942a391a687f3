// The courier under the inbox pipeline, as in the relay, with everything outside in memory.
#include "notify/courier.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "inbox/fakes.hpp"
#include "inbox/pipeline.hpp"
#include "notify/fakes.hpp"
#include "support/manual_clock.hpp"

namespace holdfast::relay::notify {
namespace {

using inbox::Partition;
using inbox::testing::FakeSource;
using std::chrono::milliseconds;
using testing::FakeEndpoints;
using testing::FakeLedger;
using Status = Settlement::Status;
using Ids = std::vector<std::string>;

const Partition kPayments{"payment-event", 0};
const Partition kMorePayments{"payment-event", 1};
const Partition kOrders{"order-events", 0};

class NotifyCourier : public ::testing::Test {
 protected:
    void SetUp() override { start(); }

    /// A new process, with the broker and the database as they were.
    void start() {
        pipeline_.reset();
        courier_.reset();
        CourierOptions options;
        options.random = longest_;
        courier_.emplace(
            std::vector<Binding>{
                {.consumer = "chat",
                 .topic = "payment-event",
                 .origin = "https://chat.example",
                 .metrics = &metrics_},
                {.consumer = "chat", .topic = "order-events", .origin = "https://mail.example"}},
            endpoints_, ledger_, clock_, std::move(options));
        inbox::PipelineOptions pipeline_options;
        pipeline_options.retry_initial = milliseconds(500);
        pipeline_options.random = longest_;
        std::vector<inbox::Group> groups;
        groups.push_back({"chat",
                          &source_,
                          {{.topic = "payment-event",
                            .call = "POST https://chat.example",
                            .batch_max_messages = 1,
                            .pending_max_messages = 10,
                            .metrics = &messages_},
                           {.topic = "order-events",
                            .call = "POST https://mail.example",
                            .batch_max_messages = 1,
                            .pending_max_messages = 10}}});
        pipeline_.emplace(std::move(groups), *courier_, clock_, std::move(pipeline_options));
        source_.give({kPayments, kMorePayments, kOrders});
    }
    void settle() {
        int resting = 0;
        for (int i = 0; i < 200 && resting < 2; ++i) {
            // A response would wake the pipeline.
            const bool rests = pipeline_->step() > clock_.now() && !endpoints_.has_answered();
            resting = rests ? resting + 1 : 0;
        }
        ASSERT_EQ(resting, 2) << "the pipeline never rests";
    }
    void pass(milliseconds time) {
        clock_.advance(time);
        settle();
    }

    FakeSource source_;
    FakeEndpoints endpoints_;
    FakeLedger ledger_;
    test::ManualClock clock_;
    metrics::NotifyMetrics metrics_;
    metrics::InboxMetrics messages_;
    std::optional<Courier> courier_;
    std::optional<inbox::Pipeline> pipeline_;

 private:
    const Backoff::Random longest_ = [](std::uint64_t limit) { return limit; };
};

TEST_F(NotifyCourier, SendsEachMessageOnceAndRecordsTheAnswer) {
    for (int i = 0; i < 30; ++i) {
        source_.append(kPayments, "k", "v" + std::to_string(i));
    }
    settle();
    ASSERT_EQ(endpoints_.posted.size(), 30U);
    EXPECT_EQ(endpoints_.ids(), ledger_.applied());
    EXPECT_EQ(endpoints_.posted[7].request.event_id, "v7@7");
    EXPECT_EQ(endpoints_.posted[7].request.topic, "payment-event");
    EXPECT_EQ(endpoints_.posted[7].request.body, "v7");
    EXPECT_EQ(ledger_.rows[kPayments].next_offset, 30);
    EXPECT_EQ(metrics_.sent.value(), 30U);
    EXPECT_EQ(messages_.applied.value(), 30U);
    EXPECT_GE(ledger_.verified, 1);
}

TEST_F(NotifyCourier, BodyIsTheValueByteForByte) {
    const std::string bytes("\xFF\x00\xFE", 3);
    source_.append(kPayments, "k", bytes);
    settle();
    ASSERT_EQ(endpoints_.posted.size(), 1U);
    EXPECT_EQ(endpoints_.posted[0].request.body, bytes);
}

TEST_F(NotifyCourier, RetriesUntilThereIsAnAnswerUnderTheSameId) {
    for (const int status : {0, 500, 503, 408, 425, 429, 302}) {
        endpoints_.prepare(0, status);
    }
    source_.append(kPayments, "k", "first");
    source_.append(kPayments, "k", "second");
    for (int i = 0; i < 7; ++i) {
        settle();
        EXPECT_EQ(endpoints_.posted.size(), static_cast<std::size_t>(i) + 1);
        EXPECT_TRUE(ledger_.recorded.empty());
        clock_.advance(milliseconds(60'000));
    }
    settle();
    EXPECT_EQ(ledger_.applied(), (Ids{"first@0", "second@1"}));
    Ids expected(8, "first@0");
    expected.emplace_back("second@1");
    EXPECT_EQ(endpoints_.ids(), expected) << "nothing overtakes it";
    EXPECT_EQ(metrics_.retried.value(), 7U);
    EXPECT_EQ(metrics_.sent.value(), 2U);
    EXPECT_EQ(messages_.retries.value(), 7U);
}

TEST_F(NotifyCourier, BackoffGrows) {
    endpoints_.prepare(0, 500);
    endpoints_.prepare(0, 500);
    source_.append(kPayments, "k", "v");
    settle();
    pass(milliseconds(499));
    EXPECT_EQ(endpoints_.posted.size(), 1U);
    pass(milliseconds(1));
    EXPECT_EQ(endpoints_.posted.size(), 2U);
    pass(milliseconds(999));
    EXPECT_EQ(endpoints_.posted.size(), 2U);
    pass(milliseconds(1));
    EXPECT_EQ(endpoints_.posted.size(), 3U);
    EXPECT_EQ(ledger_.applied(), Ids{"v@0"});
}

TEST_F(NotifyCourier, HonoursRetryAfter) {
    endpoints_.prepare(0, 429, "120");
    source_.append(kPayments, "k", "v");
    settle();
    pass(milliseconds(119'999));
    EXPECT_EQ(endpoints_.posted.size(), 1U);
    pass(milliseconds(1));
    EXPECT_EQ(endpoints_.posted.size(), 2U);
}

TEST_F(NotifyCourier, RefusedIsADeadLetterAndItsKeyWaits) {
    endpoints_.prepare(0, 422);
    source_.append(kPayments, "bad", "a");
    source_.append(kPayments, "bad", "b");
    source_.append(kPayments, "good", "c");
    settle();
    ASSERT_EQ(ledger_.recorded.size(), 2U);
    EXPECT_EQ(ledger_.recorded[0].outcome, inbox::Outcome::kDead);
    EXPECT_EQ(ledger_.recorded[0].message, "https://chat.example answered HTTP 422");
    EXPECT_EQ(endpoints_.ids(), (Ids{"a@0", "c@2"}));
    EXPECT_EQ(metrics_.failed.value(), 1U);
    EXPECT_EQ(messages_.dead.value(), 1U);
    EXPECT_EQ(messages_.parked.value(), 1U);
}

TEST_F(NotifyCourier, WhatTheInboxKnowsIsNotSent) {
    ledger_.seen.insert("v@0");
    source_.append(kPayments, "k", "v");
    settle();
    EXPECT_TRUE(endpoints_.posted.empty());
    EXPECT_EQ(messages_.duplicates.value(), 1U);
    EXPECT_EQ(ledger_.rows[kPayments].next_offset, 1);
}

TEST_F(NotifyCourier, AnsweredIsNeverRepeatedThoughTheDatabaseIsAway) {
    ledger_.record_failures = 4;
    source_.append(kPayments, "k", "v");
    for (int i = 0; i < 6; ++i) {
        settle();
        clock_.advance(milliseconds(60'000));
    }
    settle();
    EXPECT_EQ(endpoints_.ids(), Ids{"v@0"});
    EXPECT_EQ(ledger_.applied(), Ids{"v@0"});
    EXPECT_GT(ledger_.rows[kPayments].epoch, 1) << "it was claimed again in between";
}

TEST_F(NotifyCourier, UnrecordedAnswerIsSentAgainAfterARestartUnderTheSameId) {
    ledger_.record_failures = 1'000;
    source_.append(kPayments, "k", "v");
    settle();
    EXPECT_EQ(endpoints_.ids(), Ids{"v@0"});
    ledger_.record_failures = 0;
    start();
    settle();
    EXPECT_EQ(endpoints_.ids(), (Ids{"v@0", "v@0"}));
    EXPECT_EQ(ledger_.applied(), Ids{"v@0"});
    start();
    settle();
    EXPECT_EQ(endpoints_.posted.size(), 2U);
}

TEST_F(NotifyCourier, SlowEndpointHoldsUpItsBindingOnly) {
    endpoints_.silent.insert(0);
    source_.append(kPayments, "k", "slow");
    source_.append(kOrders, "k", "a");
    source_.append(kOrders, "k", "b");
    settle();
    EXPECT_EQ(ledger_.applied(), (Ids{"a@0", "b@1"}));
    EXPECT_TRUE(pipeline_->healthy());
    pass(milliseconds(3'000));
    EXPECT_EQ(endpoints_.posted.size(), 3U) << "it is not asked twice";
    endpoints_.answer(0);
    settle();
    EXPECT_EQ(ledger_.applied(), (Ids{"a@0", "b@1", "slow@0"}));
}

TEST_F(NotifyCourier, AnswerIsRecordedThoughThePartitionIsGone) {
    endpoints_.silent.insert(0);
    source_.append(kPayments, "k", "v");
    settle();
    source_.take_away({kPayments});
    settle();
    endpoints_.answer(0);
    settle();
    EXPECT_EQ(ledger_.applied(), Ids{"v@0"});
}

TEST_F(NotifyCourier, AnswerIsNotRecordedForWhoeverOwnsThePartitionNow) {
    endpoints_.silent.insert(0);
    source_.append(kPayments, "k", "v");
    settle();
    ++ledger_.rows[kPayments].epoch;
    source_.take_away({kPayments});
    endpoints_.answer(0);
    settle();
    EXPECT_TRUE(ledger_.recorded.empty());
    // Here again: the answer is known, and nothing is sent.
    source_.give({kPayments, kMorePayments, kOrders});
    settle();
    EXPECT_EQ(ledger_.applied(), Ids{"v@0"});
    EXPECT_EQ(endpoints_.posted.size(), 1U);
}

TEST_F(NotifyCourier, FinishRecordsWhatIsAnsweredLast) {
    endpoints_.silent.insert(0);
    source_.append(kPayments, "k", "v");
    ledger_.enqueue(5, "order-events", "e", "{}");
    endpoints_.silent.insert(1);
    settle();
    pass(milliseconds(1'000));
    ASSERT_EQ(endpoints_.posted.size(), 2U);
    endpoints_.answer(0);
    endpoints_.answer(1);
    courier_->finish();
    EXPECT_EQ(ledger_.applied(), Ids{"v@0"});
    ASSERT_EQ(ledger_.settlements.size(), 1U);
    EXPECT_EQ(ledger_.settlements[0].status, Status::kRedriven);
}

TEST_F(NotifyCourier, DeliversRedrivenDeadLettersAgain) {
    ledger_.enqueue(5, "payment-event", "e-5", R"({"a":1})");
    ledger_.enqueue(6, "payment-event", "e-6", "/wD+", "base64");
    settle();
    pass(milliseconds(1'000));
    ASSERT_EQ(endpoints_.ids(), (Ids{"e-5", "e-6"}));
    EXPECT_EQ(endpoints_.posted[0].request.body, R"({"a":1})");
    EXPECT_EQ(endpoints_.posted[0].request.event_type, "PaymentEvent");
    EXPECT_EQ(endpoints_.posted[1].request.body, std::string("\xFF\x00\xFE", 3));
    ASSERT_EQ(ledger_.settlements.size(), 2U);
    EXPECT_EQ(ledger_.settlements[1].status, Status::kRedriven);
    EXPECT_GE(ledger_.last_lease, milliseconds(60'000));
}

TEST_F(NotifyCourier, RedrivenMayBeRefusedAgainOrHaveToWait) {
    endpoints_.prepare(0, 503, "30");
    endpoints_.prepare(0, 400);
    ledger_.enqueue(5, "payment-event", "e-5", "{}");
    settle();
    ASSERT_EQ(ledger_.settlements.size(), 1U);
    EXPECT_EQ(ledger_.settlements[0].status, Status::kQueued);
    EXPECT_EQ(ledger_.settlements[0].retry_in, milliseconds(30'000));
    EXPECT_EQ(ledger_.settlements[0].message, "https://chat.example answered HTTP 503");
    pass(milliseconds(29'999));
    EXPECT_EQ(endpoints_.posted.size(), 1U);
    pass(milliseconds(1));
    ASSERT_EQ(ledger_.settlements.size(), 2U);
    EXPECT_EQ(ledger_.settlements[1].status, Status::kDead);
    EXPECT_EQ(ledger_.settlements[1].sqlstate, "HF026");
}

TEST_F(NotifyCourier, DatabaseIsAskedForRedrivenOnesAtIntervals) {
    settle();
    const int before = ledger_.takes;
    settle();
    EXPECT_EQ(ledger_.takes, before);
    pass(milliseconds(1'000));
    EXPECT_EQ(ledger_.takes, before + 2) << "one for each binding";
}

TEST_F(NotifyCourier, RedrivingWaitsOutTheDatabase) {
    ledger_.enqueue(5, "payment-event", "e-5", "{}");
    endpoints_.silent.insert(0);
    settle();
    ASSERT_EQ(endpoints_.posted.size(), 1U);
    ledger_.down = 2;
    endpoints_.answer(0);
    for (int i = 0; i < 5; ++i) {
        pass(milliseconds(5'000));
    }
    ASSERT_EQ(ledger_.settlements.size(), 1U);
    EXPECT_EQ(ledger_.settlements[0].status, Status::kRedriven);
    EXPECT_EQ(endpoints_.posted.size(), 1U) << "it is settled, not sent again";
}

}  // namespace
}  // namespace holdfast::relay::notify
