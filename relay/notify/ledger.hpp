// What notification needs from the database: the functions of sql/parts/66-notify.sql.  main's
// adapter fits postgres::NotifyCalls to it; tests use a fake.
//
// Thread rule: the pipeline's thread calls everything; calls wait for the database.  All throw
// RetryableError and FatalError as inbox::ProcedureCaller does, and FencedError where a partition
// is meant.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "inbox/procedure_caller.hpp"

namespace holdfast::relay::notify {

/// A message and where it stands; the text is as the database takes it (inbox/message_text.hpp).
struct Delivery {
    std::string consumer;
    std::string handler;  ///< "POST https://host", as dead letters show it
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t owner_epoch = 0;
    std::int64_t first_offset = 0;  ///< the stored offset that it continues
    std::int64_t offset = 0;
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::string encoding;
    std::string headers;
};

struct Admission {
    std::string event_id;
    /// nullopt: send it.  Else it is dealt with, and the offset has moved.
    std::optional<inbox::Outcome> outcome;
};

/// Why a message becomes a dead letter.
struct Refusal {
    std::string sqlstate;
    std::string message;
};

/// A dead letter that is to be delivered again.
struct Queued {
    std::int64_t id = 0;
    std::int32_t attempt = 0;
    std::string event_id;
    std::optional<std::string> value;
    std::string encoding;
    std::string event_type;
    std::string traceparent;
};

/// What became of it.
struct Settlement {
    enum class Status { kRedriven, kDead, kQueued };
    Status status = Status::kRedriven;
    std::chrono::milliseconds retry_in{0};  ///< of kQueued
    std::string sqlstate;                   ///< of kDead
    std::string message;                    ///< of kDead and kQueued
};

class Ledger {
 public:
    virtual ~Ledger() = default;

    /// Throws FatalError unless the functions are there and may be executed.
    virtual void verify() = 0;

    virtual inbox::Claim claim(const std::string& consumer, const inbox::Partition& partition,
                               std::int64_t initial_offset) = 0;

    virtual Admission admit(const Delivery& delivery) = 0;

    /// After the endpoint's answer; without a refusal it was delivered.
    virtual inbox::Outcome record(const Delivery& delivery,
                                  const std::optional<Refusal>& refusal) = 0;

    /// Nobody else gets the same before `lease` is over.
    virtual std::optional<Queued> take(const std::string& consumer, const std::string& topic,
                                       std::chrono::milliseconds lease) = 0;

    virtual void settle(const Queued& queued, const Settlement& settlement) = 0;
};

}  // namespace holdfast::relay::notify
