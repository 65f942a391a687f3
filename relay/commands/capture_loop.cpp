#include "commands/capture_loop.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "adapters/settings.hpp"
#include "adapters/stream_source.hpp"
#include "base/errors.hpp"
#include "base/log.hpp"
#include "base/scope_exit.hpp"
#include "base/uuid.hpp"
#include "postgres/output_plugin.hpp"

namespace holdfast::relay::commands {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kRetryInitial{100};
constexpr milliseconds kRetryCap{10'000};
/// The server needs a moment to notice that a killed relay's connection is gone, no more.
constexpr milliseconds kSlotRetryInitial{20};
constexpr milliseconds kSlotRetryCap{1'000};
constexpr seconds kSlotInUseLogInterval{30};
/// How long acknowledgements of what was sent already are awaited before it is read again.
constexpr milliseconds kSettleLimit{500};
constexpr milliseconds kStopLimit{1'000};

}  // namespace

CaptureLoop::CaptureLoop(const config::Config& config, SlotPolicy policy,
                         metrics::RelayMetrics& metrics, upkeep::PositionBuffer& positions,
                         StreamState& state, const Clock& clock,
                         std::function<void()> phase_changed)
    : config_(config),
      policy_(policy),
      metrics_(metrics),
      state_(state),
      clock_(clock),
      phase_changed_(std::move(phase_changed)),
      required_(adapters::stream_requirements(config)),
      positions_(positions, metrics.monitor.positions_dropped),
      catalog_(adapters::connect_options(config, "catalog")),
      run_id_(random_uuid()),
      tenure_(required_.slot, run_id_),
      snapshot_(config, required_, run_id_, clock, metrics),
      backoff_(kRetryInitial, kRetryCap),
      slot_backoff_(kSlotRetryInitial, kSlotRetryCap) {
    // Here, not in run(): the client begins to connect while the rest is being built, and a wrong
    // property ends the program before anything runs.
    static_cast<void>(adapters::translator_options(config_, "", run_id_));
    make_sink();
    if (config_.connector.has_change_events()) {
        chunk_source_.emplace(adapters::connect_options(config_, "incremental snapshot"),
                              adapters::chunk_source_options(config_), clock_);
        incremental_snapshot_.emplace(*chunk_source_, clock_, metrics_.capture, required_.slot);
    }
}

void CaptureLoop::run(const StopSignal& stop) {
    while (!stop.requested() && !finished_) {
        milliseconds pause{0};
        try {
            stream_once(stop);
            continue;
        } catch (const FatalError& error) {
            isolate_large_record(error);
        } catch (const postgres::SlotInUseError& error) {
            pause = slot_backoff_.next();
            report_slot_in_use(error.what());
        } catch (const RetryableError& error) {
            pause = backoff_.next();
            session_.reset();
            enter(StreamState::Phase::kWaiting, error.what());
            log::warn("capture_retry", {{"reason", error.what()},
                                        {"attempt", backoff_.attempts()},
                                        {"backoff_ms", pause.count()}});
            if (dynamic_cast<const capture::DeliveryFailedError*>(&error) != nullptr) {
                drop_pipeline();
            }
        } catch (const postgres::SqlError& error) {
            // The catalogue queries of the preparation: nothing that waiting would not settle, or
            // that the next attempt could not name better.
            pause = backoff_.next();
            session_.reset();
            enter(StreamState::Phase::kWaiting, error.what());
            log::warn("capture_retry", {{"reason", error.what()},
                                        {"attempt", backoff_.attempts()},
                                        {"backoff_ms", pause.count()}});
        }
        metrics_.capture.postgres_reconnects.add();
        wait(pause, stop);
    }
}

void CaptureLoop::make_sink() {
    kafka::Properties properties = adapters::kafka_properties(config_);
    if (batching_ == Batching::kOneRecord) {
        properties.emplace_back("batch.num.messages", "1");
    }
    sink_ = std::make_unique<adapters::ProducerSink>(
        properties,
        adapters::ProducerSink::Observer{.kafka_connected = &metrics_.process.kafka_connected,
                                         .turns = &state_.turns,
                                         .after_poll = [this] { positions_.hand_over(); }});
    const capture::TooLargeOptions too_large = adapters::too_large_options(config_);
    const bool keeps = std::ranges::any_of(too_large.rules, [](const auto& rule) {
        return rule.policy != capture::TooLargePolicy::kHalt;
    });
    if (keeps) {
        keeper_ = std::make_unique<adapters::LargeRecordKeeper>(
            adapters::connect_options(config_, "large records"), [this] { sink_->wake(); });
    }
    large_record_sink_ = std::make_unique<capture::LargeRecordSink>(*sink_, keeper_.get(),
                                                                    too_large, metrics_.capture);
}

void CaptureLoop::make_pipeline(postgres::Session& session, const postgres::SlotRow& slot) {
    if (!sink_) {
        make_sink();
    }
    pipeline_ = std::make_unique<capture::Pipeline>(
        *large_record_sink_,
        adapters::translator_options(config_, postgres::read_server(session).database, run_id_),
        &catalog_, clock_, metrics_.capture, adapters::pipeline_options(config_),
        config_.capture.record_offsets ? &positions_ : nullptr,
        incremental_snapshot_ ? &*incremental_snapshot_ : nullptr);
    if (read_slot_memory(session, required_.slot)) {
        pipeline_->set_last_commit(slot.confirmed_flush);
    }
}

void CaptureLoop::drop_pipeline() {
    pipeline_.reset();
    large_record_sink_.reset();
    keeper_.reset();
    sink_.reset();
}

/// Within a handler: rethrows what it does not deal with.
void CaptureLoop::isolate_large_record(const FatalError& error) {
    if (error.code() != ExitCode::kMessageTooLarge || batching_ == Batching::kOneRecord) {
        throw;
    }
    // Again from the confirmed position, one record in a batch: either every record passes, or the
    // one that does not is named, and all before it are delivered.
    batching_ = Batching::kOneRecord;
    session_.reset();
    drop_pipeline();
    log::warn("batch_too_large",
              {{"reason", error.what()},
               {"hint",
                "Sending one record a batch from now on. Set \"batch.size\" in [kafka] below "
                "the topic's max.message.bytes to have batches again."}});
}

void CaptureLoop::stream_once(const StopSignal& stop) {
    if (state_.phase() != StreamState::Phase::kSlotInUse) {
        enter(StreamState::Phase::kConnecting, "connecting");
    }
    if (!session_ || !session_->usable()) {
        session_.emplace(adapters::connect_options(config_, "start"));
    }
    const std::optional<postgres::SlotRow> slot = prepare(stop);
    if (!slot) {
        return;
    }
    const std::unique_ptr<postgres::ReplicationStream> stream = open_stream(*slot);
    tenure_.take(*session_);
    session_.reset();
    slot_in_use_logged_.reset();
    slot_backoff_.reset();
    metrics_.capture.postgres_connected.set(1);
    const ScopeExit disconnected([this]() noexcept { metrics_.capture.postgres_connected.set(0); });
    enter(StreamState::Phase::kStreaming);
    log::info("stream_started", {{"slot", required_.slot},
                                 {"plugin", slot->plugin},
                                 {"publication", required_.publication},
                                 {"server", stream->describe()},
                                 {"confirmed_lsn", start_}});
    if (pipeline_->resumes()) {
        log::info("resumes_after",
                  {{"slot", required_.slot}, {"position", config_.capture.resume_after}});
    }

    adapters::StreamSource source(*stream);
    const Lsn confirmed_before = pipeline_->confirmed();
    const ScopeExit progress([this, confirmed_before]() noexcept {
        // A connection that came to nothing does not start the backoff again.
        if (pipeline_->confirmed() > confirmed_before) {
            backoff_.reset();
        }
        tenure_.note_confirmed(pipeline_->confirmed());
    });
    bool settled = false;
    try {
        settled = pipeline_->run(source, stop.event());
    } catch (const FatalError&) {
        confirm_before_halt(*stream);
        tenure_.note_confirmed(pipeline_->confirmed());
        leave_slot();
        throw;
    }
    stream->stop(kStopLimit);
    tenure_.note_confirmed(pipeline_->confirmed());
    leave_slot();
    log::info("stream_stopped", {{"confirmed_lsn", pipeline_->confirmed()},
                                 {"settled", settled},
                                 {"unacknowledged", pipeline_->unacknowledged()}});
}

void CaptureLoop::confirm_before_halt(postgres::ReplicationStream& stream) noexcept {
    try {
        pipeline_->send_status();
        stream.stop(kStopLimit);
    } catch (const std::exception& error) {
        // The halt has its own message; this costs a few repeated records after it.
        log::debug("confirm_before_halt_failed", {{"reason", error.what()}});
    }
}

void CaptureLoop::leave_slot() noexcept {
    try {
        postgres::Session session(adapters::connect_options(config_, "stop"));
        tenure_.leave(session);
    } catch (const std::exception& error) {
        // The next start knows as little as after a crash, and refuses nothing.
        log::debug("leave_slot_failed", {{"reason", error.what()}});
    }
}

std::optional<postgres::SlotRow> CaptureLoop::prepare(const StopSignal& stop) {
    using snapshot::Step;
    const Step step = snapshot_.next_step(*session_, policy_);
    if (snapshot_.nothing_follows()) {
        require_all_but_slot(*session_, required_);
        if (step == Step::kNone) {
            log::info("snapshot_is_complete", {{"slot", required_.slot}});
        }
        finished_ = step == Step::kNone || take_snapshot(step, std::nullopt, stop);
        return std::nullopt;
    }
    std::optional<postgres::ExportedSnapshot> exported;
    SlotMaker make;
    SlotPolicy policy = policy_;
    if (step == Step::kTakeWithSlot) {
        policy = SlotPolicy::kReplaceLost;
        make = [&](const std::string& plugin) {
            snapshot_.announce(*session_);
            tenure_.begin_anew(*session_);
            exported = postgres::ExportedSnapshot::with_slot(
                adapters::connect_options(config_, "snapshot"), required_.slot, plugin);
            return exported->lsn();
        };
    }
    postgres::SlotRow slot = prepare_stream(*session_, required_, policy, make);
    // From now on a missing slot is a lost one.
    policy_ = SlotPolicy::kMustExist;
    if (step != Step::kNone && !slot.active_pid) {
        if (!take_snapshot(step, std::move(exported), stop)) {
            return std::nullopt;
        }
        stop.wait(milliseconds(config_.connector.integer("streaming.delay.ms")));
    }
    return slot;
}

bool CaptureLoop::take_snapshot(snapshot::Step step,
                                std::optional<postgres::ExportedSnapshot> exported,
                                const StopSignal& stop) {
    if (!sink_) {
        make_sink();
    }
    enter(StreamState::Phase::kSnapshot, "the initial snapshot is being taken");
    metrics_.capture.postgres_connected.set(1);
    const ScopeExit disconnected([this]() noexcept { metrics_.capture.postgres_connected.set(0); });
    stop.wait(milliseconds(config_.connector.integer("snapshot.delay.ms")));
    try {
        return !stop.requested() && snapshot_.take(*session_, step, std::move(exported),
                                                   *large_record_sink_, stop.event());
    } catch (...) {
        // Its reports would come to a pipeline that does not know them.
        drop_pipeline();
        throw;
    }
}

std::unique_ptr<postgres::ReplicationStream> CaptureLoop::open_stream(
    const postgres::SlotRow& slot) {
    if (!pipeline_) {
        make_pipeline(*session_, slot);
    }
    start_ = pipeline_->plan_start(slot.confirmed_flush);
    if (slot.active_pid) {
        throw postgres::SlotInUseError("slot \"" + required_.slot +
                                       "\" is in use by the server process " +
                                       std::to_string(*slot.active_pid));
    }
    auto stream = std::make_unique<postgres::ReplicationStream>(
        adapters::connect_options(config_, "capture"), clock_);
    const postgres::SystemIdentity identity = stream->identify_system();
    if (!system_identifier_.empty() && system_identifier_ != identity.system_identifier) {
        throw FatalError(ExitCode::kWrongCluster,
                         "the server that answers now is the cluster " +
                             identity.system_identifier + ", before it was " + system_identifier_,
                         "Correct [postgres] dsn, or what its address leads to. Positions of one "
                         "cluster mean nothing in another.");
    }
    system_identifier_ = identity.system_identifier;
    if (pipeline_->confirmed() > identity.flushed) {
        throw FatalError(ExitCode::kWrongCluster,
                         "the server's log ends at " + identity.flushed.to_string() +
                             ", before what it was told is confirmed (" +
                             pipeline_->confirmed().to_string() + ")",
                         "The database was restored or failed over to an older state. Compare the "
                         "outbox with Kafka before the relay goes on.");
    }
    stream->start({.slot = required_.slot,
                   .publication = required_.publication,
                   .start = start_ > slot.confirmed_flush ? start_ : pipeline_->confirmed(),
                   .batches = slot.plugin == postgres::kHoldfastPlugin,
                   .silence = milliseconds(0)});
    return stream;
}

void CaptureLoop::enter(StreamState::Phase phase, const std::string& waiting_for) {
    state_.set(phase, waiting_for);
    phase_changed_();
}

void CaptureLoop::wait(milliseconds limit, const StopSignal& stop) {
    if (!pipeline_) {
        stop.wait(limit);
        return;
    }
    using Wait = capture::Pipeline::Wait;
    pipeline_->wait_without_source(limit, Wait::kWholeTime, stop.event());
    // What Kafka acknowledges before the stream starts again is not sent twice.
    pipeline_->wait_without_source(kSettleLimit, Wait::kUntilSettled, stop.event());
}

void CaptureLoop::report_slot_in_use(const std::string& reason) {
    const auto now = clock_.now();
    if (!slot_in_use_logged_ || now - *slot_in_use_logged_ >= kSlotInUseLogInterval) {
        slot_in_use_logged_ = now;
        log::warn("slot_in_use", {{"slot", required_.slot}, {"reason", reason}});
    }
    enter(StreamState::Phase::kSlotInUse, reason);
}

}  // namespace holdfast::relay::commands
