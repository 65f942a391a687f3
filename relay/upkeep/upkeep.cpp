#include "upkeep/upkeep.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "base/poll.hpp"

namespace holdfast::relay::upkeep {
namespace {

constexpr std::string_view kReport = "report";
constexpr std::string_view kDrift = "publication_drift";
/// A wake-up at least this often costs nothing and bounds the effect of a lost one.
constexpr std::chrono::seconds kLongestSleep{60};

}  // namespace

Upkeep::Upkeep(ProcedureRunner& runner, PositionBuffer& positions, const Clock& clock,
               UpkeepOptions options)
    : runner_(runner),
      positions_(positions),
      clock_(clock),
      options_(std::move(options)),
      positions_chore_{"record_positions", options_.positions_delay,
                       [this] {
                           write_positions();
                           return false;
                       },
                       TimePoint::max(), Backoff(options_.retry_initial, options_.retry_cap)} {
    const TimePoint now = clock_.now();
    add("maintain", options_.maintain_interval, now, [this] {
        runner_.maintain();
        return false;
    });
    // A full sweep means that there is more.
    add("expire_holds", options_.expire_holds_interval, now, [this] {
        return runner_.expire_holds(options_.expire_holds_limit) >= options_.expire_holds_limit;
    });
    add("saga_sweep", options_.saga_sweep_interval, now, [this] {
        return runner_.sweep_sagas(options_.saga_sweep_limit) >= options_.saga_sweep_limit;
    });
    add("heartbeat_action", options_.heartbeat_interval, now + options_.heartbeat_interval, [this] {
        runner_.heartbeat_action();
        return false;
    });
    add("verify", options_.verify_interval, now, [this] {
        runner_.verify();
        return false;
    });
    add(kDrift, options_.drift_interval, now, [this] {
        runner_.look_for_drift();
        return false;
    });
    add("snapshots", options_.snapshots_interval, now, [this] {
        runner_.look_at_snapshots();
        return false;
    });
    add(kReport, options_.report_interval, now + options_.report_interval, [this] {
        const std::optional<Report> report = options_.report ? options_.report() : std::nullopt;
        if (report) {
            runner_.report(*report);
        }
        return false;
    });
    positions_.on_first([this] { wake_.signal(); });
}

void Upkeep::add(std::string_view name, std::chrono::milliseconds interval, TimePoint first_due,
                 std::function<bool()> run) {
    if (interval.count() > 0) {
        chores_.push_back({name, interval, std::move(run), first_due,
                           Backoff(options_.retry_initial, options_.retry_cap)});
    }
}

void Upkeep::run(std::stop_token stop) {
    const std::stop_callback waker(stop, [this] { wake_.signal(); });
    while (!stop.stop_requested()) {
        const TimePoint next = step();
        const auto wait =
            std::min<std::chrono::steady_clock::duration>(next - clock_.now(), kLongestSleep);
        std::array<pollfd, 1> descriptors{{{wake_.fd(), POLLIN, 0}}};
        // Rounded up: waking a microsecond early would spin.
        wait_for(descriptors, std::chrono::ceil<std::chrono::milliseconds>(wait));
        wake_.drain();
    }
    finish();
}

std::chrono::steady_clock::time_point Upkeep::step() {
    if (report_requested_.exchange(false)) {
        for (Chore& chore : chores_) {
            if (chore.name == kReport || chore.name == kDrift) {
                chore.due = clock_.now();
            }
        }
    }
    if (!positions_scheduled_ && (!unwritten_.empty() || !positions_.empty())) {
        positions_scheduled_ = true;
        positions_chore_.due = clock_.now() + options_.positions_delay;
    }
    TimePoint next = TimePoint::max();
    for (Chore& chore : chores_) {
        if (chore.due <= clock_.now()) {
            attempt(chore);
        }
        next = std::min(next, chore.due);
    }
    if (positions_scheduled_) {
        if (positions_chore_.due <= clock_.now()) {
            attempt(positions_chore_);
            positions_scheduled_ = !unwritten_.empty() || !positions_.empty();
        }
        if (positions_scheduled_) {
            next = std::min(next, positions_chore_.due);
        }
    }
    return next;
}

void Upkeep::finish() {
    if (!unwritten_.empty() || !positions_.empty()) {
        try_once(positions_chore_.name, positions_chore_.run);
    }
    for (const Chore& chore : chores_) {
        if (chore.name == kReport) {
            try_once(chore.name, chore.run);
        }
    }
}

void Upkeep::request_report() {
    report_requested_.store(true);
    wake_.signal();
}

void Upkeep::attempt(Chore& chore) {
    if (const std::optional<bool> more = try_once(chore.name, chore.run)) {
        chore.backoff.reset();
        chore.due = clock_.now() + (*more ? std::chrono::milliseconds{0} : chore.interval);
    } else {
        chore.due = clock_.now() + chore.backoff.next();
    }
}

std::optional<bool> Upkeep::try_once(std::string_view name,
                                     const std::function<bool()>& call) const {
    std::optional<bool> more;
    try {
        more = call();
    } catch (const FatalError&) {
        throw;
    } catch (const std::exception& error) {
        log::warn("upkeep_failed", {{"chore", name}, {"reason", error.what()}});
    }
    if (options_.observe) {
        options_.observe(name, more.has_value());
    }
    return more;
}

void Upkeep::write_positions() {
    do {
        if (unwritten_.empty()) {
            unwritten_ = positions_.take(options_.positions_batch);
        }
        if (!unwritten_.empty()) {
            // Kept until it is written: a lost connection loses no batch.
            runner_.record_positions(unwritten_);
            unwritten_.clear();
        }
    } while (!positions_.empty());
}

}  // namespace holdfast::relay::upkeep
