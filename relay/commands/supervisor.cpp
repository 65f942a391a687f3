#include "commands/supervisor.hpp"

#include <poll.h>

#include <array>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/log.hpp"
#include "base/lsn.hpp"
#include "base/poll.hpp"
#include "config/config.hpp"
#include "config/loader.hpp"

namespace holdfast::relay::commands {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Phase = StreamState::Phase;

constexpr seconds kTick{1};
/// Draining and ending take less than the ten seconds that are promised.
constexpr milliseconds kStopLimit{9'500};
/// Connecting may take this long (several hosts, each with its timeout) before it counts as stuck.
constexpr seconds kConnectLimit{60};

}  // namespace

Supervisor::Supervisor(Parts parts)
    : parts_(std::move(parts)),
      last_ping_(parts_.clock.now()),
      connecting_since_(parts_.clock.now()) {}

Supervisor::Result Supervisor::run() {
    while (!parts_.stop.requested()) {
        wait_for_event();
        take_signals();
        tick();
        // All pipelines end by themselves when all that was to be done is done.
        if (parts_.pipelines.failure() || parts_.chores.failure() || parts_.pipelines.all_ended()) {
            parts_.stop.request();
        }
    }
    notifier_.stopping();
    const auto deadline = parts_.clock.now() + kStopLimit;
    Result result;
    if (const std::exception_ptr halt = parts_.pipelines.failure()) {
        result.code = note_halt(halt);
    } else if (const std::exception_ptr upkeep_halt = parts_.chores.failure()) {
        result.code = note_halt(upkeep_halt);
    }
    parts_.pipelines.request_stop();
    bool ended = end_of(parts_.pipelines, deadline);
    parts_.chores.request_stop();
    ended = end_of(parts_.chores, deadline) && ended;
    if (!ended) {
        log::warn("stop_incomplete",
                  {{"running", parts_.pipelines.running() + " " + parts_.chores.running()}});
        result.workers_left = true;
    }
    // A failure while stopping counts only if nothing else decided the exit code.
    if (const std::exception_ptr late = parts_.pipelines.failure();
        late && result.code == ExitCode::kOk) {
        result.code = note_halt(late);
    }
    log::info("stopped", {{"exit_code", static_cast<int>(result.code)}});
    return result;
}

void Supervisor::wait_for_event() {
    std::array<pollfd, 4> descriptors{{{parts_.signals.fd(), POLLIN, 0},
                                       {parts_.changed.fd(), POLLIN, 0},
                                       {parts_.pipelines.ended().fd(), POLLIN, 0},
                                       {parts_.chores.ended().fd(), POLLIN, 0}}};
    wait_for(descriptors, kTick);
    parts_.changed.drain();
    parts_.pipelines.ended().drain();
    parts_.chores.ended().drain();
}

void Supervisor::take_signals() {
    while (const std::optional<int> signal = parts_.signals.take()) {
        if (*signal == SIGHUP) {
            reload_log_level();
        } else {
            log::info("stopping", {{"signal", ::sigabbrev_np(*signal)}});
            parts_.stop.request();
        }
    }
}

void Supervisor::reload_log_level() const {
    try {
        const config::Config config =
            config::load(parts_.config_path, config::process_environment());
        if (const std::optional<log::Level> level = log::parse_level(config.log.level)) {
            log::set_level(*level);
        }
        log::info("reloaded", {{"log_level", config.log.level}});
    } catch (const config::ConfigError& error) {
        for (const config::Problem& problem : error.problems()) {
            log::error("config_problem", {{"where", problem.origin}, {"problem", problem.message}});
        }
        log::error("reload_failed", {{"path", parts_.config_path}});
    }
}

void Supervisor::tick() {
    parts_.readiness.judge();
    const Phase phase = parts_.stream.phase();
    if (phase == Phase::kStreaming || phase == Phase::kSlotInUse || phase == Phase::kSnapshot) {
        // A relay that waits for its turn, or takes a snapshot, is doing what it should.
        notifier_.ready();
    }
    notifier_.status(status_text());
    ping_watchdog();
}

void Supervisor::ping_watchdog() {
    const auto now = parts_.clock.now();
    if (parts_.stream.phase() != Phase::kConnecting) {
        connecting_since_ = now;
    }
    const auto interval = notifier_.ping_interval();
    if (interval.count() == 0 || now - last_ping_ < interval / 2) {
        return;
    }
    const std::uint64_t turns = parts_.stream.turns.load(std::memory_order_relaxed);
    const bool connecting =
        parts_.stream.phase() == Phase::kConnecting && now - connecting_since_ < kConnectLimit;
    if (turns != turns_at_ping_ || connecting) {
        turns_at_ping_ = turns;
        last_ping_ = now;
        notifier_.ping_watchdog();
    }
}

std::string Supervisor::status_text() const {
    if (parts_.stream.phase() != Phase::kStreaming) {
        return "waiting: " + parts_.stream.waiting_for();
    }
    const Lsn confirmed{static_cast<std::uint64_t>(parts_.metrics.capture.confirmed_lsn.value())};
    return "streaming, confirmed " + confirmed.to_string() + ", lag " +
           std::to_string(metrics::lag_bytes(parts_.metrics.capture, parts_.metrics.monitor)) +
           " bytes";
}

ExitCode Supervisor::note_halt(const std::exception_ptr& failure) {
    ExitCode code = ExitCode::kInternal;
    std::string what;
    std::string hint;
    try {
        std::rethrow_exception(failure);
    } catch (const FatalError& error) {
        code = error.code();
        what = error.what();
        hint = error.hint();
    } catch (const std::exception& error) {
        what = error.what();
        hint = "This is a fault of the relay: please report it with the lines before this one.";
    }
    parts_.metrics.process.halt_code.set(static_cast<int>(code));
    parts_.stream.set_halt(std::string(exit_code_name(code)) + ": " + what);
    log::error("halt", {{"code", exit_code_name(code)},
                        {"exit_code", static_cast<int>(code)},
                        {"reason", what},
                        {"hint", hint}});
    notifier_.status("halted: " + std::string(exit_code_name(code)) + ": " + what);
    return code;
}

bool Supervisor::end_of(Workers& workers, std::chrono::steady_clock::time_point deadline) {
    while (!workers.all_ended()) {
        const auto left = deadline - parts_.clock.now();
        if (left.count() <= 0) {
            return false;
        }
        std::array<pollfd, 1> descriptors{{{workers.ended().fd(), POLLIN, 0}}};
        wait_for(descriptors, std::chrono::ceil<milliseconds>(left));
        workers.ended().drain();
    }
    return true;
}

}  // namespace holdfast::relay::commands
