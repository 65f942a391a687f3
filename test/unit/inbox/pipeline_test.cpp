#include "inbox/pipeline.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "inbox/fakes.hpp"
#include "support/manual_clock.hpp"

namespace holdfast::relay::inbox {
namespace {

using std::chrono::milliseconds;
using testing::FakeDatabase;
using testing::FakeSource;
using testing::Mishap;

const Partition kFirst{"order-failed", 0};
const Partition kSecond{"order-failed", 1};

class InboxPipeline : public ::testing::Test {
 protected:
    Pipeline& pipeline() {
        if (!pipeline_) {
            binding_.metrics = &metrics_;
            PipelineOptions options = options_;
            // Always the longest wait that the jitter allows.
            options.random = [](std::uint64_t limit) { return limit; };
            std::vector<Group> groups;
            groups.push_back({"holdfast", &source_, {binding_}});
            pipeline_.emplace(std::move(groups), database_, clock_, std::move(options));
        }
        return *pipeline_;
    }
    /// Rounds until nothing is due at this moment.  Two in a row, because a new assignment makes
    /// messages arrive, which a descriptor would tell and the fake has none.
    void settle() {
        int resting = 0;
        for (int i = 0; i < 200 && resting < 2; ++i) {
            resting = pipeline().step() > clock_.now() ? resting + 1 : 0;
        }
        ASSERT_EQ(resting, 2) << "the pipeline never rests";
    }
    void fill(const Partition& partition, int count) {
        for (int i = 0; i < count; ++i) {
            const std::string text = std::to_string(filled_[partition]++);
            source_.append(partition, "key" + text, text);
        }
    }
    static std::vector<std::string> numbers(int from, int to) {
        std::vector<std::string> texts;
        for (int i = from; i < to; ++i) {
            texts.push_back(std::to_string(i));
        }
        return texts;
    }

    FakeSource source_;
    FakeDatabase database_;
    test::ManualClock clock_;
    metrics::InboxMetrics metrics_;
    Binding binding_{.topic = "order-failed", .call = "holdfast.on_order_failed"};
    PipelineOptions options_;

 private:
    std::map<Partition, int> filled_;
    std::optional<Pipeline> pipeline_;
};

TEST_F(InboxPipeline, AppliesEachPartitionInOrderInBatches) {
    binding_.batch_max_messages = 4;
    source_.give({kFirst, kSecond});
    fill(kFirst, 10);
    fill(kSecond, 3);
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 10));
    EXPECT_EQ(database_.applied[kSecond], numbers(0, 3));
    EXPECT_LE(*std::ranges::max_element(database_.batch_sizes), 4U);
    EXPECT_EQ(database_.rows[kFirst].next_offset, 10);
    EXPECT_EQ(metrics_.applied.value(), 13U);
    EXPECT_EQ(metrics_.assigned_partitions.value(), 2);
    EXPECT_TRUE(pipeline().healthy());
}

TEST_F(InboxPipeline, BatchIsBoundedInBytesButOneMessageIsAlwaysTaken) {
    binding_.batch_max_bytes = 100;
    source_.give({kFirst});
    source_.append(kFirst, "k", std::string(500, 'x'));
    source_.append(kFirst, "k", std::string(60, 'x'));
    source_.append(kFirst, "k", std::string(60, 'x'));
    settle();
    EXPECT_EQ(database_.batch_sizes, (std::vector<std::size_t>{1, 1, 1}));
}

TEST_F(InboxPipeline, StartsWhereTheDatabaseSays) {
    fill(kFirst, 6);
    database_.rows[kFirst] = {4, 7};
    source_.give({kFirst});
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(4, 6));
    EXPECT_EQ(database_.rows[kFirst].epoch, 8);
}

TEST_F(InboxPipeline, NewConsumerStartsWhereItsBindingSays) {
    binding_.start = StartAt::kLatest;
    fill(kFirst, 6);
    source_.give({kFirst});
    settle();
    EXPECT_TRUE(database_.applied[kFirst].empty());
    fill(kFirst, 1);
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(6, 7));
}

TEST_F(InboxPipeline, MissingMessagesAreAGapAndNeverJumpedOver) {
    fill(kFirst, 10);
    source_.remove_before(kFirst, 5);
    database_.rows[kFirst] = {3, 1};
    source_.give({kFirst});
    try {
        settle();
        FAIL() << "no error";
    } catch (const FatalError& error) {
        EXPECT_EQ(error.code(), ExitCode::kInboxOffsetGap);
        EXPECT_NE(std::string(error.what()).find("order-failed/0"), std::string::npos);
    }
}

TEST_F(InboxPipeline, OffsetBeyondTheLogIsAGap) {
    fill(kFirst, 2);
    database_.rows[kFirst] = {3, 1};
    source_.give({kFirst});
    EXPECT_THROW(settle(), FatalError);
}

TEST_F(InboxPipeline, WhatIsUnderWayHoldsUpItsPartitionOnly) {
    binding_.batch_max_messages = 1;
    source_.give({kFirst, kSecond});
    fill(kFirst, 3);
    fill(kSecond, 3);
    database_.slow.insert(kFirst);
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 0));
    EXPECT_EQ(database_.applied[kSecond], numbers(0, 3));
    EXPECT_EQ(database_.asked[kFirst], 1) << "it is asked again when something has ended";
    EXPECT_TRUE(pipeline().healthy());

    // Something else has ended.
    database_.ended = true;
    settle();
    EXPECT_EQ(database_.asked[kFirst], 2);
    database_.slow.clear();
    database_.ended = true;
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 3));
    EXPECT_EQ(database_.attempts[kFirst], 3);
    EXPECT_EQ(metrics_.retries.value(), 0U);
}

TEST_F(InboxPipeline, WhatIsUnderWayIsAskedForEvenIfNobodyTells) {
    source_.give({kFirst});
    fill(kFirst, 1);
    database_.slow.insert(kFirst);
    settle();
    database_.slow.clear();
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 0));
    clock_.advance(milliseconds(1'000));
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 1));
}

TEST_F(InboxPipeline, FetchesAheadOfABatchAndPausesWhenThatIsFull) {
    binding_.batch_max_messages = 1;
    binding_.pending_max_messages = 10;
    source_.give({kFirst});
    fill(kFirst, 30);
    database_.slow.insert(kFirst);
    settle();
    EXPECT_TRUE(source_.is_paused(kFirst));
    database_.slow.clear();
    database_.ended = true;
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 30));
    EXPECT_EQ(database_.batch_sizes, std::vector<std::size_t>(30, 1));
    EXPECT_FALSE(source_.is_paused(kFirst));
}

TEST_F(InboxPipeline, TheOtherSideMaySayHowLongToStayAway) {
    source_.give({kFirst});
    fill(kFirst, 1);
    database_.mishaps[kFirst] = {Mishap::kPostponed};
    settle();
    clock_.advance(milliseconds(29'999));
    settle();
    EXPECT_EQ(database_.attempts[kFirst], 1);
    clock_.advance(milliseconds(1));
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 1));
}

TEST_F(InboxPipeline, ResumesWhenWhatMadeItPauseTurnsOutToBeApplied) {
    binding_.batch_max_messages = 2;
    source_.give({kFirst});
    fill(kFirst, 1);
    database_.mishaps[kFirst] = {Mishap::kTransient, Mishap::kLostAfterCommit};
    settle();
    fill(kFirst, 1);
    settle();
    EXPECT_TRUE(source_.is_paused(kFirst));
    clock_.advance(milliseconds(60'000));
    settle();
    clock_.advance(milliseconds(60'000));
    fill(kFirst, 2);
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 4));
}

TEST_F(InboxPipeline, RetriesTheWholeBatchAfterATransientError) {
    source_.give({kFirst});
    fill(kFirst, 3);
    database_.mishaps[kFirst] = {Mishap::kTransient, Mishap::kTransient};
    settle();
    EXPECT_TRUE(database_.applied[kFirst].empty());
    EXPECT_FALSE(pipeline().healthy());
    clock_.advance(milliseconds(50));
    settle();
    EXPECT_EQ(database_.attempts[kFirst], 2);
    // The second wait is twice as long.
    clock_.advance(milliseconds(50));
    settle();
    EXPECT_EQ(database_.attempts[kFirst], 2);
    clock_.advance(milliseconds(50));
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 3));
    EXPECT_EQ(metrics_.retries.value(), 2U);
    EXPECT_EQ(metrics_.dead.value(), 0U);
    EXPECT_TRUE(pipeline().healthy());
}

TEST_F(InboxPipeline, OtherPartitionsGoOnWhileOneWaits) {
    source_.give({kFirst, kSecond});
    fill(kFirst, 2);
    fill(kSecond, 2);
    database_.mishaps[kFirst].assign(3, Mishap::kTransient);
    settle();
    EXPECT_TRUE(database_.applied[kFirst].empty());
    EXPECT_EQ(database_.applied[kSecond], numbers(0, 2));
}

TEST_F(InboxPipeline, WaitingPartitionIsPausedWhenItsBufferIsFull) {
    binding_.batch_max_messages = 2;
    source_.give({kFirst, kSecond});
    fill(kFirst, 50);
    fill(kSecond, 50);
    database_.mishaps[kFirst].assign(1, Mishap::kTransient);
    settle();
    EXPECT_TRUE(source_.is_paused(kFirst));
    EXPECT_EQ(database_.applied[kSecond], numbers(0, 50));
    clock_.advance(milliseconds(50));
    settle();
    EXPECT_FALSE(source_.is_paused(kFirst));
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 50));
}

TEST_F(InboxPipeline, LostConnectionAfterCommitAppliesNothingTwice) {
    source_.give({kFirst});
    fill(kFirst, 3);
    database_.mishaps[kFirst] = {Mishap::kLostAfterCommit};
    settle();
    fill(kFirst, 2);
    clock_.advance(milliseconds(50));
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 5));
    EXPECT_EQ(source_.seeks, 0);
}

TEST_F(InboxPipeline, LostConnectionBeforeCommitAppliesEverything) {
    source_.give({kFirst});
    fill(kFirst, 3);
    database_.mishaps[kFirst] = {Mishap::kLostBeforeCommit};
    settle();
    clock_.advance(milliseconds(50));
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 3));
}

TEST_F(InboxPipeline, UnknownErrorsAreRetriedAndNeverPoison) {
    source_.give({kFirst});
    fill(kFirst, 1);
    database_.mishaps[kFirst] = {Mishap::kUnexpected};
    settle();
    clock_.advance(milliseconds(50));
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 1));
}

TEST_F(InboxPipeline, FatalErrorsStopThePipeline) {
    source_.give({kFirst});
    fill(kFirst, 1);
    database_.mishaps[kFirst] = {Mishap::kFatal};
    EXPECT_THROW(settle(), FatalError);
}

TEST_F(InboxPipeline, FencedPartitionGoesOnWhereTheOtherOwnerStopped) {
    source_.give({kFirst});
    settle();
    fill(kFirst, 4);
    // Another process has claimed the partition and applied the first message.
    database_.rows[kFirst].epoch += 1;
    database_.rows[kFirst].next_offset = 1;
    settle();
    EXPECT_TRUE(database_.applied[kFirst].empty());
    EXPECT_EQ(metrics_.fenced.value(), 1U);
    clock_.advance(milliseconds(50));
    settle();
    EXPECT_EQ(database_.applied[kFirst], numbers(1, 4));
}

TEST_F(InboxPipeline, OffsetThatWasSetBackIsFollowedBySeeking) {
    source_.give({kFirst});
    fill(kFirst, 4);
    settle();
    database_.rows[kFirst].next_offset = 2;
    fill(kFirst, 1);
    settle();
    clock_.advance(milliseconds(50));
    settle();
    EXPECT_EQ(source_.seeks, 1);
    EXPECT_EQ(database_.applied[kFirst],
              (std::vector<std::string>{"0", "1", "2", "3", "2", "3", "4"}));
}

TEST_F(InboxPipeline, PoisonIsCountedAndDoesNotStopOthers) {
    source_.give({kFirst});
    source_.append(kFirst, "a", "1");
    source_.append(kFirst, "b", "poison");
    source_.append(kFirst, "c", std::string("\xFF\xFE", 2));
    source_.append(kFirst, "d", "2");
    settle();
    EXPECT_EQ(database_.applied[kFirst], (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(metrics_.dead.value(), 2U);
    EXPECT_EQ(database_.rows[kFirst].next_offset, 4);
}

TEST_F(InboxPipeline, RevokedPartitionIsNotAppliedAnyMore) {
    source_.give({kFirst, kSecond});
    fill(kFirst, 2);
    database_.mishaps[kFirst] = {Mishap::kTransient};
    settle();
    source_.take_away({kFirst, kSecond});
    clock_.advance(milliseconds(1'000));
    settle();
    EXPECT_EQ(database_.attempts[kFirst], 1);
    EXPECT_EQ(metrics_.assigned_partitions.value(), 0);
    source_.give({kSecond});
    fill(kSecond, 1);
    settle();
    EXPECT_EQ(database_.applied[kSecond], numbers(0, 1));
}

TEST_F(InboxPipeline, WaitsForADatabaseThatIsAwayAtTheStart) {
    database_.down = 3;
    source_.give({kFirst});
    fill(kFirst, 2);
    for (int i = 0; i < 10; ++i) {
        settle();
        clock_.advance(milliseconds(500));
    }
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 2));
}

TEST_F(InboxPipeline, WaitsForABrokerThatDoesNotAnswer) {
    source_.unreachable = 2;
    source_.give({kFirst});
    fill(kFirst, 2);
    for (int i = 0; i < 5; ++i) {
        settle();
        clock_.advance(milliseconds(200));
    }
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 2));
}

TEST_F(InboxPipeline, WrongFunctionNameIsAnErrorAtTheStart) {
    database_.unknown_calls.insert("holdfast.on_order_failed");
    EXPECT_THROW(pipeline().step(), FatalError);
}

TEST_F(InboxPipeline, TellsTheBrokerAfterTheDatabaseAndNotForEachBatch) {
    options_.commit_interval = milliseconds(1'000);
    source_.give({kFirst});
    fill(kFirst, 3);
    settle();
    clock_.advance(milliseconds(1'000));
    settle();
    EXPECT_EQ(source_.committed[kFirst], 3);
    fill(kFirst, 2);
    settle();
    EXPECT_EQ(source_.committed[kFirst], 3);
    clock_.advance(milliseconds(1'000));
    settle();
    EXPECT_EQ(source_.committed[kFirst], 5);
    EXPECT_EQ(metrics_.lag_records.value(), 0);
}

TEST_F(InboxPipeline, StopsBetweenTwoBatches) {
    binding_.batch_max_messages = 2;
    source_.give({kFirst});
    fill(kFirst, 10);
    std::stop_source stop;
    database_.on_apply = [&] { stop.request_stop(); };
    pipeline().run(stop.get_token());
    EXPECT_EQ(database_.applied[kFirst], numbers(0, 2));
    EXPECT_EQ(source_.committed[kFirst], 2);
}

TEST_F(InboxPipeline, TakesOrderPerKeyThroughRandomMishaps) {
    binding_.batch_max_messages = 3;
    source_.give({kFirst, kSecond});
    std::uint64_t state = 42;
    const auto random = [&state](std::uint64_t bound) {
        state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        return (state >> 33U) % bound;
    };
    for (int round = 0; round < 400; ++round) {
        const Partition& partition = random(2) == 0 ? kFirst : kSecond;
        fill(partition, static_cast<int>(random(5)));
        if (random(3) == 0) {
            constexpr std::array kMishaps{Mishap::kTransient, Mishap::kLostBeforeCommit,
                                          Mishap::kLostAfterCommit, Mishap::kUnexpected};
            database_.mishaps[partition].push_back(kMishaps.at(random(kMishaps.size())));
        }
        if (random(10) == 0) {
            database_.rows[kFirst].epoch += database_.rows.contains(kFirst) ? 1 : 0;
        }
        if (random(20) == 0) {
            source_.take_away({kFirst, kSecond});
            source_.give({kFirst, kSecond});
        }
        settle();
        clock_.advance(milliseconds(random(200)));
    }
    database_.mishaps.clear();
    for (int i = 0; i < 100; ++i) {
        settle();
        clock_.advance(milliseconds(10'000));
    }
    for (const Partition& partition : {kFirst, kSecond}) {
        const auto total = source_.watermarks(partition).high;
        EXPECT_EQ(database_.applied[partition].size(), static_cast<std::size_t>(total));
        EXPECT_EQ(database_.applied[partition], numbers(0, static_cast<int>(total)));
    }
}

}  // namespace
}  // namespace holdfast::relay::inbox
