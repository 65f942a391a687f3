#include "capture/partitioner.hpp"

namespace holdfast::relay::capture {

std::int32_t murmur2(std::string_view bytes) noexcept {
    constexpr std::uint32_t kSeed = 0x9747B28C;
    constexpr std::uint32_t kMultiplier = 0x5BD1E995;
    constexpr unsigned kShift = 24;
    const auto byte = [&](std::size_t i) {
        return std::uint32_t{static_cast<std::uint8_t>(bytes[i])};
    };
    const std::size_t length = bytes.size();
    std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(length);
    std::size_t i = 0;
    for (; i + 4 <= length; i += 4) {
        std::uint32_t block =
            byte(i) | (byte(i + 1) << 8U) | (byte(i + 2) << 16U) | (byte(i + 3) << 24U);
        block *= kMultiplier;
        block ^= block >> kShift;
        block *= kMultiplier;
        hash *= kMultiplier;
        hash ^= block;
    }
    switch (length - i) {
        case 3:
            hash ^= byte(i + 2) << 16U;
            [[fallthrough]];
        case 2:
            hash ^= byte(i + 1) << 8U;
            [[fallthrough]];
        case 1:
            hash ^= byte(i);
            hash *= kMultiplier;
            break;
        default:
            break;
    }
    hash ^= hash >> 13U;
    hash *= kMultiplier;
    hash ^= hash >> 15U;
    return static_cast<std::int32_t>(hash);
}

std::int32_t partition_of_key(std::string_view key, std::int32_t partitions) noexcept {
    constexpr std::int32_t kPositive = 0x7FFFFFFF;
    return (murmur2(key) & kPositive) % partitions;
}

std::int32_t Partitioner::choose(TopicId topic, const std::optional<std::string_view>& key,
                                 std::int32_t partitions, std::size_t size) {
    if (key) {
        return partition_of_key(*key, partitions);
    }
    const auto index = static_cast<std::size_t>(topic);
    if (index >= sticky_.size()) {
        sticky_.resize(index + 1);
    }
    Sticky& sticky = sticky_[index];
    if (sticky.bytes >= kStickyBytes) {
        sticky.bytes = 0;
        ++sticky.partition;
    }
    sticky.bytes += size;
    return static_cast<std::int32_t>(sticky.partition % static_cast<std::uint32_t>(partitions));
}

}  // namespace holdfast::relay::capture
