// A clock that a test turns by hand.
#pragma once

#include <chrono>

#include "base/clock.hpp"

namespace holdfast::relay::test {

class ManualClock final : public Clock {
 public:
    [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return now_; }
    [[nodiscard]] std::chrono::microseconds system_time() const override { return system_time_; }

    /// Moves both clocks.
    void advance(std::chrono::microseconds by) {
        now_ += by;
        system_time_ += by;
    }

 private:
    // Not zero, so that a forgotten initial value shows.
    std::chrono::steady_clock::time_point now_{std::chrono::hours(1)};
    std::chrono::microseconds system_time_{std::chrono::hours(490'000)};
};

}  // namespace holdfast::relay::test
