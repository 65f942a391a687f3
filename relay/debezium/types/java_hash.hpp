// The order in which a java.util.HashMap gives out its entries, where a message shows it.
//
// Source: OpenJDK java.util.HashMap (spread, resize) and java.lang.String.hashCode.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::relay::debezium {

/// String.hashCode of a text in UTF-8.
[[nodiscard]] std::uint32_t java_string_hash(std::string_view text);

/// Buckets of a map that began with `buckets` (a power of two) and has `entries` now.
[[nodiscard]] std::size_t java_map_buckets(std::size_t buckets, std::size_t entries);

/// The bucket of a hash; entries of one bucket come in the order in which they were put in.
[[nodiscard]] constexpr std::size_t java_map_bucket(std::uint32_t hash, std::size_t buckets) {
    return (hash ^ (hash >> 16U)) & (buckets - 1);
}

}  // namespace holdfast::relay::debezium
