// The three kinds of number that pipelines keep: counter, gauge, histogram.
//
// Each has one writing thread and any number of readers.  Writing is a plain load and store of an
// atomic (no locked instruction), so counting costs nothing worth measuring on a hot path; whoever
// scrapes reads the values whenever it likes.  No exposition format here: see exposition.hpp.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace holdfast::relay::metrics {

/// A count that only grows.  add() belongs to one thread; value() to everybody.
class Counter {
 public:
    void add(std::uint64_t n = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t value() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

 private:
    std::atomic<std::uint64_t> value_{0};
};

/// A value that goes up and down.  set() may be called by any thread: the last one wins.
class Gauge {
 public:
    void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] std::int64_t value() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

 private:
    std::atomic<std::int64_t> value_{0};
};

/// Durations in fixed buckets from 0.5 ms to 30 s.  observe() belongs to one thread.
class DurationHistogram {
 public:
    /// Upper bounds in microseconds; a last bucket beyond them takes the rest.
    static constexpr std::array<std::int64_t, 14> kBounds{
        500,     1'000,   2'000,   5'000,     10'000,    20'000,     50'000,
        100'000, 250'000, 500'000, 1'000'000, 5'000'000, 10'000'000, 30'000'000};

    /// Negative durations (a clock that was set back) count as zero.
    void observe(std::int64_t microseconds) noexcept {
        const std::int64_t value = microseconds < 0 ? 0 : microseconds;
        std::size_t bucket = 0;
        while (bucket < kBounds.size() && value > kBounds[bucket]) {
            ++bucket;
        }
        counts_[bucket].add();
        sum_microseconds_.add(static_cast<std::uint64_t>(value));
    }
    /// Observations that fell into bucket `index` alone (not cumulative), 0 ... kBounds.size().
    [[nodiscard]] std::uint64_t count_in(std::size_t index) const noexcept {
        return counts_[index].value();
    }
    [[nodiscard]] std::uint64_t sum_microseconds() const noexcept {
        return sum_microseconds_.value();
    }

 private:
    std::array<Counter, kBounds.size() + 1> counts_;
    Counter sum_microseconds_;
};

}  // namespace holdfast::relay::metrics
