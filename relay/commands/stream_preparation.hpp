// What has to hold before the slot is streamed, and the making of publication and slot.  Used by
// `run` at each (re)connect and by `init`.
//
// A slot is never made again after it was lost: whatever was committed since it vanished would be
// skipped in silence.  That a slot once existed is known from holdfast.relay_state, where the relay
// reports itself.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/lsn.hpp"
#include "postgres/catalog.hpp"
#include "postgres/session.hpp"

namespace holdfast::relay::commands {

enum class SlotPolicy {
    kMustExist,
    kCreateIfNeverMade,
    kReplaceLost,  ///< what was lost is made up for by a snapshot
};

/// What relay_state remembers of a slot.
struct SlotMemory {
    std::string system_identifier;  ///< "" = not recorded
    std::string confirmed_lsn;      ///< "" = nothing was confirmed
    std::string reported_at;
    std::string run_id;  ///< of the process that streamed from it last; "" = not recorded
    Lsn left;            ///< what it had confirmed when it left in order; 0 = not known
};

/// nullopt when no relay has ever reported for the slot, or when the extension is not installed.
[[nodiscard]] std::optional<SlotMemory> read_slot_memory(postgres::Session& session,
                                                         const std::string& slot);

/// Makes the slot with the output plugin and returns where it begins.  Throws SqlError.
using SlotMaker = std::function<Lsn(const std::string& plugin)>;

/// Publication before slot: an older slot could never decode it.  Throws FatalError with the first
/// thing that keeps the stream from being right; makes the slot when it was never made and `policy`
/// says so, through `make` or, without one, by itself.  Returns the slot as it is then.
postgres::SlotRow prepare_stream(postgres::Session& session,
                                 const postgres::StreamRequirements& required, SlotPolicy policy,
                                 const SlotMaker& make = {});

/// All but the slot.  Throws FatalError.
void require_all_but_slot(postgres::Session& session, const postgres::StreamRequirements& required);

}  // namespace holdfast::relay::commands
