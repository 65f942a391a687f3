// What upkeep needs from the database: the extension's maintenance calls, and a look at whether the
// relay's objects there are still as they should be.  main's adapter fits postgres::Session to it;
// tests use a fake.
//
// Thread rule: the upkeep thread calls everything; calls wait for the database.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/lsn.hpp"

namespace holdfast::relay::upkeep {

/// How the capture pipeline is doing, for relay_report() and the view relay_status.
struct Report {
    Lsn received;
    Lsn confirmed;
    std::string error;  ///< why the stream does not run; "" = it runs
};

/// Where Kafka keeps an event.
struct EventPosition {
    std::string event_id;  ///< a UUID as text
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
};

/// Every call may throw: RetryableError or another std::exception (logged, tried again), FatalError
/// (only verify(): the relay has to stop).
class ProcedureRunner {
 public:
    virtual ~ProcedureRunner() = default;

    /// Makes partitions ahead and drops those that are past their retention.
    virtual void maintain() = 0;

    /// Expires at most `limit` holds; returns how many.
    virtual std::int64_t expire_holds(std::int64_t limit) = 0;

    /// Deals with at most `limit` sagas that are due and early messages, each in a transaction of
    /// its own; returns how many.
    virtual std::int64_t sweep_sagas(std::int64_t limit) = 0;

    /// Executes heartbeat.action.query, if there is one.
    virtual void heartbeat_action() = 0;

    virtual void report(const Report& report) = 0;

    virtual void record_positions(std::span<const EventPosition> positions) = 0;

    /// Throws FatalError when slot, publication or outbox table are no longer what the stream
    /// needs.
    virtual void verify() = 0;

    /// Looks where configuration, publication and catalogue do not fit, and says so.
    virtual void look_for_drift() = 0;

    /// Looks how far the snapshots of the slot are, for metrics.
    virtual void look_at_snapshots() = 0;
};

}  // namespace holdfast::relay::upkeep
