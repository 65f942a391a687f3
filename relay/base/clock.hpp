// Time, as an interface: pipelines take a Clock, so that their tests turn it by hand
// (test/unit/support/manual_clock.hpp).
#pragma once

#include <chrono>

namespace holdfast::relay {

/// Thread-safe.
class Clock {
 public:
    virtual ~Clock() = default;

    /// For intervals and deadlines.
    [[nodiscard]] virtual std::chrono::steady_clock::time_point now() const = 0;

    /// The wall clock, since 1970-01-01 00:00 UTC.  May jump.
    [[nodiscard]] virtual std::chrono::microseconds system_time() const = 0;
};

class SystemClock final : public Clock {
 public:
    [[nodiscard]] std::chrono::steady_clock::time_point now() const override {
        return std::chrono::steady_clock::now();
    }
    [[nodiscard]] std::chrono::microseconds system_time() const override {
        return std::chrono::duration_cast<std::chrono::microseconds>(
            std::chrono::system_clock::now().time_since_epoch());
    }
};

}  // namespace holdfast::relay
