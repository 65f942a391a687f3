// Dates and times as PostgreSQL prints them with DateStyle ISO, read by hand and written as
// java.time does it.  The proleptic Gregorian calendar, with a year 0 for 1 BC.
//
// Source: PostgreSQL manual, "Date/Time Output"; java.time.format.DateTimeFormatter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::relay::debezium {

inline constexpr std::int64_t kMicrosPerDay = 86'400'000'000;
inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;

struct CivilDate {
    std::int64_t year = 0;
    std::int32_t month = 1;
    std::int32_t day = 1;
};

/// A point in time, or one of a clock without a time zone.
struct DayTime {
    std::int64_t day = 0;     ///< since 1970-01-01
    std::int64_t micros = 0;  ///< of the day
};

struct ZonedClock {
    std::int64_t micros = 0;  ///< of the day, 24:00 included
    std::int32_t offset_seconds = 0;
};

enum class Infinity { kNone, kPositive, kNegative };

/// "infinity", "-infinity"
[[nodiscard]] Infinity parse_infinity(std::string_view text);

/// "2016-11-04", "0044-03-15 BC"
[[nodiscard]] std::optional<CivilDate> parse_date(std::string_view text);
/// "13:51:30[.123456]" to "24:00:00": microseconds of the day.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text);
/// "13:51:30[.123456]+02[:30[:15]]"
[[nodiscard]] std::optional<ZonedClock> parse_timetz(std::string_view text);
/// "2016-11-04 13:51:30[.123456]", with " BC" behind it.
[[nodiscard]] std::optional<DayTime> parse_timestamp_text(std::string_view text);
/// The same with an offset before the " BC"; the result is in UTC.
[[nodiscard]] std::optional<DayTime> parse_timestamptz(std::string_view text);

[[nodiscard]] std::int64_t days_since_epoch(const CivilDate& date);
[[nodiscard]] CivilDate civil_date(std::int64_t days_since_epoch);

/// "2016-11-04", "-0043-03-15", "+10000-01-01"
void append_iso_date(const CivilDate& date, std::string& json);
/// "13:51:30" and as many decimals as are needed.
void append_iso_time(std::int64_t micros, std::string& json);
/// "13:51:30" and that many decimals (0 to 6), cut.
void append_iso_time(std::int64_t micros, int decimals, std::string& json);

}  // namespace holdfast::relay::debezium
