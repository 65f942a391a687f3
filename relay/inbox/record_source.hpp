// What the inbox needs from a message broker: one member of a consumer group, whose positions are
// kept in the database.  main's adapter fits kafka::Consumer to it; tests use a fake.
//
// Thread rule: the pipeline's thread calls everything.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::relay::inbox {

struct Partition {
    std::string topic;
    std::int32_t number = 0;
    friend auto operator<=>(const Partition&, const Partition&) = default;
};

/// The offset of the next message to read.
struct Position {
    Partition partition;
    std::int64_t offset = 0;
};

/// First offset that the broker still has, and the one after the last that can be read.
struct Watermarks {
    std::int64_t low = 0;
    std::int64_t high = 0;
};

/// A message as it came; all bytes are copies that belong to it.
struct Message {
    std::int64_t offset = 0;
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::vector<std::pair<std::string, std::optional<std::string>>> headers;
    std::int64_t timestamp_ms = -1;
};

/// These partitions are ours from now on; assign() says where each begins.
struct Assigned {
    std::vector<Partition> partitions;
};
/// These are no longer ours; no more messages of them come, and a pause is forgotten.
struct Revoked {
    std::vector<Partition> partitions;
};
struct Received {
    std::string topic;
    std::int32_t partition = 0;
    Message message;
};
using SourceEvent = std::variant<Assigned, Revoked, Received>;

class RecordSource {
 public:
    virtual ~RecordSource() = default;

    /// Readable when poll() may have something; -1 in fakes that need no waiting.
    [[nodiscard]] virtual int fd() const = 0;

    /// The next event, without waiting; nullopt = none now.  Throws FatalError (kInboxOffsetGap
    /// when a position is not in the log any more).
    virtual std::optional<SourceEvent> poll() = 0;

    /// Asks the broker; may wait for some seconds.  Throws RetryableError when there is no answer.
    virtual Watermarks watermarks(const Partition& partition) = 0;

    /// The last known end of the log, without asking; nullopt = not known.
    virtual std::optional<std::int64_t> known_high(const Partition& partition) = 0;

    /// Fetch from these positions and nothing else.
    virtual void assign(std::span<const Position> positions) = 0;

    /// No messages of the partition come until resume(), which belongs to a pause() before.
    virtual void pause(const Partition& partition) = 0;
    virtual void resume(const Partition& partition) = 0;

    /// Fetch from there next; what was fetched before is not delivered any more.
    /// Throws RetryableError.
    virtual void seek(const Position& position) = 0;

    /// For lag monitors only; asynchronous, never fails.
    virtual void commit(std::span<const Position> positions) = 0;
};

}  // namespace holdfast::relay::inbox
