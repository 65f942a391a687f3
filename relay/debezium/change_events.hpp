// From pgoutput messages to Debezium's change events: keys, envelopes, tombstones, transaction
// metadata, logical messages, heartbeats, snapshot rows.  Knows nothing of sockets, catalogues or
// Kafka: the pipeline hands it what has come and sends what it returns.
//
// Every call returns the records of that one thing, in their order; they and all that they view
// stay valid until the next call.
//
// Sources: docs/message-format.md; Debezium documentation, "Data change events".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/lsn.hpp"
#include "debezium/connector_options.hpp"
#include "debezium/record.hpp"
#include "debezium/table_description.hpp"
#include "debezium/topic_names.hpp"
#include "pgoutput/messages.hpp"

namespace holdfast::relay::debezium {

/// Where and when one message of the stream was read.
struct Frame {
    Lsn lsn;                  ///< where its WAL begins (XLogData dataStart)
    std::int64_t now_us = 0;  ///< wall clock, Unix time: the envelope's ts_us
};

/// source.snapshot of a snapshot's row.
enum class SnapshotMarker {
    kFirst,
    kFirstInDataCollection,
    kTrue,
    kLastInDataCollection,
    kLast,
    kIncremental,
};

/// Where a snapshot's rows were read.
struct SnapshotPosition {
    Lsn lsn;                  ///< 0 = none (incremental)
    std::optional<Xid> xid;   ///< nullopt for an incremental snapshot
    std::int64_t now_us = 0;  ///< when the row was read, Unix time
};

/// Everything that is wrong with the options, each naming its property; empty = fine.
[[nodiscard]] std::vector<std::string> find_problems(const ConnectorOptions& options);

/// Not thread-safe.
class ChangeEvents {
 public:
    /// `topics` is shared and outlives this.  Throws FatalError(kConfig) with all problems of the
    /// options.  `run_id` is the header __debezium.context.runId.
    ChangeEvents(ConnectorOptions options, TopicNames& topics, const std::string& run_id);
    ~ChangeEvents();
    ChangeEvents(const ChangeEvents&) = delete;
    ChangeEvents& operator=(const ChangeEvents&) = delete;

    /// Whether the lists let the table through.
    [[nodiscard]] bool captures(std::string_view schema, std::string_view table) const;

    /// Takes over a table's definition: for each Relation message of a captured table, with what
    /// the catalogue says at that moment.  Columns that the catalogue no longer has are optional
    /// and without default.  Warnings (topic collision, key columns outside the replica identity,
    /// columns left out because of their type) go to the log, once.  Throws FatalError (kConfig:
    /// message.key.columns names a column that is not there).
    void bind(const pgoutput::Relation& relation, const TableDescription& table);
    /// The same for a table whose changes are only counted: an outbox.  Throws the same.
    void bind_counted(const pgoutput::Relation& relation, const TableDescription& table);
    /// Forgets all tables: their OIDs mean nothing in another stream.
    void unbind_all();

    /// End of the last transaction that was seen before this stream, for source.sequence.
    void resume_from(Lsn last_commit) noexcept;

    Records begin(const pgoutput::Begin& begin, const Frame& frame);
    void origin(const pgoutput::Origin& origin);
    Records commit(const pgoutput::Commit& commit, const Frame& frame);

    /// Changes of bound tables only.  Throw FatalError (kMalformedEvent) when a value cannot be
    /// converted and event.converting.failure.handling.mode is fail, or is in the key.
    Records insert(const pgoutput::Insert& insert, const Frame& frame);
    Records update(const pgoutput::Update& update, const Frame& frame);
    Records remove(const pgoutput::Delete& deletion, const Frame& frame);
    /// Tables that are not bound are left out, those of bind_counted() are counted.
    Records truncate(const pgoutput::Truncate& truncate, const Frame& frame);
    Records message(const pgoutput::LogicalMessage& message, const Frame& frame);

    /// What an event router takes.  Upstream's is behind its connector, which counts in the
    /// metadata of the transaction whatever the router makes of it; so these do.  Nothing without
    /// provide.transaction.metadata, nor for what the lists do not let through; for changes of
    /// tables of bind_counted() only.  Messages throw as message() does.
    void count(const pgoutput::Insert& insert);
    void count(const pgoutput::Update& update);
    void count(const pgoutput::Delete& deletion);
    void count(const pgoutput::LogicalMessage& message, const Frame& frame);

    /// A row that a snapshot has read of a bound table; `row` has the relation's columns.
    Records snapshot_row(pgoutput::RelationId relation, pgoutput::Tuple row, SnapshotMarker marker,
                         const SnapshotPosition& position);
    /// The same for many rows of one table: a record for each.
    Records snapshot_rows(pgoutput::RelationId relation, std::span<const pgoutput::Tuple> rows,
                          SnapshotMarker marker, const SnapshotPosition& position);

    Records heartbeat(std::int64_t now_us);

 private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace holdfast::relay::debezium
