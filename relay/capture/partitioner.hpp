// Which partition a record goes to: for keyed records the one that the Java client's default
// partitioner chooses, so that other producers of the topic and we agree on every key.
//
// Source: org.apache.kafka.common.utils.Utils.murmur2 and BuiltInPartitioner.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "capture/record_sink.hpp"

namespace holdfast::relay::capture {

/// The 32-bit MurmurHash2 with Kafka's seed, signed as in Java.
[[nodiscard]] std::int32_t murmur2(std::string_view bytes) noexcept;

/// Partition of a key, 0 ... `partitions` - 1.
[[nodiscard]] std::int32_t partition_of_key(std::string_view key, std::int32_t partitions) noexcept;

/// Not thread-safe.
class Partitioner {
 public:
    /// As partition_of_key(); without a key, sticks to a partition for a batch's worth of bytes and
    /// then takes the next.  `partitions` > 0; `size` = bytes of the record.
    std::int32_t choose(TopicId topic, const std::optional<std::string_view>& key,
                        std::int32_t partitions, std::size_t size);

    /// What sticks together without a key: the Java client's batch.size.
    static constexpr std::size_t kStickyBytes = 16'384;

 private:
    struct Sticky {
        std::uint32_t partition = 0;
        std::size_t bytes = 0;
    };
    std::vector<Sticky> sticky_;  ///< by TopicId
};

}  // namespace holdfast::relay::capture
