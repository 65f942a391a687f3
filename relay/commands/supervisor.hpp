// The main thread's part of `run`: signals, systemd, the watchdog, the verdict on readiness, and an
// orderly end, whoever asks for it.
#pragma once

#include <chrono>
#include <exception>
#include <string>

#include "base/clock.hpp"
#include "base/errors.hpp"
#include "base/event_fd.hpp"
#include "commands/readiness.hpp"
#include "commands/service_notifier.hpp"
#include "commands/signals.hpp"
#include "commands/stop_signal.hpp"
#include "commands/stream_state.hpp"
#include "commands/workers.hpp"
#include "metrics/relay_metrics.hpp"

namespace holdfast::relay::commands {

class Supervisor {
 public:
    /// All must outlive the supervisor.  `config_path` is read again on SIGHUP, for [log] alone.
    struct Parts {
        const Signals& signals;
        const Clock& clock;
        metrics::RelayMetrics& metrics;
        StreamState& stream;
        Readiness& readiness;
        StopSignal& stop;    ///< of the capture loop
        Workers& pipelines;  ///< capture and inbox
        Workers& chores;     ///< upkeep: stopped after the pipelines, so that it reports the end
        const EventFd& changed;  ///< signalled when the stream's phase has changed
        std::string config_path;
    };
    explicit Supervisor(Parts parts);

    /// Returns when all workers have ended, or the process must not wait for them any longer: then
    /// `workers_left` is true and the caller has to leave without destroying what they use.
    struct Result {
        ExitCode code = ExitCode::kOk;
        bool workers_left = false;
    };
    Result run();

 private:
    void wait_for_event();
    void take_signals();
    void reload_log_level() const;
    void tick();
    void ping_watchdog();
    [[nodiscard]] std::string status_text() const;
    ExitCode note_halt(const std::exception_ptr& failure);
    bool end_of(Workers& workers, std::chrono::steady_clock::time_point deadline);

    Parts parts_;
    ServiceNotifier notifier_;
    std::uint64_t turns_at_ping_ = 0;
    std::chrono::steady_clock::time_point last_ping_;
    std::chrono::steady_clock::time_point connecting_since_;
};

}  // namespace holdfast::relay::commands
