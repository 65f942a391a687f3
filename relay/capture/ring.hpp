// A queue in one block of memory: push at the back, pop at the front, reach any element by its
// number.  Allocates only when it outgrows the block; never shrinks.
#pragma once

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace holdfast::relay::capture {

/// Elements are numbered in order of push_back(), from 0, and keep their number.
template <typename T>
class Ring {
 public:
    explicit Ring(std::size_t capacity = 64) : slots_(std::bit_ceil(capacity)) {}

    [[nodiscard]] bool empty() const noexcept { return first_ == end_; }
    [[nodiscard]] std::size_t size() const noexcept { return end_ - first_; }
    /// Number of the oldest element; equals end_number() when empty.
    [[nodiscard]] std::uint64_t first_number() const noexcept { return first_; }
    /// Number that the next element will have.
    [[nodiscard]] std::uint64_t end_number() const noexcept { return end_; }
    [[nodiscard]] bool contains(std::uint64_t number) const noexcept {
        return number - first_ < size();
    }

    /// Adds an element, whose content is whatever an earlier one has left, and returns it.
    T& push_back() {
        if (size() == slots_.size()) {
            grow();
        }
        return slots_[end_++ & mask()];
    }
    void pop_front() noexcept {
        assert(!empty());
        ++first_;
    }
    /// The number of the element becomes free for the next one.
    void pop_back() noexcept {
        assert(!empty());
        --end_;
    }
    [[nodiscard]] T& front() noexcept { return (*this)[first_]; }
    [[nodiscard]] T& back() noexcept { return (*this)[end_ - 1]; }
    [[nodiscard]] T& operator[](std::uint64_t number) noexcept {
        assert(contains(number));
        return slots_[number & mask()];
    }

 private:
    [[nodiscard]] std::uint64_t mask() const noexcept { return slots_.size() - 1; }

    void grow() {
        std::vector<T> larger(slots_.size() * 2);
        for (std::uint64_t number = first_; number != end_; ++number) {
            larger[number & (larger.size() - 1)] = std::move(slots_[number & mask()]);
        }
        slots_ = std::move(larger);
    }

    std::vector<T> slots_;
    std::uint64_t first_ = 0;
    std::uint64_t end_ = 0;
};

}  // namespace holdfast::relay::capture
