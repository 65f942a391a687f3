// The request to stop, for threads that wait in poll().
#pragma once

#include <poll.h>

#include <array>
#include <atomic>
#include <chrono>

#include "base/event_fd.hpp"
#include "base/poll.hpp"

namespace holdfast::relay::commands {

/// Set once, never taken back.  Any thread.
class StopSignal {
 public:
    void request() noexcept {
        requested_.store(true);
        event_.signal();
    }
    [[nodiscard]] bool requested() const noexcept { return requested_.load(); }

    /// Stays readable once the stop is requested.
    [[nodiscard]] const EventFd& event() const noexcept { return event_; }

    /// Returns early when the stop is requested.
    void wait(std::chrono::milliseconds limit) const {
        std::array<pollfd, 1> descriptors{{{event_.fd(), POLLIN, 0}}};
        wait_for(descriptors, limit);
    }

 private:
    std::atomic<bool> requested_{false};
    EventFd event_;
};

}  // namespace holdfast::relay::commands
