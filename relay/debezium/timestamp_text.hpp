// Reads a timestamp as PostgreSQL prints it with DateStyle ISO.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast::relay::debezium {

/// "2026-11-21 04:05:06[.789012][+09[:30[:15]]]" as microseconds since 1970-01-01 UTC.  Without an
/// offset the time is taken as UTC.  nullopt for anything else, "infinity" and years BC included.
[[nodiscard]] std::optional<std::int64_t> parse_timestamp(std::string_view text);

}  // namespace holdfast::relay::debezium
