// Keeps the capture pipeline running: connects to both sides, streams, and does so again with
// backoff whenever a connection is lost, for ever.  Only a FatalError ends it.
//
// While another process streams from the slot it waits, and takes over when the slot is free.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/chunk_source.hpp"
#include "adapters/large_record_keeper.hpp"
#include "adapters/position_collector.hpp"
#include "adapters/producer_sink.hpp"
#include "adapters/table_catalog.hpp"
#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/lsn.hpp"
#include "capture/incremental_snapshot.hpp"
#include "capture/large_records.hpp"
#include "capture/pipeline.hpp"
#include "commands/initial_snapshot.hpp"
#include "commands/slot_tenure.hpp"
#include "commands/stop_signal.hpp"
#include "commands/stream_preparation.hpp"
#include "commands/stream_state.hpp"
#include "config/config.hpp"
#include "metrics/relay_metrics.hpp"
#include "postgres/replication_stream.hpp"
#include "upkeep/position_buffer.hpp"

namespace holdfast::relay::commands {

class CaptureLoop {
 public:
    /// All references must outlive the loop.  `phase_changed` is called from the loop's thread.
    CaptureLoop(const config::Config& config, SlotPolicy policy, metrics::RelayMetrics& metrics,
                upkeep::PositionBuffer& positions, StreamState& state, const Clock& clock,
                std::function<void()> phase_changed);

    /// Takes the initial snapshot that is due, streams until `stop`, then drains.  Returns earlier
    /// only when there is nothing to stream (snapshot.mode initial_only).  Throws FatalError.
    void run(const StopSignal& stop);

 private:
    void make_sink();
    /// Over the sink that is there; `session` tells what the configuration does not.
    void make_pipeline(postgres::Session& session, const postgres::SlotRow& slot);
    void drop_pipeline();
    void isolate_large_record(const FatalError& error);
    void stream_once(const StopSignal& stop);
    /// The slot as it is when the stream can begin; nullopt when it is not to begin.
    [[nodiscard]] std::optional<postgres::SlotRow> prepare(const StopSignal& stop);
    [[nodiscard]] bool take_snapshot(snapshot::Step step,
                                     std::optional<postgres::ExportedSnapshot> exported,
                                     const StopSignal& stop);
    [[nodiscard]] std::unique_ptr<postgres::ReplicationStream> open_stream(
        const postgres::SlotRow& slot);
    void confirm_before_halt(postgres::ReplicationStream& stream) noexcept;
    /// Leaves the slot, when nothing more is confirmed through the stream that was open.
    void leave_slot() noexcept;
    void enter(StreamState::Phase phase, const std::string& waiting_for = {});
    void wait(std::chrono::milliseconds limit, const StopSignal& stop);
    void report_slot_in_use(const std::string& reason);

    const config::Config& config_;
    SlotPolicy policy_;
    metrics::RelayMetrics& metrics_;
    StreamState& state_;
    const Clock& clock_;
    std::function<void()> phase_changed_;
    postgres::StreamRequirements required_;

    adapters::PositionCollector positions_;
    adapters::TableCatalog catalog_;
    std::string run_id_;  ///< of this process, in the headers of change events
    SlotTenure tenure_;
    InitialSnapshot snapshot_;
    bool finished_ = false;  ///< there is nothing to stream
    // Each borrows what is declared before it, and is destroyed before that.
    std::unique_ptr<adapters::ProducerSink> sink_;
    std::unique_ptr<adapters::LargeRecordKeeper> keeper_;
    std::unique_ptr<capture::LargeRecordSink> large_record_sink_;
    std::optional<adapters::ChunkSource> chunk_source_;  ///< with change events, as the next
    std::optional<capture::IncrementalSnapshot> incremental_snapshot_;
    std::unique_ptr<capture::Pipeline> pipeline_;
    /// A broker refuses a batch as a whole when it is larger than the topic takes, and so blames
    /// records that it would take alone.
    enum class Batching { kAsConfigured, kOneRecord } batching_ = Batching::kAsConfigured;

    std::optional<postgres::Session> session_;  ///< for preparation; kept while the slot is in use
    Lsn start_;                                 ///< where the current stream begins, for the log
    std::string system_identifier_;             ///< of the first cluster that was streamed from
    Backoff backoff_;
    Backoff slot_backoff_;
    std::optional<std::chrono::steady_clock::time_point> slot_in_use_logged_;
};

}  // namespace holdfast::relay::commands
