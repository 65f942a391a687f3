// Every number that the relay publishes, as plain structs that the parts write and the exposition
// reads.  Names, types and meaning for operators: docs/metrics.md (a test compares).
//
// Thread rule: each struct has one writing thread (its pipeline's); all are read at scrape time.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "metrics/values.hpp"

namespace holdfast::relay::metrics {

/// Written by the capture thread.  LSNs are the raw 64-bit position.
struct CaptureMetrics {
    Gauge postgres_connected;     ///< 1 while the replication stream runs
    Counter postgres_reconnects;  ///< attempts to stream again after a lost or refused connection
    Counter events;               ///< records that Kafka has acknowledged
    Counter event_bytes;          ///< key and value bytes of those
    Counter transactions;         ///< transactions that are wholly acknowledged and carried records
    Counter delivery_failures;    ///< delivery reports that were not a success
    Counter claim_checks;         ///< sent in place of records that were too large
    Counter large_dead_letters;   ///< records that were too large and became dead letters
    Counter queue_full;           ///< times the producer's bound stopped reading from PostgreSQL
    Gauge in_flight_records;      ///< handed to the producer, not yet acknowledged
    Gauge in_flight_bytes;        ///< their key and value bytes
    Gauge received_lsn;           ///< end of the WAL that has been read from the stream
    Gauge confirmed_lsn;          ///< what PostgreSQL has been told is safe in Kafka
    Gauge server_lsn;             ///< end of WAL that the server announced last
    DurationHistogram commit_to_confirm;  ///< commit in PostgreSQL to acknowledged by Kafka
    Counter initial_snapshot_rows;        ///< rows that initial snapshots have read
    Counter incremental_snapshot_rows;    ///< rows that incremental ones have read
};

/// One binding ([[inbox]] or [[notify]] entry), written by its pipeline's thread.
struct InboxMetrics {
    std::string consumer;  ///< label; set before the thread starts
    std::string topic;     ///< label; set before the thread starts
    Counter applied;
    Counter duplicates;
    Counter dead;
    Counter parked;
    Counter early;
    Counter retries;  ///< batches that were tried again after a transient error
    Counter fenced;   ///< batches that another owner's epoch refused
    Gauge assigned_partitions;
    Gauge lag_records;        ///< broker's high watermark minus stored offset, over its partitions
    DurationHistogram apply;  ///< one inbox_apply call with its commit
};

/// The requests of one [[notify]] binding, written by the notify thread; its messages are counted
/// as those of any other binding.
struct NotifyMetrics {
    std::string consumer;  ///< label; set before the thread starts
    std::string topic;     ///< label; set before the thread starts
    Counter sent;          ///< answered with 2xx
    Counter failed;        ///< refused by the endpoint
    Counter retried;       ///< not answered, or asked to come again
    DurationHistogram request;
};

/// What holdfast.snapshot_run says of a snapshot, in the order of SnapshotMetrics::snapshots.
inline constexpr std::array<std::string_view, 6> kSnapshotStatuses{
    "REQUESTED", "RUNNING", "PAUSED", "COMPLETED", "STOPPED", "FAILED"};

/// The slot's snapshots of one kind, as the database has them, whoever takes them.
struct SnapshotMetrics {
    std::array<Gauge, kSnapshotStatuses.size()> snapshots;  ///< how many there are of each status
    Gauge tables;                                           ///< of those that have not ended
    Gauge tables_remaining;                                 ///< that are not read to their end
    Gauge started_seconds;  ///< Unix time at which the oldest of them began; 0 = none has
};

/// Written by the monitor (upkeep) thread from the database's own views.
struct MonitorMetrics {
    Gauge postgres_connected;
    Gauge slot_retained_bytes;  ///< WAL kept for the slot: current position minus restart_lsn
    Gauge slot_lag_bytes;       ///< current position minus confirmed_flush_lsn
    Gauge slot_safe_wal_bytes;  ///< safe_wal_size; -1 when the server sets no limit
    Gauge slot_active;
    Gauge wal_lsn;            ///< end of flushed WAL, seen by another connection than the stream's
    Gauge publication_drift;  ///< ways in which configuration, publication and catalogue differ
    Counter upkeep_runs;
    Counter upkeep_failures;
    Counter holds_expired;
    Counter sagas_swept;
    Counter positions_dropped;    ///< record_offsets entries dropped because the bound was reached
    Gauge last_maintain_seconds;  ///< Unix time of the last successful maintain(); 0 = never
    SnapshotMetrics initial_snapshots;
    SnapshotMetrics incremental_snapshots;
};

/// Written by kafka's callbacks and the composition root.
struct ProcessMetrics {
    Gauge kafka_connected;  ///< 1 while at least one broker connection is up
    Gauge halt_code;        ///< exit code of the halt in progress; 0 while all is well
    Gauge ready;            ///< what /health/ready last answered or would answer
    std::string version;    ///< set before the threads start
    std::string librdkafka_version;
    std::string slot;
    std::int64_t started_seconds = 0;  ///< Unix time
};

/// WAL that is written and not confirmed, from what stream and monitor have seen.  Before the first
/// confirmation of this process it is what the server says of the slot.
[[nodiscard]] inline std::int64_t lag_bytes(const CaptureMetrics& capture,
                                            const MonitorMetrics& monitor) {
    const std::int64_t confirmed = capture.confirmed_lsn.value();
    if (confirmed == 0) {
        return monitor.slot_lag_bytes.value();
    }
    const std::int64_t written = std::max(capture.server_lsn.value(), monitor.wal_lsn.value());
    return std::max<std::int64_t>(0, written - confirmed);
}

/// All of them.  Lives as long as the process; bindings are added before the threads start.
struct RelayMetrics {
    CaptureMetrics capture;
    std::deque<InboxMetrics> inbox;  ///< of [[inbox]], then of [[notify]]; elements never move
    std::deque<NotifyMetrics> notify;
    MonitorMetrics monitor;
    ProcessMetrics process;
};

}  // namespace holdfast::relay::metrics
