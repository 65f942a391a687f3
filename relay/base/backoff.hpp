// How long to wait before the next attempt: exponential with a cap and full jitter, so that many
// relays that lost the same broker do not come back at the same moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

namespace holdfast::relay {

/// Not thread-safe; one per thing that is retried.
class Backoff {
 public:
    using Milliseconds = std::chrono::milliseconds;
    /// Returns a value from 0 to `limit`, both included.
    using Random = std::function<std::uint64_t(std::uint64_t limit)>;

    /// `initial` bounds the first wait, each further bound is twice the one before, up to `cap`.
    /// Both are at least 1 ms.  Draws from a generator seeded by the operating system.
    Backoff(Milliseconds initial, Milliseconds cap);
    /// As above with the caller's randomness, for tests.
    Backoff(Milliseconds initial, Milliseconds cap, Random random);

    /// The next wait: uniform between 1 ms and the current bound.  Doubles the bound.
    Milliseconds next();

    /// After a success: start from `initial` again.
    void reset() noexcept;

    /// Calls of next() since construction or reset().
    [[nodiscard]] std::uint64_t attempts() const noexcept { return attempts_; }

 private:
    Milliseconds initial_;
    Milliseconds cap_;
    Milliseconds bound_;
    Random random_;
    std::uint64_t attempts_ = 0;
};

}  // namespace holdfast::relay
