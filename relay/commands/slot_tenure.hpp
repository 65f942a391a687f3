// Whether the slot is where it was left.  PostgreSQL streams from where a slot stands, whoever has
// put it there, and forwards a client that asks for less in silence: a slot that was dropped and
// made again by hand, advanced by SQL or read by another program has a gap that no one would see.
// Known from holdfast.relay_state, so only with the extension; after a crash nothing is known, and
// nothing is refused.
//
// Source: PostgreSQL manual, "Streaming Replication Protocol", START_REPLICATION;
// CreateDecodingContext() in logical.c.
#pragma once

#include <optional>
#include <string>

#include "base/lsn.hpp"
#include "commands/stream_preparation.hpp"
#include "postgres/catalog.hpp"
#include "postgres/session.hpp"

namespace holdfast::relay::commands {

/// What is wrong when `slot` is confirmed further than `left`, and what to do about it.
struct SlotMoved {
    std::string message;
    std::string hint;
};
[[nodiscard]] std::optional<SlotMoved> slot_moved(const postgres::SlotRow& slot, Lsn left,
                                                  const std::string& name);

class SlotTenure {
 public:
    /// `run_id` is a UUID of this process.
    SlotTenure(std::string slot, std::string run_id);

    /// Call while the stream is open, so that no other relay reads the slot, and before anything is
    /// confirmed through it.  Throws FatalError (kSlotMissing) when the slot is not where the last
    /// relay, or this process, has left it; SqlError.
    void take(postgres::Session& session);

    /// The server may have been told so much.
    void note_confirmed(Lsn confirmed) noexcept;

    /// The stream has ended in order.  Throws SqlError.
    void leave(postgres::Session& session) const;

    /// The slot is about to be made again, and a snapshot makes up for what is between.  Throws
    /// SqlError.
    void begin_anew(postgres::Session& session);

 private:
    void record_taken(postgres::Session& session) const;

    std::string slot_;
    std::string run_id_;
    Lsn confirmed_;  ///< the most that the server can have been told by this process
};

}  // namespace holdfast::relay::commands
