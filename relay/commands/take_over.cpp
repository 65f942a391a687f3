#include "commands/take_over.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/errors.hpp"
#include "postgres/output_plugin.hpp"

namespace holdfast::relay::commands {
namespace {

using capture::ResumePosition;
using debezium::SourceOffset;
using debezium::SourceOffsetKey;

constexpr std::array<std::string_view, 4> kChanges = {"INSERT", "UPDATE", "DELETE", "TRUNCATE"};

[[noreturn]] void refuse(ExitCode code, const std::string& what, const std::string& hint) {
    throw FatalError(code, "cannot take over: " + what, hint);
}

/// The position of a change in the middle of a transaction.
ResumePosition middle(const SourceOffset& offset, std::uint64_t events) {
    if (!offset.tx_id) {
        refuse(ExitCode::kConfig,
               "the offset is of type " + offset.message_type + " without \"txId\"",
               "Start the connector once more, and stop it when it has sent something.");
    }
    return {
        .lsn_commit = offset.lsn_commit, .lsn = offset.lsn, .xid = offset.tx_id, .events = events};
}

}  // namespace

SourceOffset find_offset(const std::vector<debezium::StoredOffset>& offsets,
                         const std::string& connector, const std::string& topic_prefix) {
    std::set<std::string> names;
    const debezium::StoredOffset* found = nullptr;
    int matches = 0;
    for (const debezium::StoredOffset& offset : offsets) {
        const auto key = offset.key ? SourceOffsetKey::parse(*offset.key) : std::nullopt;
        if (!key || !offset.value) {
            continue;
        }
        names.insert(quoted(key->connector) + " with topic.prefix " + quoted(key->server));
        if (key->server == topic_prefix && (connector.empty() || key->connector == connector)) {
            found = &offset;
            ++matches;
        }
    }
    std::string list;
    for (const std::string& name : names) {
        list += (list.empty() ? "" : ", ") + name;
    }
    if (matches == 0) {
        refuse(
            ExitCode::kConfig,
            "there is no offset of the connector " +
                (connector.empty() ? std::string("without a name") : quoted(connector)) +
                " with topic.prefix " + quoted(topic_prefix) + ", but " +
                (list.empty() ? "none at all" : "of " + list),
            "Name the connector as Connect knows it with --connector. One that has never sent "
            "anything has no offset: then there is nothing to take over, and the slot says where "
            "to begin.");
    }
    if (matches > 1) {
        refuse(ExitCode::kConfig,
               "several connectors have the topic.prefix " + quoted(topic_prefix) + ": " + list,
               "Name the one that is meant with --connector.");
    }
    return SourceOffset::parse(*found->value);
}

ResumePosition resume_position(const SourceOffset& offset) {
    if (offset.in_incremental_snapshot) {
        refuse(
            ExitCode::kConfig, "an incremental snapshot is under way",
            "Let the connector finish it or stop it with the signal stop-snapshot, then stop the "
            "connector. The relay makes incremental snapshots of its own.");
    }
    if (!offset.lsn) {
        refuse(ExitCode::kConfig, "the offset has no position (\"lsn\")",
               "Start the connector once more, and stop it when it has sent something.");
    }
    if (offset.in_snapshot) {
        if (!offset.last_snapshot_record && !offset.snapshot_completed) {
            refuse(ExitCode::kConfig, "the connector's snapshot is not complete",
                   "Let the connector finish it. Or import without --take-over, and let the relay "
                   "take the snapshot from the beginning, as the connector would do too.");
        }
        return {.lsn_commit = {}, .lsn = offset.lsn, .xid = {}, .events = 0};
    }
    const std::string& type = offset.message_type;
    // Of a message outside of transactions the connector notes the position as a commit's.
    const bool lone_message = type == "MESSAGE" && !offset.tx_id;
    if (type == "COMMIT" || lone_message) {
        if (!offset.lsn_commit) {
            refuse(ExitCode::kConfig, "the offset is of type " + type + " without \"lsn_commit\"",
                   "Start the connector once more, and stop it when it has sent something.");
        }
        return {.lsn_commit = offset.lsn_commit, .lsn = {}, .xid = {}, .events = 0};
    }
    if (type == "BEGIN") {
        return middle(offset, 0);
    }
    if (type == "MESSAGE") {
        return middle(offset, 1);
    }
    if (std::ranges::find(kChanges, type) != kChanges.end()) {
        // Without the count, which came with 3.7, one is certain: the others of its WAL record, if
        // it has any, are sent again rather than lost.
        return middle(offset, std::max<std::uint64_t>(offset.lsn_events_processed.value_or(1), 1));
    }
    if (type.empty() && !offset.lsn_proc && !offset.lsn_commit) {
        // Nothing has been read since this position was noted at the start.
        return {.lsn_commit = {}, .lsn = offset.lsn, .xid = {}, .events = 0};
    }
    refuse(ExitCode::kConfig,
           type.empty() ? "the offset does not say what was handled last (\"messageType\")"
                        : "the offset is of type " + quoted(type) + ", which is not known",
           "Let a connector of Debezium 3.6 or 3.7 run until it has sent something, then stop it.");
}

void require_takeable(const std::optional<postgres::SlotRow>& slot, const std::string& name,
                      const std::string& database, Lsn wal_end, const ResumePosition& position) {
    const std::string which = "slot " + quoted(name);
    if (!slot) {
        refuse(
            ExitCode::kSlotMissing, which + " does not exist",
            "The connector's slot.name has to be right, and slot.drop.on.stop false. Without the "
            "slot nothing knows what was written since: see docs/operations.md.");
    }
    if (!postgres::is_readable_plugin(slot->plugin) || slot->slot_type != "logical") {
        refuse(ExitCode::kConfig,
               which + " is " + slot->slot_type +
                   (slot->plugin.empty() ? "" : " with the plugin " + slot->plugin),
               "The relay reads pgoutput. Make a slot for it with `holdfast-relay init` while the "
               "connector still runs, then stop the connector: what both have sent is repeated.");
    }
    if (slot->database != database) {
        refuse(ExitCode::kConfig,
               which + " belongs to the database " + quoted(slot->database) + ", not to " +
                   quoted(database),
               "Correct database.dbname.");
    }
    if (slot->temporary) {
        refuse(ExitCode::kConfig, which + " is temporary", "It ends with its session.");
    }
    if (slot->wal_status == "lost") {
        refuse(ExitCode::kSlotLost, which + " has lost WAL that it needed",
               "Raise max_slot_wal_keep_size, and take a new snapshot: see docs/operations.md.");
    }
    if (slot->active_pid) {
        refuse(ExitCode::kUnavailable,
               which + " is being read by the server process " + std::to_string(*slot->active_pid),
               "Stop the connector (PUT /connectors/NAME/stop), wait until its offset is stored, "
               "then take over.");
    }
    const Lsn end = position.lsn_commit ? *position.lsn_commit : *position.lsn;
    if (slot->confirmed_flush > end) {
        refuse(
            ExitCode::kConfig,
            which + " is confirmed up to " + slot->confirmed_flush.to_string() +
                ", and the stored offset ends at " + end.to_string() +
                ": whether what lies between was sent, neither tells",
            "Take the connector's newest offset: a worker stores it when it stops. With "
            "lsn.flush.mode=connector_and_driver the slot runs ahead of the offset by what "
            "concerned other tables: start the connector once more with lsn.flush.mode=connector "
            "and heartbeat.interval.ms, write a row of a captured table, and stop it. Or go on "
            "without --take-over from where the slot is.");
    }
    const Lsn newest = std::max(end, position.lsn.value_or(Lsn{}));
    if (newest > wal_end) {
        refuse(ExitCode::kWrongCluster,
               "the stored offset is at " + newest.to_string() + ", and the server's log ends at " +
                   wal_end.to_string(),
               "Another cluster answers, or this one was restored to an older state.");
    }
}

TakenOver take_over(postgres::Session& session, const std::string& slot,
                    const ResumePosition& position) {
    const postgres::ServerFacts server = postgres::read_server(session);
    if (server.in_recovery) {
        refuse(ExitCode::kConfig, "the server is a standby", "Name the primary in the dsn.");
    }
    const postgres::Result wal = session.exec("SELECT pg_catalog.pg_current_wal_flush_lsn()");
    require_takeable(postgres::read_slot(session, slot), slot, server.database,
                     Lsn::parse(wal.text(0, 0)).value_or(Lsn{}), position);
    const std::optional<Lsn> last_commit = capture::ResumePoint(position).last_commit();
    return {.resume_after = position.to_string(),
            .system_identifier = server.system_identifier,
            .sequence_start = last_commit ? std::to_string(last_commit->value) : "null"};
}

}  // namespace holdfast::relay::commands
