#include "core/uuid.hpp"

namespace holdfast::core {

Uuid UuidV7Generator::next(std::int64_t unix_micros,
                           const std::array<std::uint8_t, 8>& random) noexcept {
    const auto micros = static_cast<std::uint64_t>(unix_micros);
    std::uint64_t ticks = (micros / 1000) << 12 | (micros % 1000) * 4096 / 1000;
    if (ticks <= last_ticks_) {
        ticks = last_ticks_ + 1;
    }
    last_ticks_ = ticks;

    Uuid id;
    for (std::size_t i = 0; i < 6; ++i) {
        id[i] = static_cast<std::uint8_t>(ticks >> (52 - 8 * i));
    }
    id[6] = static_cast<std::uint8_t>(0x70 | (ticks >> 8 & 0x0F));
    id[7] = static_cast<std::uint8_t>(ticks);
    for (std::size_t i = 0; i < 8; ++i) {
        id[8 + i] = random[i];
    }
    id[8] = static_cast<std::uint8_t>(0x80 | (id[8] & 0x3F));
    return id;
}

std::int64_t uuid_v7_unix_micros(const Uuid& id) noexcept {
    std::uint64_t millis = 0;
    for (std::size_t i = 0; i < 6; ++i) {
        millis = millis << 8 | id[i];
    }
    const std::uint64_t fraction = (id[6] & 0x0FU) << 8 | id[7];
    return static_cast<std::int64_t>(millis * 1000 + fraction * 1000 / 4096);
}

void format_uuid(const Uuid& id, char* target) noexcept {
    constexpr const char* kDigits = "0123456789abcdef";
    for (std::size_t i = 0; i < id.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *target++ = '-';
        }
        *target++ = kDigits[id[i] >> 4];
        *target++ = kDigits[id[i] & 0x0F];
    }
}

}  // namespace holdfast::core
