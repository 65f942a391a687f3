#include "adapters/position_collector.hpp"

#include <new>
#include <string>

namespace holdfast::relay::adapters {

void PositionCollector::on_position(std::string_view event_id, std::string_view topic,
                                    std::int32_t partition, std::int64_t offset) noexcept {
    try {
        gathered_.push_back({std::string(event_id), std::string(topic), partition, offset});
    } catch (const std::bad_alloc&) {
        dropped_.add();
    }
}

void PositionCollector::hand_over() {
    if (const std::size_t dropped = buffer_.offer(gathered_); dropped > 0) {
        dropped_.add(dropped);
    }
}

}  // namespace holdfast::relay::adapters
