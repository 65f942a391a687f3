// Kafka to SQL: reads the topics of all bindings and has each message applied once, in the order of
// its partition, by the database function that it is bound to.
//
// The position in a partition is kept in the database and moves in the same transaction as the
// effects; the broker is told afterwards, for monitors only.  A partition is claimed before its
// first message (the claim fences whoever had it before), and claimed again after every failure:
// the stored offset then says whether the batch went through.  A failed batch is tried again, whole
// and for ever, with backoff, while other partitions go on; only the database decides that a
// message is poison.
//
// Thread rule: one thread runs it.  request_stop() may come from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/event_fd.hpp"
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
    std::uint64_t seed = 0;  ///< of the jitter; 0 = random
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

    /// No partition is waiting for a retry or a claim.
    [[nodiscard]] bool healthy() const;

 private:
    struct Assignment;
    struct Member;

    bool verify_calls();
    void take_events(Member& member);
    void claim_partitions(Member& member);
    void claim_again(Member& member, Assignment& assignment);
    void apply_due(Member& member, Assignment& assignment);
    void fail(Member& member, Assignment& assignment, const char* event, const char* cause);
    void commit_positions(Member& member);

    std::vector<std::unique_ptr<Member>> members_;
    ProcedureCaller& caller_;
    const Clock& clock_;
    PipelineOptions options_;
    EventFd wake_;
};

}  // namespace holdfast::relay::inbox
