// From the tables to Kafka: reads their rows as one snapshot of the database has them, in chunks
// along their keys and several tables at a time, makes `r` events of them, and notes in a ledger
// how far Kafka has them.
//
// One thread around poll(2), as the capture pipeline: the sources' sockets, the sink's descriptor
// and a stop event wake it.  What is in flight is bounded in bytes; at the bound, and when the sink
// is full, it stops reading.
//
// Thread rule: one thread calls everything.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/event_fd.hpp"
#include "base/lsn.hpp"
#include "capture/record_sender.hpp"
#include "capture/record_sink.hpp"
#include "debezium/change_events.hpp"
#include "debezium/connector_options.hpp"
#include "debezium/topic_names.hpp"
#include "metrics/relay_metrics.hpp"
#include "snapshot/ledger.hpp"
#include "snapshot/row_source.hpp"
#include "snapshot/table.hpp"

namespace holdfast::relay::snapshot {

struct PipelineOptions {
    debezium::ConnectorOptions connector;
    std::string run_id;      ///< header __debezium.context.runId
    Lsn lsn;                 ///< where the snapshot was taken, for source.lsn
    std::optional<Xid> xid;  ///< of the transaction that reads it, for source.txId
    /// snapshot.fetch.size: rows of a chunk, which is what a crash may repeat of each table.
    std::int64_t chunk_rows = 10'240;
    /// Keys, values and a fixed share per record, from send() to acknowledgement.
    std::int64_t max_in_flight_bytes = 16LL * 1024 * 1024;
    /// How often a table's progress is saved while it is being read.
    std::chrono::milliseconds save_interval{1'000};
    /// How long run() waits for acknowledgements after the stop event.
    std::chrono::milliseconds drain_limit{8'000};
};

class Pipeline final : private capture::AcknowledgementListener {
 public:
    /// `tables` in the order in which they are begun; `sources` read that many at a time.  All
    /// references must outlive the pipeline.  Throws FatalError(kConfig).
    Pipeline(capture::RecordSink& sink, std::vector<Table> tables,
             const std::vector<RowSource*>& sources, Ledger& ledger, const Clock& clock,
             metrics::CaptureMetrics& metrics, PipelineOptions options);

    /// Reads all tables and waits until Kafka has their rows.  Returns false when `stop` was
    /// signalled first; what Kafka had by then is saved.  Throws what sources, sink and ledger
    /// throw; DeliveryFailedError; FatalError kMalformedEvent, kMessageTooLarge.
    bool run(const EventFd& stop);

    // What follows is one turn of the loop in run(), for tests.

    /// Takes acknowledgements, reads and sends a bounded amount, saves progress that is due.
    void turn();
    [[nodiscard]] bool done() const noexcept;

 private:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// Rows of one table that are read by one query.
    struct Chunk {
        std::int64_t rows = 0;
        std::uint64_t unacknowledged = 0;
        bool read = false;   ///< to its end
        bool final = false;  ///< of its table
        std::optional<Key> last_key;
    };
    struct Progress {
        Table table;
        std::deque<Chunk> chunks;       ///< not in Kafka yet; the last one is being read
        std::uint64_t first_chunk = 0;  ///< number of the first of them
        std::optional<Key> read_to;     ///< where the next chunk begins
        std::optional<Key> sent_to;     ///< Kafka has the rows up to there
        std::int64_t rows_sent = 0;     ///< how many these are
        std::int64_t rows_read = 0;
        std::optional<TimePoint> save_due;  ///< of rows that are not saved
        bool completed = false;
    };
    struct Reader {
        RowSource* source;
        std::optional<std::size_t> table;  ///< that it reads
        std::int64_t limit = 0;            ///< of the query, one more than the chunk; 0 = none
        std::int64_t rows = 0;             ///< that the query has given
    };
    /// The last row of a table, which may be the last of all: only what comes behind it tells.
    struct Held {
        std::size_t table;
        std::uint64_t chunk;
        std::vector<pgoutput::Value::Kind> kinds;
        std::vector<std::string> bytes;
        debezium::SnapshotMarker marker;  ///< unless it is the last of all
    };

    void on_acknowledged(const capture::InFlightRecord& record) override;

    [[nodiscard]] bool at_bound() const noexcept;
    [[nodiscard]] bool may_read() const noexcept { return waiting_.empty() && !at_bound(); }
    [[nodiscard]] bool all_read() const noexcept;
    /// Returns whether it has more to read now.
    bool read(Reader& reader);
    void begin_chunk(Reader& reader);
    void end_chunk(Reader& reader, bool final);
    void take_row(Reader& reader, pgoutput::Tuple row, bool final);
    void hold(std::size_t table, pgoutput::Tuple row, debezium::SnapshotMarker marker);
    void release_held(debezium::SnapshotMarker marker);
    void send(std::size_t table, std::uint64_t chunk, pgoutput::Tuple row,
              debezium::SnapshotMarker marker);
    bool send_waiting();
    void bind(const Table& table);
    void save_due(TimePoint now);
    void save(Progress& progress);

    PipelineOptions options_;
    Ledger& ledger_;
    const Clock& clock_;
    debezium::TopicNames topics_;
    debezium::ChangeEvents events_;
    capture::RecordSender sender_;
    metrics::CaptureMetrics& metrics_;

    std::vector<Progress> tables_;
    std::size_t next_table_ = 0;  ///< that no reader has begun
    std::vector<Reader> readers_;
    std::optional<Held> held_;
    bool any_row_ = false;  ///< of any table, in this attempt or an earlier one
    bool more_to_read_ = false;
    bool stopping_ = false;

    debezium::Records waiting_;  ///< not accepted yet; they view the encoder's buffers
    capture::InFlightRecord waiting_origin_;
};

}  // namespace holdfast::relay::snapshot
