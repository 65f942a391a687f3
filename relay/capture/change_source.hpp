// Where the pipeline reads: a stream of WAL messages from one replication slot.  Owned by the
// pipeline's module and fitted to PostgreSQL by an adapter, so that tests can use an in-memory one.
//
// Thread rule: the pipeline's thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/lsn.hpp"

namespace holdfast::relay::capture {

/// What next() has found.
struct SourceMessage {
    enum class Kind {
        kNothing,    ///< nothing more to read now; wait for fd()
        kWalData,    ///< `payload` is one pgoutput message
        kKeepalive,  ///< everything before `wal_end` has been sent
    };
    Kind kind = Kind::kNothing;
    Lsn wal_start;  ///< kWalData: where the message's WAL begins; may be 0
    Lsn wal_end;    ///< how far the server has got
    std::int64_t
        server_time_us{};          ///< the server's clock at sending, microseconds since 2000-01-01
    bool reply_requested = false;  ///< kKeepalive: the server wants a status at once
    std::string_view payload;      ///< valid until the next call of next()
};

class ChangeSource {
 public:
    virtual ~ChangeSource() = default;

    /// The next message, without waiting.  Throws RetryableError when the connection is lost or
    /// silent for too long, FatalError when a person has to act.
    virtual SourceMessage next() = 0;

    /// Reports how far the pipeline has read, and what is safe in Kafka (`confirmed`).  Never
    /// blocks: what the socket does not take waits for flush().  Throws as next().
    virtual void send_status(Lsn received, Lsn confirmed) = 0;

    /// Poll this for reading, and for writing while wants_write(); then next() or flush().
    [[nodiscard]] virtual int fd() const = 0;
    [[nodiscard]] virtual bool wants_write() const = 0;
    virtual void flush() = 0;

    /// How long the server waits for a status before it gives up; 0 = for ever.
    [[nodiscard]] virtual std::chrono::milliseconds silence_limit() const = 0;
};

}  // namespace holdfast::relay::capture
