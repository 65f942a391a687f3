#include "commands/stream_preparation.hpp"

#include <vector>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "base/lsn.hpp"
#include "postgres/output_plugin.hpp"

namespace holdfast::relay::commands {
namespace {

constexpr std::string_view kUndefinedTable = "42P01";
constexpr std::string_view kInvalidSchema = "3F000";
constexpr std::string_view kDuplicateObject = "42710";

void require_same_cluster(postgres::Session& session, const SlotMemory& memory,
                          const std::string& slot) {
    const std::string current = postgres::read_server(session).system_identifier;
    if (!memory.system_identifier.empty() && !current.empty() &&
        memory.system_identifier != current) {
        throw FatalError(ExitCode::kWrongCluster,
                         "slot \"" + slot + "\" was used with the cluster " +
                             memory.system_identifier + ", and this one is " + current,
                         "Correct [postgres] dsn. If the database was restored into a new cluster, "
                         "compare the outbox with Kafka, then SELECT holdfast.forget_slot('" +
                             slot + "') and make a new slot with `holdfast-relay init`.");
    }
}

[[noreturn]] void slot_was_lost(const SlotMemory& memory, const std::string& slot) {
    throw FatalError(
        ExitCode::kSlotMissing,
        "slot \"" + slot +
            "\" does not exist, and a relay has streamed from it before (last seen " +
            memory.reported_at +
            (memory.confirmed_lsn.empty() ? "" : ", confirmed " + memory.confirmed_lsn) + ")",
        "Events that were committed since then may not be in Kafka. Compare an outbox with the "
        "topics from there on and republish what is missing; of captured tables, the snapshot that "
        "a new slot begins with has the rows, but not what was deleted. Then SELECT "
        "holdfast.forget_slot('" +
            slot + "') and make a new slot with `holdfast-relay init`.");
}

void log_refused_plugin(const postgres::SqlError& error) {
    log::info(
        "output_plugin_refused",
        {{"reason", error.message()},
         {"hint",
          "The slot is made for pgoutput, which costs the server about twice as much. To have "
          "the extension's plugin, allow it in output_plugin_libraries: see \"output plugin\" in "
          "docs/operations.md."}});
}

}  // namespace

std::optional<SlotMemory> read_slot_memory(postgres::Session& session, const std::string& slot) {
    try {
        const postgres::Result result = session.exec(
            "SELECT system_identifier, confirmed_lsn, reported_at, run_id, left_lsn "
            "FROM holdfast.relay_state WHERE slot = $1::name",
            {slot.c_str()});
        if (result.empty()) {
            return std::nullopt;
        }
        return SlotMemory{.system_identifier = std::string(result.text(0, 0)),
                          .confirmed_lsn = std::string(result.text(0, 1)),
                          .reported_at = std::string(result.text(0, 2)),
                          .run_id = std::string(result.text(0, 3)),
                          .left = Lsn::parse(result.text(0, 4)).value_or(Lsn{})};
    } catch (const postgres::SqlError& error) {
        if (error.sqlstate() == kUndefinedTable || error.sqlstate() == kInvalidSchema) {
            return std::nullopt;
        }
        throw;
    }
}

void require_all_but_slot(postgres::Session& session,
                          const postgres::StreamRequirements& required) {
    for (const postgres::Finding& finding : postgres::inspect(session, required)) {
        if (finding.code != ExitCode::kSlotMissing) {
            throw FatalError(finding.code, finding.message, finding.hint);
        }
    }
}

postgres::SlotRow prepare_stream(postgres::Session& session,
                                 const postgres::StreamRequirements& required, SlotPolicy policy,
                                 const SlotMaker& make) {
    const std::optional<SlotMemory> memory = read_slot_memory(session, required.slot);
    if (memory) {
        require_same_cluster(session, *memory, required.slot);
    }
    std::optional<postgres::SlotRow> slot = postgres::read_slot(session, required.slot);
    if (!slot && memory && policy != SlotPolicy::kReplaceLost) {
        slot_was_lost(*memory, required.slot);
    }
    if (!slot && policy == SlotPolicy::kMustExist) {
        throw FatalError(
            ExitCode::kSlotMissing, "slot \"" + required.slot + "\" does not exist",
            "For a new installation: `holdfast-relay init`, or `run --create-slot` the "
            "first time. If it did exist, events that were committed since it vanished "
            "may not be in Kafka: see docs/operations.md.");
    }
    if (!slot) {
        require_all_but_slot(session, required);
        try {
            postgres::make_with_plugin(
                session, required.slot, required.plugin,
                [&](const std::string& plugin) {
                    const Lsn start = make ? make(plugin)
                                           : postgres::create_slot(session, required.slot,
                                                                   required.publication, plugin);
                    log::info("slot_created",
                              {{"slot", required.slot}, {"plugin", plugin}, {"start_lsn", start}});
                },
                log_refused_plugin);
        } catch (const postgres::SqlError& error) {
            // Another relay that was started at the same moment has made it.
            if (error.sqlstate() != kDuplicateObject) {
                throw;
            }
        }
    }
    postgres::require_streamable(session, required);
    slot = postgres::read_slot(session, required.slot);
    if (!slot) {
        throw RetryableError("slot \"" + required.slot + "\" vanished while it was looked at");
    }
    return *slot;
}

}  // namespace holdfast::relay::commands
