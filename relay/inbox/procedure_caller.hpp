// What the inbox needs from whoever applies messages: the extension's inbox functions, or what
// wraps them around an effect outside of the database (notify/courier.hpp).  main's adapter fits
// postgres::InboxCalls to it; tests use a fake.  Rules about poison, duplicates and order of a key
// are in the database (sql/parts), not here.
//
// Thread rule: the pipeline's thread calls everything; calls wait for the database, and for nothing
// else.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.hpp"
#include "inbox/record_source.hpp"

namespace holdfast::relay::inbox {

/// Another process owns the partition now, or the stored offset is not where we thought.  Nothing
/// was applied.
class FencedError : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

/// As RetryableError, from a side that has said how long to stay away.
class PostponedError : public RetryableError {
 public:
    PostponedError(const std::string& message, std::chrono::milliseconds wait)
        : RetryableError(message), wait_(wait) {}
    /// The shortest wait before the next attempt; the backoff may be longer.
    [[nodiscard]] std::chrono::milliseconds wait() const noexcept { return wait_; }

 private:
    std::chrono::milliseconds wait_;
};

struct Claim {
    std::int64_t next_offset = 0;
    std::int64_t owner_epoch = 0;
};

enum class Outcome { kApplied, kDuplicate, kParked, kEarly, kDead };

/// What became of one message.
struct Applied {
    std::int64_t offset = 0;
    Outcome outcome = Outcome::kApplied;
    std::string sqlstate;  ///< of a dead letter
};

/// A message in the form that the database takes: all text is UTF-8 without NUL.
struct PreparedMessage {
    std::int64_t offset = 0;
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;
    std::string_view encoding;        ///< of key and value: "utf8" or "base64" (message_text.hpp)
    std::string_view headers;         ///< a JSON object
    const Message* source = nullptr;  ///< the message as it came
};

/// Messages of one partition, in order; applied all together or not at all.
struct Batch {
    std::string_view consumer;
    std::string_view call;  ///< the function (text, jsonb, jsonb), schema-qualified
    std::string_view topic;
    std::int32_t partition = 0;
    std::int64_t owner_epoch = 0;
    std::int64_t first_offset = 0;  ///< the stored offset that this batch continues
    std::int64_t next_offset = 0;   ///< what is stored afterwards
    std::span<const PreparedMessage> messages;
};

class ProcedureCaller {
 public:
    virtual ~ProcedureCaller() = default;

    /// Throws FatalError when `call` names no function (text, jsonb, jsonb) that may be executed,
    /// RetryableError when the database cannot be asked now.
    virtual void verify(const std::string& call) = 0;

    /// Makes this process the owner of the partition and says where to go on.  `initial_offset` is
    /// stored when the consumer is new to the partition.  Throws RetryableError, FatalError.
    virtual Claim claim(const std::string& consumer, const Partition& partition,
                        std::int64_t initial_offset) = 0;

    /// One transaction.  Throws FencedError; RetryableError when it was rolled back for a passing
    /// reason, or when nobody knows whether it was committed (the next claim() tells); FatalError
    /// when a person is needed.  Any other std::exception counts as retryable: a batch is never
    /// given up.
    /// nullopt: the work is under way outside of the database.  The same batch is given again after
    /// an attend() that returned true, until there is a result.
    virtual std::optional<std::vector<Applied>> apply(const Batch& batch) = 0;

    /// Readable when attend() has something to do; -1 = never.
    [[nodiscard]] virtual int fd() const { return -1; }

    /// Once a round, at least once a second.  Returns whether something that was under way has
    /// ended.  Throws FatalError only.
    virtual bool attend() { return false; }
};

}  // namespace holdfast::relay::inbox
