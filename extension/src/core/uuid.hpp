// UUID version 7 (RFC 9562): time-ordered ids for events.  The outbox is partitioned by them.
#pragma once

#include <array>
#include <cstdint>

namespace holdfast::core {

using Uuid = std::array<std::uint8_t, 16>;

// Makes ids that rise strictly within one process: 48 bits of Unix milliseconds, 12 bits of the
// millisecond's fraction (RFC 9562, section 6.2, method 3), 62 random bits.  When the clock stands
// still or goes back, it counts on from the last id's time, so that the order of writing stays.
class UuidV7Generator {
 public:
    // unix_micros: microseconds since 1970, not negative.  random: fresh bytes of a strong source.
    Uuid next(std::int64_t unix_micros, const std::array<std::uint8_t, 8>& random) noexcept;

 private:
    // Milliseconds in the upper 48 bits, 4096ths of a millisecond below.
    std::uint64_t last_ticks_ = 0;
};

// The id's time in microseconds since 1970.
std::int64_t uuid_v7_unix_micros(const Uuid& id) noexcept;

// The 36 characters of the canonical form, lowercase; not terminated.
void format_uuid(const Uuid& id, char* target) noexcept;

}  // namespace holdfast::core
