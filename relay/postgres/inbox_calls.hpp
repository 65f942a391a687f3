// The extension's inbox functions as calls on one session: inbox_claim and inbox_apply
// (sql/parts).  Reconnects when it is called after a lost connection; does not retry.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/errors.hpp"
#include "postgres/array_literal.hpp"
#include "postgres/session.hpp"
#include "postgres/sql_error.hpp"

namespace holdfast::relay::postgres {

/// Another process has claimed the partition since (SQLSTATE HF020).
class FencedError : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

struct InboxClaim {
    std::int64_t next_offset = 0;
    std::int64_t owner_epoch = 0;
};

/// What became of one message.
struct InboxOutcome {
    std::int64_t offset = 0;
    std::string outcome;  ///< APPLIED | DUPLICATE | PARKED | EARLY | DEAD
    std::string sqlstate;
    std::string message;
};

/// The messages of one partition, ready to be sent: each append() goes straight into the array
/// parameters.  Reused from batch to batch.
class InboxArguments {
 public:
    void clear();
    /// `value_encoding` is "utf8" or "base64"; `headers` is a JSON object or nullopt.  All text is
    /// UTF-8 without NUL (the pipeline has seen to it).
    void append(std::int64_t offset, std::optional<std::string_view> key,
                std::optional<std::string_view> value, std::string_view value_encoding,
                std::optional<std::string_view> headers);

 private:
    friend class InboxCalls;
    ArrayLiteral offsets_;
    ArrayLiteral keys_;
    ArrayLiteral values_;
    ArrayLiteral encodings_;
    ArrayLiteral headers_;
};

class InboxCalls {
 public:
    /// Does not connect yet.  `owner` names this process in inbox_offset.
    InboxCalls(ConnectOptions options, std::string owner);

    /// Throws FatalError(kConfig) unless `call` names a function (text, jsonb, jsonb) that the role
    /// may execute, and RetryableError when the database cannot be asked.
    void verify(const std::string& call);

    /// All calls below throw RetryableError (connection lost: outcome unknown; or a transient
    /// SQLSTATE: rolled back), FencedError, FatalError(kPermissionDenied or kConfig: wrong
    /// extension or handler), and SqlError for the rest.
    InboxClaim claim(const std::string& consumer, const std::string& topic, std::int32_t partition,
                     std::int64_t initial_offset);

    struct Position {
        const std::string& consumer;
        const std::string& call;
        const std::string& topic;
        std::int32_t partition;
        std::int64_t owner_epoch;
        std::int64_t first_offset;
        std::int64_t next_offset;
    };
    /// Applies the batch in one transaction.
    std::vector<InboxOutcome> apply(const Position& position, InboxArguments& arguments);

 protected:
    /// call(session), with errors as above.
    template <typename Call>
    auto guarded(Call&& call) {
        try {
            return call(session());
        } catch (const SqlError& error) {
            rethrow(error);
        } catch (const RetryableError&) {
            // Also for a session that the server has ended while its socket looks alive.
            session_.reset();
            throw;
        }
    }

 private:
    Session& session();
    [[noreturn]] static void rethrow(const SqlError& error);

    ConnectOptions options_;
    std::string owner_;
    std::optional<Session> session_;
};

}  // namespace holdfast::relay::postgres
