// The error types of the relay, named by what the caller does about them, and the exit codes of the
// process.  docs/operations.md explains each code to operators.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace holdfast::relay {

/// Process exit codes.  The numbers are a contract with service units and scripts: never reused.
enum class ExitCode : int {
    kOk = 0,
    kSlotMissing = 10,         ///< the replication slot does not exist
    kSlotLost = 11,            ///< the server has removed WAL that the slot needed
    kPublicationMissing = 12,  ///< the publication does not exist
    kPublicationChanged = 13,  ///< the publication no longer publishes what it has to
    kWrongCluster = 14,        ///< another database cluster answers at the address
    kOutboxShapeChanged = 15,  ///< the outbox table lacks a column that the record needs
    kMessageTooLarge = 16,     ///< Kafka does not take a record of this size
    kInboxOffsetGap = 17,      ///< the stored offset is outside of what the topic holds
    kPermissionDenied = 18,    ///< a login or a privilege is missing
    kTopicMissing = 19,        ///< a topic does not exist
    kMalformedEvent = 20,      ///< a committed event cannot be turned into a record
    kUsage = 64,               ///< wrong command line
    kUnavailable = 69,         ///< a server does not answer; one-off commands only, `run` waits
    kInternal = 70,            ///< a fault of the relay or of the protocol's other side
    kConfig = 78,              ///< wrong configuration
};

/// Stable name of a code, for logs and messages: "slot_missing".
[[nodiscard]] std::string_view exit_code_name(ExitCode code);

/// "text", as a name stands in a message.
[[nodiscard]] std::string quoted(std::string_view text);

/// Base of all errors of the relay.  The message is lowercase, without a full stop, and holds
/// neither row content nor secrets.
class Error : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

/// The other side is not there, or not now: reconnect with backoff, for ever.
class RetryableError : public Error {
 public:
    using Error::Error;
};

/// One record is at fault and the stream is not: dead-letter this one, go on.
class RecordError : public Error {
 public:
    using Error::Error;
};

/// Going on would lose or guess.  Stop with `code`; a person has to act, and `hint` says how.
class FatalError : public Error {
 public:
    FatalError(ExitCode code, const std::string& message, std::string hint = {})
        : Error(message), code_(code), hint_(std::move(hint)) {}

    [[nodiscard]] ExitCode code() const noexcept { return code_; }
    /// A sentence or several; may be empty.
    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

 private:
    ExitCode code_;
    std::string hint_;
};

/// Bytes from the other side that its protocol does not allow.
class ProtocolError : public FatalError {
 public:
    explicit ProtocolError(const std::string& message) : FatalError(ExitCode::kInternal, message) {}
};

}  // namespace holdfast::relay
