// Kafka to SQL: reads the topics of all bindings and has each message applied once, in the order of
// its partition, by the database function that it is bound to.
//
// The position in a partition is kept in the database and moves in the same transaction as the
// effects; the broker is told afterwards, for monitors only.  A partition is claimed before its
// first message (the claim fences whoever had it before), and claimed again after every failure:
// the stored offset then says whether the batch went through.  A failed batch is tried again, whole
// and for ever, with backoff, while other partitions go on; only the database decides that a
// message is poison.  A batch whose effect is outside of the database may stay under way for a
// while; its partition waits for it, and nothing else does.
//
// Thread rule: one thread runs it; a stop may be requested, and healthy() asked, from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/event_fd.hpp"
#include "inbox/message_text.hpp"
#include "inbox/procedure_caller.hpp"
#include "inbox/record_source.hpp"
#include "metrics/relay_metrics.hpp"

namespace holdfast::relay::inbox {

enum class StartAt { kEarliest, kLatest };

/// Messages of `topic` go to `call`.
struct Binding {
    std::string topic;
    std::string call;
    std::size_t batch_max_messages = 500;
    std::size_t batch_max_bytes = 1 << 20;
    /// Messages that are held for the batches to come; at least one batch.
    std::size_t pending_max_messages = 0;
    StartAt start = StartAt::kEarliest;
    metrics::InboxMetrics* metrics = nullptr;  ///< must outlive the pipeline; nullptr = not counted
};

/// One consumer group: its name is the consumer's name in the database.
struct Group {
    std::string consumer;
    RecordSource* source = nullptr;  ///< must outlive the pipeline
    std::vector<Binding> bindings;   ///< topics are distinct
};

struct PipelineOptions {
    std::chrono::milliseconds retry_initial{50};
    std::chrono::milliseconds retry_cap{10'000};
    /// How often the broker is told of the positions.
    std::chrono::milliseconds commit_interval{1'000};
    Backoff::Random random;  ///< of the jitter; empty = the operating system's
    /// Called after each round that moved something or had nothing to do; feeds the watchdog.
    std::function<void()> progress;
};

class Pipeline {
 public:
    /// `caller` and `clock` must outlive the pipeline.
    Pipeline(std::vector<Group> groups, ProcedureCaller& caller, const Clock& clock,
             PipelineOptions options);
    ~Pipeline();
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    /// Runs until `stop` is requested; returns between two batches.  Throws FatalError when a
    /// person is needed: kInboxOffsetGap, kPermissionDenied, kConfig, kTopicMissing.
    void run(std::stop_token stop);

    /// One round without waiting: takes what the sources have, applies what is due.  Returns when
    /// the next round is due if nothing arrives before (time_point::max() = never).
    std::chrono::steady_clock::time_point step();

    /// Whether no partition waits for a retry or a claim.  Any thread.
    [[nodiscard]] bool healthy() const { return healthy_.load(std::memory_order_relaxed); }

 private:
    using TimePoint = std::chrono::steady_clock::time_point;
    struct Assignment;
    struct Member;
    enum class Went { kWell, kWrong };

    Went verify_calls(TimePoint now);
    void take_events(Member& member, TimePoint now);
    void take_message(Member& member, Received&& received, TimePoint now);
    Went claim_due(Member& member, TimePoint now);
    void claim_first(Member& member, Assignment& assignment);
    void claim_again(Member& member, Assignment& assignment);
    Went apply_due(Member& member, TimePoint now);
    void apply_batch(Member& member, Assignment& assignment);
    static void resume_if_room(Member& member, Assignment& assignment);
    void assign(Member& member);
    void fail(Member& member, Assignment& assignment, const char* event,
              const std::exception& error);
    void attend(TimePoint now);
    void tell_broker(Member& member, TimePoint now) const;
    void count_partitions(Member& member);
    [[nodiscard]] TimePoint next_due(TimePoint now) const;
    [[nodiscard]] bool stopping() const { return stop_.stop_requested(); }

    std::vector<std::unique_ptr<Member>> members_;
    ProcedureCaller& caller_;
    const Clock& clock_;
    PipelineOptions options_;
    std::stop_token stop_;
    EventFd wake_;
    std::atomic<bool> healthy_{false};
    bool verified_ = false;
    Backoff verify_backoff_;
    TimePoint verify_due_{};
    std::vector<MessageText> texts_;         // reused
    std::vector<PreparedMessage> prepared_;  // reused
};

}  // namespace holdfast::relay::inbox
