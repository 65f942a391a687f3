// Timestamps as text: reads those that PostgreSQL prints, with DateStyle ISO or in JSON, and writes
// those of events.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast::relay::debezium {

/// "2026-11-21 04:05:06[.789012][+09[:30[:15]]]" as microseconds since 1970-01-01 UTC; a "T" may
/// stand for the space and a "Z" for the offset.  Without an offset the time is taken as UTC.
/// nullopt for anything else, "infinity" and years BC included.
[[nodiscard]] std::optional<std::int64_t> parse_timestamp(std::string_view text);

/// "2026-11-21T04:05:06.789012Z"
using Rfc3339Buffer = std::array<char, 27>;

/// Microseconds since 1970-01-01 UTC as RFC 3339 has it, in UTC, written to `buffer`, which the
/// result views.  Empty for years other than 0 to 9999, which RFC 3339 does not have.
[[nodiscard]] std::string_view format_rfc3339(std::int64_t unix_microseconds,
                                              Rfc3339Buffer& buffer);

}  // namespace holdfast::relay::debezium
