#include "backend/clock.hpp"

#include <cstring>

#include "backend/guard.hpp"
#include "backend/raw.h"

extern "C" {
#include "utils/timestamp.h"
}

namespace holdfast::backend {
namespace {

// One draw from the strong source serves many ids.  Constant-initialised: nothing runs at load
// time, and a preloaded library draws nothing before the fork.
struct RandomPool {
    unsigned char bytes[512];
    std::size_t left = 0;
};

constinit RandomPool random_pool{};
constinit core::UuidV7Generator generator{};

constexpr std::int64_t kPostgresEpochUnixMicros =
    static_cast<std::int64_t>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

}  // namespace

core::Instant now() {
    return {GetCurrentTimestamp() + kPostgresEpochUnixMicros};
}

TimestampTz to_timestamptz(core::Instant instant) noexcept {
    return instant.unix_micros - kPostgresEpochUnixMicros;
}

core::Uuid next_event_id(core::Instant at) {
    std::array<std::uint8_t, 8> random;
    if (random_pool.left < random.size()) {
        call_backend<raw_random>(static_cast<void*>(random_pool.bytes),
                                 Size{sizeof random_pool.bytes});
        random_pool.left = sizeof random_pool.bytes;
    }
    random_pool.left -= random.size();
    std::memcpy(random.data(), random_pool.bytes + random_pool.left, random.size());
    return generator.next(at.unix_micros, random);
}

}  // namespace holdfast::backend
