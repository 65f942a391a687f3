// What the capture thread is doing, for the other threads: health, upkeep and the watchdog.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace holdfast::relay::commands {

/// Thread-safe.
class StreamState {
 public:
    enum class Phase {
        kConnecting,  ///< a connection attempt, which may block for its timeout
        kWaiting,     ///< between two attempts; waiting_for() says why
        kSlotInUse,   ///< another relay has the slot; this one takes over when it can
        kSnapshot,    ///< the rows that are there are being sent
        kStreaming,
    };

    void set(Phase phase, std::string waiting_for = {}) {
        {
            const std::lock_guard lock(mutex_);
            waiting_for_ = std::move(waiting_for);
        }
        phase_.store(phase, std::memory_order_relaxed);
        if (phase == Phase::kStreaming) {
            has_streamed_.store(true, std::memory_order_relaxed);
        } else if (phase == Phase::kSlotInUse) {
            has_streamed_.store(false, std::memory_order_relaxed);
        }
    }

    /// The relay is going to stop for this reason; goes into the last report.
    void set_halt(std::string reason) {
        const std::lock_guard lock(mutex_);
        halt_ = std::move(reason);
    }

    [[nodiscard]] Phase phase() const { return phase_.load(std::memory_order_relaxed); }

    /// This process has streamed, and no other has taken the slot since: the report in relay_state
    /// is its business.
    [[nodiscard]] bool owns_report() const { return has_streamed_.load(std::memory_order_relaxed); }

    /// Why there is no stream; "" while there is one.
    [[nodiscard]] std::string waiting_for() const {
        const std::lock_guard lock(mutex_);
        return waiting_for_;
    }

    /// What relay_state is told: the halt, or else what is waited for.
    [[nodiscard]] std::string error_to_report() const {
        const std::lock_guard lock(mutex_);
        return halt_.empty() ? waiting_for_ : halt_;
    }

    /// Turns of the capture loop so far; grows at least every few seconds unless it is stuck.
    std::atomic<std::uint64_t> turns{0};

 private:
    std::atomic<Phase> phase_{Phase::kConnecting};
    std::atomic<bool> has_streamed_{false};
    mutable std::mutex mutex_;
    std::string waiting_for_;
    std::string halt_;
};

}  // namespace holdfast::relay::commands
