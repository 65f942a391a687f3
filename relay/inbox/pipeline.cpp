#include "inbox/pipeline.hpp"

#include <algorithm>
#include <deque>
#include <utility>
#include <variant>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "base/poll.hpp"

namespace holdfast::relay::inbox {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Bound on the events that one round takes from one source.
constexpr std::size_t kEventsPerRound = 5'000;

/// Longest wait when nothing is due: keeps the watchdog fed.
constexpr milliseconds kLongestWait{1'000};

Backoff make_backoff(const PipelineOptions& options) {
    return options.random ? Backoff(options.retry_initial, options.retry_cap, options.random)
                          : Backoff(options.retry_initial, options.retry_cap);
}

std::size_t size_of(const Message& message) {
    return (message.key ? message.key->size() : 0) + (message.value ? message.value->size() : 0);
}

}  // namespace

/// One partition that the group has given us.
struct Pipeline::Assignment {
    enum class Phase {
        kUnclaimed,  ///< nothing is fetched yet
        kReady,      ///< ours, as far as we know
        kDoubtful,   ///< after a failure: the stored offset has to be read again
    };

    Assignment(Partition where, Binding& to, Backoff retry)
        : partition(std::move(where)), binding(&to), backoff(std::move(retry)) {}

    [[nodiscard]] bool full() const {
        return pending.size() >= pending_max() || pending_bytes >= binding->batch_max_bytes;
    }
    /// Whether there is room enough to fetch again; less often than full() ends, because a pause
    /// throws away what the client has fetched ahead.
    [[nodiscard]] bool has_room() const {
        return pending.size() * 2 <= pending_max() && pending_bytes * 2 <= binding->batch_max_bytes;
    }
    [[nodiscard]] std::size_t pending_max() const {
        return std::max(binding->batch_max_messages, binding->pending_max_messages);
    }
    [[nodiscard]] bool can_apply(TimePoint now) const {
        return phase == Phase::kReady && due <= now;
    }
    void drop_before(std::int64_t offset) {
        while (!pending.empty() && pending.front().offset < offset) {
            pending_bytes -= size_of(pending.front());
            pending.pop_front();
        }
    }

    Partition partition;
    Binding* binding;
    Phase phase = Phase::kUnclaimed;
    std::int64_t owner_epoch = 0;
    std::int64_t next_offset = 0;   // what the database has stored
    std::int64_t fetch_offset = 0;  // behind the last message of `pending`
    std::int64_t told_offset = -1;  // what the broker knows
    std::deque<Message> pending;
    std::size_t pending_bytes = 0;
    bool paused = false;
    bool under_way = false;  // the next batch has been given and has no result yet
    Backoff backoff;
    TimePoint due{};
};

/// One group with its source and what it has been given.
struct Pipeline::Member {
    Group group;
    // A deque, because elements must not move while a round goes over them.
    std::deque<Assignment> assignments;
    bool assign_needed = false;
    TimePoint assign_due{};
    TimePoint tell_due{};
    bool more = false;  // the source has more than this round took

    Binding* binding_of(const std::string& topic) {
        const auto found = std::ranges::find(group.bindings, topic, &Binding::topic);
        return found == group.bindings.end() ? nullptr : &*found;
    }
    Assignment* find(const std::string& topic, std::int32_t number) {
        for (Assignment& assignment : assignments) {
            if (assignment.partition.number == number && assignment.partition.topic == topic) {
                return &assignment;
            }
        }
        return nullptr;
    }
};

Pipeline::Pipeline(std::vector<Group> groups, ProcedureCaller& caller, const Clock& clock,
                   PipelineOptions options)
    : caller_(caller),
      clock_(clock),
      options_(std::move(options)),
      verify_backoff_(make_backoff(options_)) {
    for (Group& group : groups) {
        members_.push_back(std::make_unique<Member>());
        members_.back()->group = std::move(group);
    }
}

Pipeline::~Pipeline() = default;

void Pipeline::run(std::stop_token stop) {
    stop_ = std::move(stop);
    const std::stop_callback on_stop(stop_, [this] { wake_.signal(); });
    std::vector<pollfd> descriptors{{wake_.fd(), POLLIN, 0}};
    for (const auto& member : members_) {
        descriptors.push_back({member->group.source->fd(), POLLIN, 0});
    }
    descriptors.push_back({caller_.fd(), POLLIN, 0});
    while (!stopping()) {
        const TimePoint due = step();
        const auto wait = std::min<steady_clock::duration>(due - clock_.now(), kLongestWait);
        wait_for(descriptors, std::chrono::duration_cast<microseconds>(wait));
    }
    for (const auto& member : members_) {
        tell_broker(*member, TimePoint::max());
    }
}

Pipeline::TimePoint Pipeline::step() {
    const TimePoint now = clock_.now();
    const bool verified = verify_calls(now) == Went::kWell;
    if (verified) {
        attend(now);
    }
    for (const auto& member : members_) {
        // Also while the database is away: a member that does not poll is thrown out of its group.
        take_events(*member, now);
        // After a failure the rest waits for the next round, so that sources are polled in between
        // although each attempt may take seconds.
        if (!verified || stopping() || claim_due(*member, now) == Went::kWrong ||
            apply_due(*member, now) == Went::kWrong) {
            continue;
        }
        tell_broker(*member, now);
    }
    bool healthy = verified_;
    for (const auto& member : members_) {
        for (const Assignment& assignment : member->assignments) {
            healthy = healthy && assignment.phase == Assignment::Phase::kReady;
        }
    }
    healthy_.store(healthy, std::memory_order_relaxed);
    if (options_.progress) {
        options_.progress();
    }
    return next_due(clock_.now());
}

Pipeline::TimePoint Pipeline::next_due(TimePoint now) const {
    TimePoint next = verified_ ? TimePoint::max() : verify_due_;
    for (const auto& member : members_) {
        if (member->more) {
            return now;
        }
        if (verified_ && member->assign_needed) {
            next = std::min(next, member->assign_due);
        }
        for (const Assignment& assignment : member->assignments) {
            const bool waits =
                assignment.phase != Assignment::Phase::kReady || !assignment.pending.empty();
            if (verified_ && waits) {
                next = std::min(next, assignment.due);
            }
            if (verified_ && assignment.phase == Assignment::Phase::kReady &&
                assignment.told_offset != assignment.next_offset) {
                next = std::min(next, member->tell_due);
            }
        }
    }
    return next;
}

void Pipeline::attend(TimePoint now) {
    if (!caller_.attend()) {
        return;
    }
    for (const auto& member : members_) {
        for (Assignment& assignment : member->assignments) {
            if (assignment.under_way) {
                assignment.due = now;
            }
        }
    }
}

// A wrong name must be a clear error at the start, not a dead letter per message.
Pipeline::Went Pipeline::verify_calls(TimePoint now) {
    if (verified_) {
        return Went::kWell;
    }
    if (verify_due_ > now) {
        return Went::kWrong;
    }
    try {
        for (const auto& member : members_) {
            for (const Binding& binding : member->group.bindings) {
                caller_.verify(binding.call);
            }
        }
    } catch (const FatalError&) {
        throw;
    } catch (const std::exception& error) {
        const milliseconds wait = verify_backoff_.next();
        verify_due_ = clock_.now() + wait;
        log::warn("inbox_database_unreachable",
                  {{"cause", error.what()}, {"backoff_ms", wait.count()}});
        return Went::kWrong;
    }
    verified_ = true;
    return Went::kWell;
}

void Pipeline::take_events(Member& member, TimePoint now) {
    member.more = false;
    for (std::size_t taken = 0; taken < kEventsPerRound && !stopping(); ++taken) {
        std::optional<SourceEvent> event = member.group.source->poll();
        if (!event) {
            return;
        }
        if (auto* received = std::get_if<Received>(&*event)) {
            take_message(member, std::move(*received), now);
            if (member.more) {
                return;
            }
        } else if (auto* assigned = std::get_if<Assigned>(&*event)) {
            member.assignments.clear();
            for (Partition& partition : assigned->partitions) {
                Binding* binding = member.binding_of(partition.topic);
                if (binding != nullptr) {
                    member.assignments.emplace_back(std::move(partition), *binding,
                                                    make_backoff(options_));
                }
            }
            // Even with nothing: the group waits for it.
            member.assign_needed = member.assignments.empty();
            member.assign_due = now;
            count_partitions(member);
        } else {
            for (const Partition& gone : std::get<Revoked>(*event).partitions) {
                std::erase_if(member.assignments, [&](const Assignment& assignment) {
                    return assignment.partition == gone;
                });
            }
            count_partitions(member);
        }
    }
    member.more = true;
}

void Pipeline::take_message(Member& member, Received&& received, TimePoint now) {
    Assignment* assignment = member.find(received.topic, received.partition);
    // Fetched before a seek or a new assignment: comes again, or was applied already.
    if (assignment == nullptr || received.message.offset < assignment->fetch_offset) {
        return;
    }
    assignment->fetch_offset = received.message.offset + 1;
    assignment->pending_bytes += size_of(received.message);
    assignment->pending.push_back(std::move(received.message));
    if (!assignment->full()) {
        return;
    }
    if (assignment->can_apply(now)) {
        member.more = true;  // a batch is complete: apply it before taking more
    } else if (!assignment->paused) {
        member.group.source->pause(assignment->partition);
        assignment->paused = true;
    }
}

Pipeline::Went Pipeline::claim_due(Member& member, TimePoint now) {
    Went went = Went::kWell;
    for (Assignment& assignment : member.assignments) {
        if (assignment.phase == Assignment::Phase::kReady || assignment.due > now || stopping()) {
            continue;
        }
        try {
            if (assignment.phase == Assignment::Phase::kUnclaimed) {
                claim_first(member, assignment);
                member.assign_needed = true;
                member.assign_due = now;
            } else {
                claim_again(member, assignment);
            }
        } catch (const FatalError&) {
            throw;
        } catch (const std::exception& error) {
            fail(member, assignment, "inbox_claim_retry", error);
            went = Went::kWrong;
            break;
        }
    }
    if (member.assign_needed && member.assign_due <= now) {
        assign(member);
    }
    return went;
}

void Pipeline::claim_first(Member& member, Assignment& assignment) {
    const Partition& partition = assignment.partition;
    Watermarks log_range = member.group.source->watermarks(partition);
    const std::int64_t initial =
        assignment.binding->start == StartAt::kEarliest ? log_range.low : log_range.high;
    const Claim claim = caller_.claim(member.group.consumer, partition, initial);
    if (claim.next_offset < log_range.low || claim.next_offset > log_range.high) {
        // Whoever had the partition before may have gone on since we asked the broker.
        log_range = member.group.source->watermarks(partition);
    }
    if (claim.next_offset < log_range.low || claim.next_offset > log_range.high) {
        throw FatalError(
            ExitCode::kInboxOffsetGap,
            "the stored offset " + std::to_string(claim.next_offset) + " of consumer " +
                member.group.consumer + " in " + partition.topic + "/" +
                std::to_string(partition.number) + " is outside of what the topic holds (" +
                std::to_string(log_range.low) + " to " + std::to_string(log_range.high) + ")",
            "Messages were removed before they were applied, or the topic was made anew. Decide "
            "where to go on and set next_offset in holdfast.inbox_offset; see \"inbox offset "
            "gap\" in docs/operations.md.");
    }
    assignment.phase = Assignment::Phase::kReady;
    assignment.owner_epoch = claim.owner_epoch;
    assignment.next_offset = claim.next_offset;
    assignment.fetch_offset = claim.next_offset;
    assignment.told_offset = claim.next_offset;
    log::info("inbox_claimed", {{"consumer", member.group.consumer},
                                {"topic", partition.topic},
                                {"partition", partition.number},
                                {"next_offset", claim.next_offset},
                                {"owner_epoch", claim.owner_epoch}});
}

// The stored offset says what became of the batch before: applied, or not.
void Pipeline::claim_again(Member& member, Assignment& assignment) {
    const Claim claim =
        caller_.claim(member.group.consumer, assignment.partition, assignment.next_offset);
    const bool continues =
        claim.next_offset >= assignment.next_offset && claim.next_offset <= assignment.fetch_offset;
    if (!continues) {
        // Somebody else has moved it: what we have fetched is not what comes next.
        member.group.source->seek({assignment.partition, claim.next_offset});
        assignment.pending.clear();
        assignment.pending_bytes = 0;
        assignment.fetch_offset = claim.next_offset;
    }
    assignment.drop_before(claim.next_offset);
    assignment.owner_epoch = claim.owner_epoch;
    assignment.next_offset = claim.next_offset;
    assignment.phase = Assignment::Phase::kReady;
    // What made it pause may be gone without another batch.
    resume_if_room(member, assignment);
}

void Pipeline::assign(Member& member) {
    std::vector<Position> positions;
    for (const Assignment& assignment : member.assignments) {
        if (assignment.phase != Assignment::Phase::kUnclaimed) {
            positions.push_back({assignment.partition, assignment.fetch_offset});
        }
    }
    try {
        member.group.source->assign(positions);
        for (Assignment& assignment : member.assignments) {
            if (assignment.paused) {
                member.group.source->resume(assignment.partition);
                assignment.paused = false;
            }
        }
        member.assign_needed = false;
    } catch (const RetryableError& error) {
        member.assign_due = clock_.now() + kLongestWait;
        log::warn("inbox_assign_retry",
                  {{"consumer", member.group.consumer}, {"cause", error.what()}});
    }
}

Pipeline::Went Pipeline::apply_due(Member& member, TimePoint now) {
    for (Assignment& assignment : member.assignments) {
        if (stopping()) {
            return Went::kWell;
        }
        if (assignment.pending.empty() || !assignment.can_apply(now)) {
            continue;
        }
        metrics::InboxMetrics* metrics = assignment.binding->metrics;
        try {
            apply_batch(member, assignment);
        } catch (const FatalError&) {
            throw;
        } catch (const FencedError& error) {
            if (metrics != nullptr) {
                metrics->fenced.add();
            }
            fail(member, assignment, "inbox_fenced", error);
            return Went::kWrong;
        } catch (const std::exception& error) {
            if (metrics != nullptr) {
                metrics->retries.add();
            }
            fail(member, assignment, "inbox_retry", error);
            return Went::kWrong;
        }
        resume_if_room(member, assignment);
    }
    return Went::kWell;
}

void Pipeline::resume_if_room(Member& member, Assignment& assignment) {
    if (assignment.paused && assignment.has_room()) {
        member.group.source->resume(assignment.partition);
        assignment.paused = false;
    }
}

void Pipeline::apply_batch(Member& member, Assignment& assignment) {
    const Binding& binding = *assignment.binding;
    std::size_t count = 0;
    std::size_t bytes = 0;
    for (const Message& message : assignment.pending) {
        if (count == binding.batch_max_messages ||
            (count > 0 && bytes + size_of(message) > binding.batch_max_bytes)) {
            break;
        }
        bytes += size_of(message);
        ++count;
    }
    texts_.resize(std::max(texts_.size(), count));
    prepared_.clear();
    for (std::size_t i = 0; i < count; ++i) {
        prepared_.push_back(texts_[i].prepare(assignment.pending[i]));
    }
    const std::int64_t next_offset = prepared_.back().offset + 1;
    const TimePoint started = clock_.now();
    const std::optional<std::vector<Applied>> done =
        caller_.apply({.consumer = member.group.consumer,
                       .call = binding.call,
                       .topic = assignment.partition.topic,
                       .partition = assignment.partition.number,
                       .owner_epoch = assignment.owner_epoch,
                       .first_offset = assignment.next_offset,
                       .next_offset = next_offset,
                       .messages = prepared_});
    assignment.under_way = !done;
    if (!done) {
        assignment.due = started + kLongestWait;
        return;
    }
    const std::vector<Applied>& results = *done;
    assignment.next_offset = next_offset;
    assignment.drop_before(next_offset);
    assignment.backoff.reset();

    std::uint64_t dead = 0;
    const Applied* first_dead = nullptr;
    for (const Applied& result : results) {
        if (result.outcome == Outcome::kDead) {
            first_dead = first_dead == nullptr ? &result : first_dead;
            ++dead;
        }
    }
    if (first_dead != nullptr) {
        log::warn("inbox_dead_letter", {{"consumer", member.group.consumer},
                                        {"topic", assignment.partition.topic},
                                        {"partition", assignment.partition.number},
                                        {"first_offset", first_dead->offset},
                                        {"sqlstate", first_dead->sqlstate},
                                        {"count", dead}});
    }
    if (binding.metrics == nullptr) {
        return;
    }
    const auto number_of = [&](Outcome outcome) {
        return static_cast<std::uint64_t>(std::ranges::count(results, outcome, &Applied::outcome));
    };
    binding.metrics->applied.add(number_of(Outcome::kApplied));
    binding.metrics->duplicates.add(number_of(Outcome::kDuplicate));
    binding.metrics->parked.add(number_of(Outcome::kParked));
    binding.metrics->early.add(number_of(Outcome::kEarly));
    binding.metrics->dead.add(dead);
    binding.metrics->apply.observe(
        std::chrono::duration_cast<microseconds>(clock_.now() - started).count());
}

void Pipeline::fail(Member& member, Assignment& assignment, const char* event,
                    const std::exception& error) {
    assignment.under_way = false;
    if (assignment.phase == Assignment::Phase::kReady) {
        assignment.phase = Assignment::Phase::kDoubtful;
    }
    milliseconds wait = assignment.backoff.next();
    if (const auto* postponed = dynamic_cast<const PostponedError*>(&error)) {
        wait = std::max(wait, postponed->wait());
    }
    assignment.due = clock_.now() + wait;
    log::warn(event, {{"consumer", member.group.consumer},
                      {"topic", assignment.partition.topic},
                      {"partition", assignment.partition.number},
                      {"offset", assignment.next_offset},
                      {"attempt", assignment.backoff.attempts()},
                      {"backoff_ms", wait.count()},
                      {"cause", error.what()}});
}

void Pipeline::tell_broker(Member& member, TimePoint now) const {
    if (member.tell_due > now) {
        return;
    }
    member.tell_due = now == TimePoint::max() ? now : now + options_.commit_interval;
    std::vector<Position> positions;
    for (Assignment& assignment : member.assignments) {
        if (assignment.phase == Assignment::Phase::kReady &&
            assignment.told_offset != assignment.next_offset) {
            positions.push_back({assignment.partition, assignment.next_offset});
            assignment.told_offset = assignment.next_offset;
        }
    }
    if (!positions.empty()) {
        member.group.source->commit(positions);
    }
    for (Binding& binding : member.group.bindings) {
        std::int64_t lag = 0;
        for (const Assignment& assignment : member.assignments) {
            if (assignment.binding == &binding) {
                const auto high = member.group.source->known_high(assignment.partition);
                lag += high ? std::max<std::int64_t>(0, *high - assignment.next_offset) : 0;
            }
        }
        if (binding.metrics != nullptr) {
            binding.metrics->lag_records.set(lag);
        }
    }
}

void Pipeline::count_partitions(Member& member) {
    for (Binding& binding : member.group.bindings) {
        if (binding.metrics != nullptr) {
            binding.metrics->assigned_partitions.set(std::ranges::count(
                member.assignments, &binding,
                [](const Assignment& assignment) { return assignment.binding; }));
        }
    }
}

}  // namespace holdfast::relay::inbox
