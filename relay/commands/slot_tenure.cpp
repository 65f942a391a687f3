#include "commands/slot_tenure.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "base/errors.hpp"

namespace holdfast::relay::commands {
namespace {

constexpr std::string_view kUndefinedFunction = "42883";
constexpr std::string_view kInvalidSchema = "3F000";

/// Without the extension there is no place to remember it in.
void exec_if_installed(postgres::Session& session, const char* statement,
                       std::initializer_list<postgres::Parameter> parameters) {
    try {
        session.exec(statement, parameters);
    } catch (const postgres::SqlError& error) {
        if (error.sqlstate() != kUndefinedFunction && error.sqlstate() != kInvalidSchema) {
            throw;
        }
    }
}

}  // namespace

std::optional<SlotMoved> slot_moved(const postgres::SlotRow& slot, Lsn left,
                                    const std::string& name) {
    if (left == Lsn{} || slot.confirmed_flush <= left) {
        return std::nullopt;
    }
    return SlotMoved{
        .message = "slot \"" + name + "\" is confirmed up to " + slot.confirmed_flush.to_string() +
                   ", and the relay has left it at " + left.to_string() +
                   ": it was made again, advanced, or read by another program",
        .hint =
            "What was committed between the two may not be in Kafka. Compare an outbox with "
            "the topics from there on, republish what is missing, then SELECT "
            "holdfast.forget_slot('" +
            name +
            "') and start again: the relay streams from where the slot stands, and of "
            "captured tables it takes the snapshot that snapshot.mode asks for."};
}

SlotTenure::SlotTenure(std::string slot, std::string run_id)
    : slot_(std::move(slot)), run_id_(std::move(run_id)) {}

void SlotTenure::take(postgres::Session& session) {
    const std::optional<SlotMemory> memory = read_slot_memory(session, slot_);
    const std::optional<postgres::SlotRow> slot = postgres::read_slot(session, slot_);
    if (!slot) {
        throw RetryableError("slot \"" + slot_ + "\" vanished while it was looked at");
    }
    if (memory) {
        // What this process knows holds as long as no other has streamed since.
        const Lsn left =
            memory->run_id == run_id_ ? std::max(memory->left, confirmed_) : memory->left;
        if (const std::optional<SlotMoved> moved = slot_moved(*slot, left, slot_)) {
            throw FatalError(ExitCode::kSlotMissing, moved->message, moved->hint);
        }
    }
    record_taken(session);
    note_confirmed(slot->confirmed_flush);
}

void SlotTenure::note_confirmed(Lsn confirmed) noexcept {
    confirmed_ = std::max(confirmed_, confirmed);
}

void SlotTenure::leave(postgres::Session& session) const {
    exec_if_installed(session, "SELECT holdfast.relay_leave_slot($1::name, $2::uuid, $3::pg_lsn)",
                      {slot_.c_str(), run_id_.c_str(), confirmed_.to_string().c_str()});
}

void SlotTenure::begin_anew(postgres::Session& session) {
    confirmed_ = {};
    // A row says that a relay has streamed from the slot, which none has of this one.
    if (read_slot_memory(session, slot_)) {
        record_taken(session);
    }
}

void SlotTenure::record_taken(postgres::Session& session) const {
    exec_if_installed(session, "SELECT holdfast.relay_take_slot($1::name, $2::uuid)",
                      {slot_.c_str(), run_id_.c_str()});
}

}  // namespace holdfast::relay::commands
