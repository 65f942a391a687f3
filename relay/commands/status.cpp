#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/settings.hpp"
#include "base/errors.hpp"
#include "commands/commands.hpp"
#include "commands/kafka_inspection.hpp"
#include "commands/snapshot_line.hpp"
#include "config/config.hpp"
#include "config/loader.hpp"
#include "postgres/catalog.hpp"
#include "postgres/session.hpp"
#include "postgres/snapshot_overview.hpp"

namespace holdfast::relay::commands {
namespace {

constexpr std::chrono::milliseconds kKafkaLimit{3'000};

struct InboxRow {
    std::string consumer;
    std::string topic;
    std::int64_t partition = 0;
    std::int64_t next_offset = 0;
    std::string owner;
    std::string updated_at;
    std::optional<std::int64_t> lag;  ///< empty when Kafka was not reached
};

struct DeadLetterRow {
    std::string consumer;
    std::string topic;
    std::int64_t dead = 0;
    std::int64_t parked = 0;
    std::int64_t queued = 0;
    std::int64_t early = 0;
};

/// The last report of a relay for the slot.
struct RelayRow {
    std::string version;
    std::string host;
    std::string pid;
    std::string started_at;
    std::string reported_at;
    std::string last_error;
};

struct Snapshot {
    std::string slot;
    std::optional<postgres::SlotRow> slot_row;
    std::int64_t lag_bytes = 0;
    std::int64_t retained_bytes = 0;
    std::optional<RelayRow> relay;
    std::vector<postgres::SnapshotOverview> table_snapshots;
    std::vector<InboxRow> inbox;
    std::vector<DeadLetterRow> dead_letters;
    std::string kafka_problem;  ///< why there is no lag; "" = there is
};

void read_relay(postgres::Session& session, Snapshot& snapshot) {
    const postgres::Result result = session.exec(
        "SELECT relay_version, host, pid, started_at, reported_at, last_error "
        "FROM holdfast.relay_state WHERE slot = $1::name",
        {snapshot.slot.c_str()});
    if (!result.empty()) {
        const auto text = [&result](int column) { return std::string(result.text(0, column)); };
        snapshot.relay = RelayRow{text(0), text(1), text(2), text(3), text(4), text(5)};
    }
}

void read_inbox(postgres::Session& session, Snapshot& snapshot) {
    const postgres::Result offsets = session.exec(
        "SELECT consumer, topic, \"partition\", next_offset, owner, updated_at "
        "FROM holdfast.inbox_offset ORDER BY consumer, topic, \"partition\"");
    for (int row = 0; row < offsets.rows(); ++row) {
        snapshot.inbox.push_back({.consumer = std::string(offsets.text(row, 0)),
                                  .topic = std::string(offsets.text(row, 1)),
                                  .partition = offsets.int64(row, 2),
                                  .next_offset = offsets.int64(row, 3),
                                  .owner = std::string(offsets.text(row, 4)),
                                  .updated_at = std::string(offsets.text(row, 5)),
                                  .lag = std::nullopt});
    }
    const postgres::Result letters = session.exec(
        "SELECT consumer, topic, count(*) FILTER (WHERE status = 'DEAD'), "
        "count(*) FILTER (WHERE status = 'PARKED'), count(*) FILTER (WHERE status = 'QUEUED'), "
        "count(*) FILTER (WHERE status = 'EARLY') "
        "FROM holdfast.dead_letter GROUP BY consumer, topic ORDER BY consumer, topic");
    for (int row = 0; row < letters.rows(); ++row) {
        snapshot.dead_letters.push_back({.consumer = std::string(letters.text(row, 0)),
                                         .topic = std::string(letters.text(row, 1)),
                                         .dead = letters.int64(row, 2),
                                         .parked = letters.int64(row, 3),
                                         .queued = letters.int64(row, 4),
                                         .early = letters.int64(row, 5)});
    }
}

void read_lag(const config::Config& config, Snapshot& snapshot) {
    std::map<std::string, int> partitions;
    for (const InboxRow& row : snapshot.inbox) {
        int& count = partitions[row.topic];
        count = std::max(count, static_cast<int>(row.partition) + 1);
    }
    if (partitions.empty()) {
        return;
    }
    try {
        const kafka::Properties properties = adapters::kafka_properties(config);
        static_cast<void>(inspect_cluster(properties, {}, kKafkaLimit));  // is anybody there?
        const auto highs = high_watermarks(properties, partitions, kKafkaLimit);
        for (InboxRow& row : snapshot.inbox) {
            const std::int64_t high =
                highs.at(row.topic).at(static_cast<std::size_t>(row.partition));
            if (high >= 0) {
                row.lag = std::max<std::int64_t>(0, high - row.next_offset);
            }
        }
    } catch (const Error& error) {
        snapshot.kafka_problem = error.what();
    }
}

Snapshot take_snapshot(const config::Config& config) {
    postgres::Session session(adapters::connect_options(config, "status"));
    Snapshot snapshot;
    snapshot.slot = config.postgres.slot;
    snapshot.slot_row = postgres::read_slot(session, snapshot.slot);
    if (snapshot.slot_row) {
        const std::string confirmed = snapshot.slot_row->confirmed_flush.to_string();
        const std::string restart = snapshot.slot_row->restart.to_string();
        const postgres::Result wal = session.exec(
            "SELECT (pg_current_wal_lsn() - $1::pg_lsn)::bigint, "
            "(pg_current_wal_lsn() - $2::pg_lsn)::bigint",
            {confirmed.c_str(), restart.c_str()});
        snapshot.lag_bytes = wal.int64(0, 0);
        snapshot.retained_bytes = wal.int64(0, 1);
    }
    read_relay(session, snapshot);
    snapshot.table_snapshots = postgres::read_snapshot_overview(session, snapshot.slot);
    read_inbox(session, snapshot);
    read_lag(config, snapshot);
    return snapshot;
}

// ---- For people

void print(const Snapshot& snapshot) {
    if (const auto& slot = snapshot.slot_row) {
        std::printf(
            "slot %s: plugin %s, %s, %s, confirmed %s, lag %lld bytes, keeps %lld bytes of WAL",
            snapshot.slot.c_str(), slot->plugin.c_str(),
            slot->active_pid ? "streaming" : "not in use", slot->wal_status.c_str(),
            slot->confirmed_flush.to_string().c_str(), static_cast<long long>(snapshot.lag_bytes),
            static_cast<long long>(snapshot.retained_bytes));
        if (slot->safe_wal_bytes) {
            std::printf(", %lld bytes until it is lost",
                        static_cast<long long>(*slot->safe_wal_bytes));
        }
        std::printf("\n");
    } else {
        std::printf("slot %s: does not exist\n", snapshot.slot.c_str());
    }
    if (const auto& relay = snapshot.relay) {
        std::printf("relay %s on %s, pid %s, since %s, last report %s\n", relay->version.c_str(),
                    relay->host.c_str(), relay->pid.c_str(), relay->started_at.c_str(),
                    relay->reported_at.c_str());
        if (!relay->last_error.empty()) {
            std::printf("  last error: %s\n", relay->last_error.c_str());
        }
    } else {
        std::printf("relay: none has reported for this slot yet\n");
    }
    for (const postgres::SnapshotOverview& of_tables : snapshot.table_snapshots) {
        std::printf("%s", snapshot_line(of_tables).c_str());
    }
    if (!snapshot.inbox.empty()) {
        std::printf("\n%-20s %-28s %9s %12s %10s  %s\n", "CONSUMER", "TOPIC", "PARTITION",
                    "NEXT OFFSET", "LAG", "OWNER");
    }
    for (const InboxRow& row : snapshot.inbox) {
        std::printf("%-20s %-28s %9lld %12lld %10s  %s\n", row.consumer.c_str(), row.topic.c_str(),
                    static_cast<long long>(row.partition), static_cast<long long>(row.next_offset),
                    row.lag ? std::to_string(*row.lag).c_str() : "?", row.owner.c_str());
    }
    if (!snapshot.kafka_problem.empty()) {
        std::printf("inbox lag is unknown: %s\n", snapshot.kafka_problem.c_str());
    }
    std::printf("\n");
    for (const DeadLetterRow& row : snapshot.dead_letters) {
        std::printf("dead letters: %s %s: %lld dead, %lld parked, %lld early, %lld queued\n",
                    row.consumer.c_str(), row.topic.c_str(), static_cast<long long>(row.dead),
                    static_cast<long long>(row.parked), static_cast<long long>(row.early),
                    static_cast<long long>(row.queued));
    }
    if (snapshot.dead_letters.empty()) {
        std::printf("dead letters: none\n");
    } else {
        std::printf("  SELECT * FROM holdfast.dead_letter shows them\n");
    }
}

// ---- For programs

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void put(Writer& json, const char* name, const std::string& text) {
    json.Key(name);
    json.String(text.c_str(), static_cast<rapidjson::SizeType>(text.size()));
}

void put(Writer& json, const char* name, std::optional<std::int64_t> number) {
    json.Key(name);
    if (number) {
        json.Int64(*number);
    } else {
        json.Null();
    }
}

void put_flag(Writer& json, const char* name, bool value) {
    json.Key(name);
    json.Bool(value);
}

void write_slot(Writer& json, const Snapshot& snapshot) {
    json.StartObject();
    put(json, "name", snapshot.slot);
    put_flag(json, "exists", snapshot.slot_row.has_value());
    if (const auto& slot = snapshot.slot_row) {
        put(json, "plugin", slot->plugin);
        put_flag(json, "active", slot->active_pid.has_value());
        put(json, "walStatus", slot->wal_status);
        put(json, "confirmedLsn", slot->confirmed_flush.to_string());
        put(json, "restartLsn", slot->restart.to_string());
        put(json, "lagBytes", snapshot.lag_bytes);
        put(json, "retainedBytes", snapshot.retained_bytes);
        put(json, "safeWalBytes", slot->safe_wal_bytes);
    }
    json.EndObject();
}

void write_relay(Writer& json, const std::optional<RelayRow>& relay) {
    if (!relay) {
        json.Null();
        return;
    }
    json.StartObject();
    put(json, "version", relay->version);
    put(json, "host", relay->host);
    put(json, "pid", relay->pid);
    put(json, "startedAt", relay->started_at);
    put(json, "reportedAt", relay->reported_at);
    put(json, "lastError", relay->last_error);
    json.EndObject();
}

void write_table_snapshot(Writer& json, const postgres::SnapshotOverview& snapshot) {
    json.StartObject();
    put(json, "id", snapshot.id);
    put(json, "kind", snapshot.kind);
    put(json, "status", snapshot.status);
    put(json, "startedAt", snapshot.started_at);
    put(json, "tables", snapshot.tables);
    put(json, "tablesCompleted", snapshot.tables_completed);
    put(json, "rowsSent", snapshot.rows_sent);
    put(json, "rowsEstimated", snapshot.rows_estimated);
    json.Key("reading");
    json.StartArray();
    for (const std::string& table : snapshot.reading) {
        json.String(table.c_str(), static_cast<rapidjson::SizeType>(table.size()));
    }
    json.EndArray();
    put(json, "lastError", snapshot.last_error);
    json.EndObject();
}

void print_json(const Snapshot& snapshot) {
    rapidjson::StringBuffer text;
    Writer json(text);
    json.StartObject();
    json.Key("slot");
    write_slot(json, snapshot);
    json.Key("relay");
    write_relay(json, snapshot.relay);
    json.Key("snapshots");
    json.StartArray();
    for (const postgres::SnapshotOverview& of_tables : snapshot.table_snapshots) {
        write_table_snapshot(json, of_tables);
    }
    json.EndArray();
    json.Key("inbox");
    json.StartArray();
    for (const InboxRow& row : snapshot.inbox) {
        json.StartObject();
        put(json, "consumer", row.consumer);
        put(json, "topic", row.topic);
        put(json, "partition", row.partition);
        put(json, "nextOffset", row.next_offset);
        put(json, "lag", row.lag);
        put(json, "owner", row.owner);
        put(json, "updatedAt", row.updated_at);
        json.EndObject();
    }
    json.EndArray();
    json.Key("deadLetters");
    json.StartArray();
    for (const DeadLetterRow& row : snapshot.dead_letters) {
        json.StartObject();
        put(json, "consumer", row.consumer);
        put(json, "topic", row.topic);
        put(json, "dead", row.dead);
        put(json, "parked", row.parked);
        put(json, "early", row.early);
        put(json, "queued", row.queued);
        json.EndObject();
    }
    json.EndArray();
    put(json, "kafkaProblem", snapshot.kafka_problem);
    json.EndObject();
    std::printf("%s\n", text.GetString());
}

}  // namespace

ExitCode status(const std::string& config_path, const StatusOptions& options) {
    const config::Config config = config::load(config_path, config::process_environment());
    const Snapshot snapshot = take_snapshot(config);
    if (options.json) {
        print_json(snapshot);
    } else {
        print(snapshot);
    }
    return ExitCode::kOk;
}

}  // namespace holdfast::relay::commands
