#include "upkeep/position_buffer.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::relay::upkeep {

std::size_t PositionBuffer::offer(std::vector<EventPosition>& positions) {
    if (positions.empty()) {
        return 0;
    }
    bool was_empty = false;
    std::size_t taken = 0;
    {
        const std::lock_guard lock(mutex_);
        was_empty = positions_.empty();
        taken = std::min(positions.size(), capacity_ - positions_.size());
        const auto end = positions.begin() + static_cast<std::ptrdiff_t>(taken);
        positions_.insert(positions_.end(), std::make_move_iterator(positions.begin()),
                          std::make_move_iterator(end));
    }
    const std::size_t dropped = positions.size() - taken;
    positions.clear();
    if (was_empty && wake_) {
        wake_();
    }
    return dropped;
}

std::vector<EventPosition> PositionBuffer::take(std::size_t limit) {
    const std::lock_guard lock(mutex_);
    if (positions_.size() <= limit) {
        return std::exchange(positions_, {});
    }
    const auto end = positions_.begin() + static_cast<std::ptrdiff_t>(limit);
    std::vector<EventPosition> taken(std::make_move_iterator(positions_.begin()),
                                     std::make_move_iterator(end));
    positions_.erase(positions_.begin(), end);
    return taken;
}

bool PositionBuffer::empty() const {
    const std::lock_guard lock(mutex_);
    return positions_.empty();
}

}  // namespace holdfast::relay::upkeep
