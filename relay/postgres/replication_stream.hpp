// One logical replication connection: START_REPLICATION, the COPY BOTH stream that follows, and
// standby status updates.  Knows the framing of the stream ("Streaming Replication Protocol" in the
// PostgreSQL manual), not what is inside a WAL data message (pgoutput/).
//
// Non-blocking after start(): next() never waits.  The caller polls fd() for reading (and for
// writing while wants_write()), and calls next() until it says kNothing.
//
// Thread rule: one thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/errors.hpp"
#include "base/lsn.hpp"
#include "postgres/batch.hpp"
#include "postgres/connect_options.hpp"
#include "postgres/handles.hpp"

namespace holdfast::relay::postgres {

/// IDENTIFY_SYSTEM
struct SystemIdentity {
    std::string system_identifier;
    std::uint32_t timeline = 0;
    Lsn flushed;  ///< end of WAL that the server has flushed
    std::string database;
};

/// What next() has found.
struct StreamMessage {
    enum class Kind {
        kNothing,    ///< nothing more to read now; poll fd()
        kWalData,    ///< `payload` is one message of pgoutput
        kKeepalive,  ///< all before `wal_end` has been sent: the server's heartbeat, or a mark
    };
    Kind kind = Kind::kNothing;
    Lsn wal_start;                  ///< kWalData: where the message's WAL begins
    Lsn wal_end;                    ///< end of WAL on the server at sending time
    std::int64_t server_time_us{};  ///< server's clock, microseconds since 2000-01-01
    bool reply_requested = false;   ///< kKeepalive: send_status() now
    std::string_view payload;       ///< valid until the next call of next()
};

struct StreamOptions {
    std::string slot;
    std::string publication;  ///< one name
    Lsn start;                ///< 0 = from what the slot has confirmed
    bool batches = false;     ///< the slot's plugin is kHoldfastPlugin: ask it for batches
    /// The stream counts as dead when the server says nothing for twice this time, although it was
    /// asked to.  0 = the server's own wal_sender_timeout, or a minute when that is off.
    std::chrono::milliseconds silence{0};
};

/// Another connection reads the slot: the server lets only one.
class SlotInUseError : public RetryableError {
 public:
    using RetryableError::RetryableError;
};

class ReplicationStream {
 public:
    /// Opens the connection; throws as connect().  `clock` must outlive the stream.
    ReplicationStream(const ConnectOptions& options, const Clock& clock);

    [[nodiscard]] SystemIdentity identify_system();

    /// Begins to stream, messages of pgoutput's protocol 1, text values, logical messages included.
    /// Throws SlotInUseError; RetryableError when the server is busy or going down; FatalError
    /// kSlotMissing, kSlotLost, kPublicationMissing, kPermissionDenied.
    void start(const StreamOptions& options);

    /// The next message, without waiting.  Throws RetryableError when the connection is lost, ended
    /// by the server or silent for too long; FatalError as start() (the publication is looked up by
    /// the server while it decodes, so its absence shows here).
    [[nodiscard]] StreamMessage next();

    /// Queues a standby status update: `received` <= what next() has returned, `flushed` and
    /// `applied` = what is safe.  Never blocks: what the socket does not take goes out with
    /// flush().
    void send_status(Lsn received, Lsn flushed, Lsn applied);

    /// True while bytes wait for the socket: poll for writing and call flush().
    [[nodiscard]] bool wants_write() const { return wants_write_; }
    void flush();

    /// The server's announced silence limit, or 0.
    [[nodiscard]] std::chrono::milliseconds wal_sender_timeout() const { return sender_timeout_; }

    [[nodiscard]] int fd() const { return PQsocket(connection_.get()); }
    [[nodiscard]] std::string describe() const { return postgres::describe(connection_.get()); }
    [[nodiscard]] int server_version() const { return PQserverVersion(connection_.get()); }

    /// Ends the stream in good order (CopyDone, so that the server logs no broken connection and
    /// takes the last status); waits up to `deadline`.  Safe to leave out.
    void stop(std::chrono::milliseconds deadline) noexcept;

 private:
    [[nodiscard]] bool read_row();
    [[nodiscard]] StreamMessage read_message();
    [[nodiscard]] std::optional<StreamMessage> next_of_batch();
    [[nodiscard]] std::chrono::steady_clock::duration silence() const;
    [[noreturn]] void end_of_stream();

    ConnectionHandle connection_;
    const Clock& clock_;
    StreamOptions options_;
    std::chrono::milliseconds silence_limit_{0};
    std::chrono::milliseconds sender_timeout_{0};
    std::chrono::steady_clock::time_point last_heard_{};
    LibpqString row_;
    std::size_t row_size_ = 0;
    Batch batch_;                     ///< in row_
    std::int64_t batch_time_us_ = 0;  ///< when the server has sent it
    bool wants_write_ = false;
};

enum class Reply { kNotNeeded, kRequested };

/// The 34 bytes of a standby status update ("Standby status update (F)").
[[nodiscard]] std::array<char, 34> encode_status(Lsn received, Lsn flushed, Lsn applied,
                                                 std::int64_t client_time_us, Reply reply);

/// One COPY row as a message; throws ProtocolError naming what is wrong with it.
[[nodiscard]] StreamMessage decode_stream_message(std::string_view row);

}  // namespace holdfast::relay::postgres
