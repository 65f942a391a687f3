#include "snapshot/mode.hpp"

namespace holdfast::relay::snapshot {
namespace {

using LastRun = Situation::LastRun;

/// There is no slot, so nothing will be sent that is older than a snapshot with a new one.
Step without_slot(Mode mode, const Situation& now) {
    if (!now.slot_was_read) {
        return now.may_create_slot ? Step::kTakeWithSlot : Step::kNone;
    }
    return mode == Mode::kWhenNeeded && !now.has_outbox ? Step::kTakeWithSlot : Step::kNone;
}

}  // namespace

std::optional<Mode> parse_mode(std::string_view text) {
    if (text == "no_data") {
        return Mode::kNoData;
    }
    if (text == "initial") {
        return Mode::kInitial;
    }
    if (text == "initial_only") {
        return Mode::kInitialOnly;
    }
    if (text == "always") {
        return Mode::kAlways;
    }
    if (text == "when_needed") {
        return Mode::kWhenNeeded;
    }
    return std::nullopt;
}

Step next_step(Mode mode, const Situation& now) {
    switch (mode) {
        case Mode::kNoData:
            return Step::kNone;
        case Mode::kInitialOnly:
            return now.last_run == LastRun::kUnfinished  ? Step::kResume
                   : now.last_run == LastRun::kCompleted ? Step::kNone
                                                         : Step::kTake;
        case Mode::kInitial:
        case Mode::kAlways:
        case Mode::kWhenNeeded:
            break;
    }
    if (!now.slot_exists) {
        return without_slot(mode, now);
    }
    if (now.last_run == LastRun::kUnfinished) {
        return Step::kResume;
    }
    if (now.last_run == LastRun::kOfAnotherSlot) {
        return Step::kTake;
    }
    if (mode == Mode::kAlways) {
        return now.taken_by_this_process ? Step::kNone : Step::kTake;
    }
    return now.last_run == LastRun::kCompleted || now.slot_was_read ? Step::kNone : Step::kTake;
}

}  // namespace holdfast::relay::snapshot
