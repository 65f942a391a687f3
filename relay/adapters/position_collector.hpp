// Gathers the Kafka positions of one round of acknowledgements and hands them to upkeep in one go.
#pragma once

#include <vector>

#include "capture/pipeline.hpp"
#include "metrics/values.hpp"
#include "upkeep/position_buffer.hpp"

namespace holdfast::relay::adapters {

/// Thread rule: the capture thread only.
class PositionCollector final : public capture::PositionListener {
 public:
    /// Both must outlive the collector.
    PositionCollector(upkeep::PositionBuffer& buffer, metrics::Counter& dropped)
        : buffer_(buffer), dropped_(dropped) {}

    void on_position(std::string_view event_id, std::string_view topic, std::int32_t partition,
                     std::int64_t offset) noexcept override;

    /// After each round of acknowledgements.
    void hand_over();

 private:
    upkeep::PositionBuffer& buffer_;
    metrics::Counter& dropped_;
    std::vector<upkeep::EventPosition> gathered_;
};

}  // namespace holdfast::relay::adapters
