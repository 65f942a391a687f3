#include "base/backoff.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <utility>

namespace holdfast::relay {

namespace {

Backoff::Random system_seeded() {
    return [generator = std::mt19937_64(std::random_device{}())](std::uint64_t limit) mutable {
        return std::uniform_int_distribution<std::uint64_t>(0, limit)(generator);
    };
}

}  // namespace

Backoff::Backoff(Milliseconds initial, Milliseconds cap) : Backoff(initial, cap, system_seeded()) {}

Backoff::Backoff(Milliseconds initial, Milliseconds cap, Random random)
    : initial_(std::max(initial, Milliseconds(1))),
      cap_(std::max(cap, initial_)),
      bound_(initial_),
      random_(std::move(random)) {}

Backoff::Milliseconds Backoff::next() {
    const auto spread = static_cast<std::uint64_t>(bound_.count() - 1);
    const Milliseconds wait(1 + static_cast<std::int64_t>(random_(spread)));
    bound_ = bound_ > cap_ / 2 ? cap_ : bound_ * 2;
    ++attempts_;
    return wait;
}

void Backoff::reset() noexcept {
    bound_ = initial_;
    attempts_ = 0;
}

}  // namespace holdfast::relay
