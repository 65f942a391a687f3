// snapshot.mode: when a snapshot is taken.
//
// Source: Debezium documentation, "Debezium connector for PostgreSQL", snapshot.mode.
#pragma once

#include <optional>
#include <string_view>

namespace holdfast::relay::snapshot {

enum class Mode {
    kNoData,       ///< none
    kInitial,      ///< once, before a slot is read for the first time
    kInitialOnly,  ///< once, and nothing is streamed
    kAlways,       ///< at each start of the relay
    kWhenNeeded,   ///< as kInitial, and when the slot is gone that was being read
};

/// nullopt for what is no mode.
[[nodiscard]] std::optional<Mode> parse_mode(std::string_view text);

/// What is known when the relay connects.
struct Situation {
    enum class LastRun {
        kNone,
        kUnfinished,
        kCompleted,
        kOfAnotherSlot,  ///< which was here before the one that is there now
    };
    LastRun last_run = LastRun::kNone;  ///< newest initial snapshot of the slot
    bool taken_by_this_process = false;
    bool slot_exists = false;
    bool slot_was_read = false;    ///< a relay has streamed from a slot of this name
    bool may_create_slot = false;  ///< where there never was one
    bool has_outbox = false;       ///< whose lost events no snapshot can replace
};

enum class Step {
    kNone,
    kResume,  ///< the unfinished one goes on
    kTake,    ///< a new one, whatever an unfinished one has sent, beside the slot that is there or,
              ///< for kInitialOnly, without one
    kTakeWithSlot,  ///< makes the slot, and takes the snapshot that belongs to it
};

[[nodiscard]] Step next_step(Mode mode, const Situation& now);

}  // namespace holdfast::relay::snapshot
