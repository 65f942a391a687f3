// The relay's chores, on timers: maintain(), expire_holds(), saga_sweep(), its report, recorded
// Kafka positions, a look at snapshots, and the check that slot, publication and outbox are still
// there.  A chore that fails is logged and tried again with backoff; it never stops the relay and
// never delays another chore for longer than its own call takes.  Only a verification that says
// "stop" (FatalError) gets out.
//
// Thread rule: one thread runs it; wake() may come from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/event_fd.hpp"
#include "upkeep/position_buffer.hpp"
#include "upkeep/procedure_runner.hpp"

namespace holdfast::relay::upkeep {

struct UpkeepOptions {
    std::chrono::milliseconds maintain_interval{60'000};     ///< 0 = never
    std::chrono::milliseconds expire_holds_interval{1'000};  ///< 0 = never
    std::int64_t expire_holds_limit = 1000;
    std::chrono::milliseconds saga_sweep_interval{1'000};  ///< 0 = never
    /// Most that one turn of the chore deals with; when there is more, it is due again at once.
    std::int64_t saga_sweep_limit = 100;
    std::chrono::milliseconds heartbeat_interval{0};  ///< of heartbeat.action.query; 0 = never
    std::chrono::milliseconds report_interval{10'000};
    /// Half of the ten seconds within which a vanished slot or publication is to be noticed.
    std::chrono::milliseconds verify_interval{5'000};
    std::chrono::milliseconds drift_interval{0};      ///< 0 = never
    std::chrono::milliseconds snapshots_interval{0};  ///< of look_at_snapshots(); 0 = never
    /// How long positions are gathered before they are written.
    std::chrono::milliseconds positions_delay{100};
    std::size_t positions_batch = 5000;
    std::chrono::milliseconds retry_initial{1'000};
    std::chrono::milliseconds retry_cap{30'000};
    /// What to report; nullopt = this process has nothing to say (it does not hold the slot).
    std::function<std::optional<Report>()> report;
    /// Told the outcome of every chore, for metrics.
    std::function<void(std::string_view chore, bool succeeded)> observe;
};

class Upkeep {
 public:
    /// All references must outlive the upkeep.
    Upkeep(ProcedureRunner& runner, PositionBuffer& positions, const Clock& clock,
           UpkeepOptions options);
    Upkeep(const Upkeep&) = delete;
    Upkeep& operator=(const Upkeep&) = delete;

    /// Runs until `stop` is requested, then writes what positions there are and a last report.
    /// Throws FatalError from verify().
    void run(std::stop_token stop);

    /// Does what is due and returns when the next chore is.
    std::chrono::steady_clock::time_point step();

    /// What run() does at its end: one last try at positions and report.
    void finish();

    /// Makes the report and the look for drift due now (the stream has just started or ended).
    void request_report();

 private:
    using TimePoint = std::chrono::steady_clock::time_point;
    struct Chore {
        std::string_view name;
        std::chrono::milliseconds interval;
        std::function<bool()> run;  ///< whether there is more to do at once
        TimePoint due;
        Backoff backoff;
    };

    void add(std::string_view name, std::chrono::milliseconds interval, TimePoint first_due,
             std::function<bool()> run);
    void attempt(Chore& chore);
    /// What the call returned; nullopt = it failed.
    std::optional<bool> try_once(std::string_view name, const std::function<bool()>& call) const;
    void write_positions();

    ProcedureRunner& runner_;
    PositionBuffer& positions_;
    const Clock& clock_;
    UpkeepOptions options_;
    std::vector<Chore> chores_;
    Chore positions_chore_;
    bool positions_scheduled_ = false;
    std::vector<EventPosition> unwritten_;
    std::atomic<bool> report_requested_{false};
    EventFd wake_;
};

}  // namespace holdfast::relay::upkeep
