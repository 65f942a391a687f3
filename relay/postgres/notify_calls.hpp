// The extension's notify functions (sql/parts/66-notify.sql) as calls on one session, beside
// inbox_claim.  Errors as those of InboxCalls.
//
// Thread rule: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "postgres/inbox_calls.hpp"

namespace holdfast::relay::postgres {

/// One message of a partition, as text.
struct NotifyMessage {
    std::string consumer;
    std::string handler;
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t owner_epoch = 0;
    std::int64_t first_offset = 0;
    std::int64_t offset = 0;
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::string encoding;
    std::string headers;
};

struct NotifyAdmission {
    std::string event_id;
    std::string outcome;  ///< NEW | DUPLICATE | PARKED
};

/// A dead letter that notify_take() gave out.
struct NotifyQueued {
    std::int64_t id = 0;
    std::int32_t attempt = 0;
    std::string event_id;
    std::optional<std::string> value;
    std::string encoding;
    std::string event_type;
    std::string traceparent;
};

class NotifyCalls : public InboxCalls {
 public:
    using InboxCalls::InboxCalls;

    /// Throws FatalError unless the role may execute the functions.
    void verify_notify();

    NotifyAdmission admit(const NotifyMessage& message);

    /// nullptr for both: delivered.  Returns APPLIED, DEAD, DUPLICATE or PARKED.
    std::string record(const NotifyMessage& message, const char* sqlstate, const char* error);

    std::optional<NotifyQueued> take(const std::string& consumer, const std::string& topic,
                                     std::chrono::milliseconds lease);

    /// `status` is REDRIVEN, DEAD or QUEUED; nullptr for texts that do not belong to it.
    void settle(std::int64_t id, std::int32_t attempt, const char* status,
                std::chrono::milliseconds retry_in, const char* sqlstate, const char* message);
};

}  // namespace holdfast::relay::postgres
