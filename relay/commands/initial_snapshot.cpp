#include "commands/initial_snapshot.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "adapters/settings.hpp"
#include "adapters/snapshot_ledger.hpp"
#include "adapters/snapshot_settings.hpp"
#include "adapters/table_catalog.hpp"
#include "base/errors.hpp"
#include "base/log.hpp"
#include "postgres/replication_stream.hpp"
#include "postgres/snapshot_tables.hpp"
#include "postgres/table_catalog.hpp"
#include "snapshot/pipeline.hpp"

namespace holdfast::relay::commands {
namespace {

constexpr std::string_view kUndefinedTable = "42P01";
constexpr std::string_view kInvalidSchema = "3F000";
constexpr std::string_view kInsufficientPrivilege = "42501";

std::optional<postgres::SnapshotRunRow> last_run(postgres::Session& session,
                                                 const std::string& slot) {
    try {
        return postgres::read_last_initial_snapshot(session, slot);
    } catch (const postgres::SqlError& error) {
        if (error.sqlstate() == kInsufficientPrivilege) {
            throw FatalError(ExitCode::kPermissionDenied, error.message(),
                             "As administrator: SELECT holdfast.grant_relay('<role>').");
        }
        if (error.sqlstate() != kUndefinedTable && error.sqlstate() != kInvalidSchema) {
            throw;
        }
        throw FatalError(ExitCode::kConfig,
                         "a snapshot needs the extension in the database, which keeps its progress",
                         "CREATE EXTENSION holdfast, then SELECT holdfast.grant_relay('<role>'). "
                         "Or set \"snapshot.mode\" to no_data in [connector].");
    }
}

/// Until the session ends.
void lock(postgres::Session& session, const std::string& slot) {
    const postgres::Result row = session.exec(
        "SELECT pg_catalog.pg_try_advisory_lock("
        "pg_catalog.hashtextextended('holdfast.snapshot ' || $1, 0))",
        {slot.c_str()});
    if (!row.boolean(0, 0)) {
        throw postgres::SlotInUseError("another relay takes a snapshot for slot \"" + slot + "\"");
    }
}

snapshot::Situation::LastRun state_of(const std::optional<postgres::SnapshotRunRow>& run) {
    using LastRun = snapshot::Situation::LastRun;
    if (!run || run->status == "STOPPED") {
        return LastRun::kNone;
    }
    return run->status == "COMPLETED" ? LastRun::kCompleted : LastRun::kUnfinished;
}

/// A slot that was made behind the snapshot has not got what was changed between the two.  A slot
/// of its own begins at the snapshot or before it, and goes on when the snapshot is complete.
bool is_of_another_slot(const std::optional<postgres::SnapshotRunRow>& run,
                        const std::optional<postgres::SlotRow>& slot, bool slot_was_read) {
    using LastRun = snapshot::Situation::LastRun;
    if (!run || !slot || run->lsn == Lsn{} || run->lsn >= slot->confirmed_flush) {
        return false;
    }
    const LastRun state = state_of(run);
    return state == LastRun::kUnfinished || (state == LastRun::kCompleted && !slot_was_read);
}

/// What the pipeline has to know of a table.
snapshot::Table make_table(postgres::Session& session, const postgres::SnapshotTable& source,
                           int ordinal) {
    std::vector<std::uint32_t> types;
    snapshot::Table table{.ordinal = ordinal,
                          .id = {source.oid},
                          .replica_identity = source.replica_identity,
                          .description = {},
                          .columns = {},
                          .key = {},
                          .key_definition = source.key_definition,
                          .after = std::nullopt,
                          .rows_sent = 0};
    for (const postgres::SnapshotColumn& column : source.columns) {
        types.push_back(column.type);
        table.columns.push_back(column.name);
    }
    for (const std::string& name : source.key) {
        const auto found = std::ranges::find(table.columns, name);
        table.key.push_back(static_cast<std::size_t>(found - table.columns.begin()));
    }
    table.description = adapters::table_description(
        source.schema, source.name,
        postgres::read_table(session, source.schema, source.name, types));
    return table;
}

/// In the order of schema and name.
std::vector<const postgres::SnapshotTable*> in_order(const adapters::SnapshotTables& tables) {
    std::vector<const postgres::SnapshotTable*> list;
    for (const auto& [oid, table] : tables) {
        list.push_back(&table);
    }
    std::ranges::sort(list, {}, [](const postgres::SnapshotTable* table) {
        return std::pair(table->schema, table->name);
    });
    return list;
}

}  // namespace

InitialSnapshot::InitialSnapshot(const config::Config& config,
                                 const postgres::StreamRequirements& required, std::string run_id,
                                 const Clock& clock, metrics::RelayMetrics& metrics)
    : config_(config),
      required_(required),
      run_id_(std::move(run_id)),
      clock_(clock),
      metrics_(metrics),
      mode_(adapters::snapshot_mode(config)) {}

snapshot::Step InitialSnapshot::next_step(postgres::Session& session, SlotPolicy policy) const {
    if (mode_ == snapshot::Mode::kNoData) {
        return snapshot::Step::kNone;
    }
    using LastRun = snapshot::Situation::LastRun;
    lock(session, required_.slot);
    const auto last = last_run(session, required_.slot);
    const auto slot = postgres::read_slot(session, required_.slot);
    const bool slot_was_read = read_slot_memory(session, required_.slot).has_value();
    const bool other_slot = !nothing_follows() && is_of_another_slot(last, slot, slot_was_read);
    return snapshot::next_step(mode_,
                               {.last_run = other_slot ? LastRun::kOfAnotherSlot : state_of(last),
                                .taken_by_this_process = taken_,
                                .slot_exists = slot.has_value(),
                                .slot_was_read = slot_was_read,
                                .may_create_slot = policy == SlotPolicy::kCreateIfNeverMade,
                                .has_outbox = !config_.outboxes.empty()});
}

bool InitialSnapshot::take(postgres::Session& session, snapshot::Step step,
                           std::optional<postgres::ExportedSnapshot> exported,
                           capture::RecordSink& sink, const EventFd& stop) {
    const postgres::ConnectOptions connection = adapters::connect_options(config_, "snapshot");
    if (!exported) {
        exported = postgres::ExportedSnapshot::of_now(connection);
    }
    // The catalogue is read behind the snapshot: a column that is older than its row's reader.
    const adapters::SnapshotTables sources = read_tables(session);
    const std::optional<Run> unfinished =
        step == snapshot::Step::kResume ? resume(session, sources) : std::nullopt;
    const Run run = unfinished ? *unfinished : begin(session, sources, exported->lsn());
    const std::size_t threads =
        std::clamp<std::size_t>(run.tables.size(), 1, adapters::snapshot_threads(config_));
    std::vector<std::unique_ptr<adapters::SnapshotRows>> rows;
    std::vector<snapshot::RowSource*> readers;
    for (std::size_t i = 0; i < threads; ++i) {
        rows.push_back(
            std::make_unique<adapters::SnapshotRows>(exported->reader(connection), sources));
        readers.push_back(rows.back().get());
    }
    snapshot::PipelineOptions options =
        adapters::snapshot_options(config_, postgres::read_server(session).database, run_id_);
    options.lsn = exported->lsn();
    options.xid = rows.front()->transaction_id();
    exported.reset();  // the readers have it
    log::info("snapshot_started", {{"slot", required_.slot},
                                   {"snapshot_id", run.id},
                                   {"resumed", unfinished.has_value()},
                                   {"tables", run.tables.size()},
                                   {"lsn", options.lsn}});
    adapters::SnapshotLedger ledger(session, run.id);
    snapshot::Pipeline pipeline(sink, run.tables, readers, ledger, clock_, metrics_.capture,
                                std::move(options));
    if (!pipeline.run(stop)) {
        log::info("snapshot_interrupted", {{"snapshot_id", run.id}});
        return false;
    }
    postgres::end_snapshot(session, run.id, "COMPLETED");
    taken_ = true;
    log::info("snapshot_completed", {{"slot", required_.slot}, {"snapshot_id", run.id}});
    return true;
}

adapters::SnapshotTables InitialSnapshot::read_tables(postgres::Session& session) const {
    const auto captures = adapters::snapshot_tables(config_);
    adapters::SnapshotTables tables;
    // A row filter's names are written for the search_path under which it is read.
    session.exec("BEGIN");
    session.exec("SET LOCAL search_path = pg_catalog, pg_temp");
    for (postgres::SnapshotTable& table :
         postgres::read_snapshot_tables(session, required_.publication)) {
        if (table.columns.empty() || !captures(table.schema, table.name)) {
            continue;
        }
        if (!table.key_type_elsewhere.empty()) {
            table.key.clear();  // it would leave rows out
            table.key_definition.clear();
        }
        tables.emplace(table.oid, std::move(table));
    }
    session.exec("COMMIT");
    return tables;
}

void InitialSnapshot::announce(postgres::Session& session) const {
    const auto last = last_run(session, required_.slot);
    const bool unfinished = state_of(last) == snapshot::Situation::LastRun::kUnfinished;
    if (unfinished && postgres::read_snapshot_progress(session, last->id).empty()) {
        return;
    }
    session.exec("BEGIN");
    if (unfinished) {
        postgres::end_snapshot(session, last->id, "STOPPED");
    }
    postgres::start_snapshot(session, required_.slot, {}, Lsn{});
    session.exec("COMMIT");
}

InitialSnapshot::Run InitialSnapshot::begin(postgres::Session& session,
                                            const adapters::SnapshotTables& tables, Lsn lsn) const {
    Run run;
    std::vector<std::pair<std::string, std::string>> names;
    for (const postgres::SnapshotTable* table : in_order(tables)) {
        names.emplace_back(table->schema, table->name);
        run.tables.push_back(make_table(session, *table, static_cast<int>(names.size())));
    }
    const auto last = last_run(session, required_.slot);
    session.exec("BEGIN");
    if (state_of(last) == snapshot::Situation::LastRun::kUnfinished &&
        !postgres::read_snapshot_progress(session, last->id).empty()) {
        postgres::end_snapshot(session, last->id, "STOPPED", "another slot has taken its place");
    }
    run.id = postgres::start_snapshot(session, required_.slot, names, lsn);
    session.exec("COMMIT");
    return run;
}

std::optional<InitialSnapshot::Run> InitialSnapshot::resume(
    postgres::Session& session, const adapters::SnapshotTables& tables) const {
    const auto unfinished = last_run(session, required_.slot);
    if (!unfinished) {
        throw RetryableError("the snapshot that was to be resumed is gone");
    }
    Run run{.id = unfinished->id, .tables = {}};
    const std::vector<postgres::SnapshotTableRow> progress =
        postgres::read_snapshot_progress(session, run.id);
    if (progress.empty()) {
        return std::nullopt;
    }
    for (const postgres::SnapshotTableRow& row : progress) {
        if (row.completed) {
            continue;
        }
        const auto found = std::ranges::find_if(tables, [&](const auto& entry) {
            return entry.second.schema == row.schema && entry.second.name == row.table;
        });
        if (found == tables.end()) {
            if (postgres::skip_snapshot_table(session, run.id, row.ordinal)) {
                log::warn("snapshot_table_gone", {{"snapshot_id", run.id},
                                                  {"table", row.schema + "." + row.table},
                                                  {"rows_sent", row.rows_sent}});
            }
            continue;
        }
        snapshot::Table table = make_table(session, found->second, row.ordinal);
        // Of another key than it is read by now, a position says nothing.  And a row may have come
        // before it meanwhile, which only the stream would tell.
        if (!nothing_follows() && row.last_key && row.key_columns == found->second.key_definition) {
            table.after = row.last_key;
            table.rows_sent = row.rows_sent;
        }
        run.tables.push_back(std::move(table));
    }
    // Renamed since, or published, or taken into a list: a table that no other run would read.
    for (const postgres::SnapshotTable* table : in_order(tables)) {
        if (std::ranges::none_of(progress, [&](const postgres::SnapshotTableRow& row) {
                return row.schema == table->schema && row.table == table->name;
            })) {
            const int ordinal =
                postgres::add_snapshot_table(session, run.id, table->schema, table->name);
            log::warn("snapshot_table_added",
                      {{"snapshot_id", run.id}, {"table", table->schema + "." + table->name}});
            run.tables.push_back(make_table(session, *table, ordinal));
        }
    }
    return run;
}

}  // namespace holdfast::relay::commands
