// Kafka positions on their way from the capture thread to the upkeep thread.  Bounded and best
// effort: what does not fit is counted and dropped, so that capture never waits for the database.
//
// Thread rule: offer() from one thread, everything else from another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "upkeep/procedure_runner.hpp"

namespace holdfast::relay::upkeep {

class PositionBuffer {
 public:
    explicit PositionBuffer(std::size_t capacity) : capacity_(capacity) {}

    /// `wake` is called by offer() when the buffer was empty before.  Set it before the first
    /// offer.
    void on_first(std::function<void()> wake) { wake_ = std::move(wake); }

    /// Moves the elements of `positions` in, as far as there is room, and empties it.  Returns how
    /// many were dropped.
    std::size_t offer(std::vector<EventPosition>& positions);

    /// The oldest `limit` positions at most.
    [[nodiscard]] std::vector<EventPosition> take(std::size_t limit);

    [[nodiscard]] bool empty() const;

 private:
    std::size_t capacity_;
    std::function<void()> wake_;
    mutable std::mutex mutex_;
    std::vector<EventPosition> positions_;
};

}  // namespace holdfast::relay::upkeep
