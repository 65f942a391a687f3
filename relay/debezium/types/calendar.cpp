#include "debezium/types/calendar.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "debezium/json_text.hpp"
#include "debezium/types/scanner.hpp"

namespace holdfast::relay::debezium {
namespace {

/// An offset of a time zone is less than 16 hours to either side; Java has 18.
constexpr std::int64_t kLastOffsetHour = 18;

std::int32_t days_in_month(std::int64_t year, std::int64_t month) {
    constexpr std::array<std::int32_t, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

/// The date without its era, which comes last.
CivilDate scan_date(Scanner& in) {
    CivilDate date;
    date.year = in.digits(4, 7);
    in.expect('-');
    date.month = static_cast<std::int32_t>(in.digits(2, 2));
    in.expect('-');
    date.day = static_cast<std::int32_t>(in.digits(2, 2));
    return date;
}

void scan_era(Scanner& in, CivilDate& date) {
    in.require(date.year >= 1);
    if (in.take(" BC")) {
        date.year = 1 - date.year;
    }
    in.require(date.month >= 1 && date.month <= 12);
    in.require(in.ok() && date.day >= 1 && date.day <= days_in_month(date.year, date.month));
}

/// Microseconds of the day.
std::int64_t scan_time(Scanner& in) {
    const std::int64_t hour = in.digits(2, 2);
    in.expect(':');
    const std::int64_t minute = in.digits(2, 2);
    in.expect(':');
    const std::int64_t second = in.digits(2, 2);
    std::int64_t fraction = 0;
    if (in.take('.')) {
        fraction = in.digits(1, 6);
        for (std::size_t digits = in.taken(); digits < 6; ++digits) {
            fraction *= 10;
        }
    }
    const std::int64_t micros = ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond + fraction;
    in.require(minute <= 59 && second <= 59 && micros <= kMicrosPerDay);
    return micros;
}

std::int64_t scan_offset(Scanner& in) {
    const bool west = in.take('-');
    if (!west) {
        in.expect('+');
    }
    const std::int64_t hours = in.digits(2, 2);
    const std::int64_t minutes = in.take(':') ? in.digits(2, 2) : 0;
    const std::int64_t seconds = in.take(':') ? in.digits(2, 2) : 0;
    in.require(hours <= kLastOffsetHour && minutes <= 59 && seconds <= 59);
    const std::int64_t offset = (hours * 60 + minutes) * 60 + seconds;
    return west ? -offset : offset;
}

void put_two(char* place, std::int64_t number) {
    place[0] = static_cast<char>('0' + number / 10);
    place[1] = static_cast<char>('0' + number % 10);
}

}  // namespace

Infinity parse_infinity(std::string_view text) {
    return text == "infinity"    ? Infinity::kPositive
           : text == "-infinity" ? Infinity::kNegative
                                 : Infinity::kNone;
}

std::optional<CivilDate> parse_date(std::string_view text) {
    Scanner in(text);
    CivilDate date = scan_date(in);
    scan_era(in, date);
    return in.done() ? std::optional(date) : std::nullopt;
}

std::optional<std::int64_t> parse_time(std::string_view text) {
    Scanner in(text);
    const std::int64_t micros = scan_time(in);
    return in.done() ? std::optional(micros) : std::nullopt;
}

std::optional<ZonedClock> parse_timetz(std::string_view text) {
    Scanner in(text);
    ZonedClock clock;
    clock.micros = scan_time(in);
    clock.offset_seconds = static_cast<std::int32_t>(scan_offset(in));
    return in.done() ? std::optional(clock) : std::nullopt;
}

std::optional<DayTime> parse_timestamp_text(std::string_view text) {
    Scanner in(text);
    CivilDate date = scan_date(in);
    in.expect(' ');
    const std::int64_t micros = scan_time(in);
    in.require(micros < kMicrosPerDay);
    scan_era(in, date);
    if (!in.done()) {
        return std::nullopt;
    }
    return DayTime{.day = days_since_epoch(date), .micros = micros};
}

std::optional<DayTime> parse_timestamptz(std::string_view text) {
    Scanner in(text);
    CivilDate date = scan_date(in);
    in.expect(' ');
    std::int64_t micros = scan_time(in);
    in.require(micros < kMicrosPerDay);
    const std::int64_t offset = scan_offset(in);
    scan_era(in, date);
    if (!in.done()) {
        return std::nullopt;
    }
    std::int64_t day = days_since_epoch(date);
    micros -= offset * kMicrosPerSecond;
    if (micros < 0) {
        micros += kMicrosPerDay;
        --day;
    } else if (micros >= kMicrosPerDay) {
        micros -= kMicrosPerDay;
        ++day;
    }
    return DayTime{.day = day, .micros = micros};
}

// Both from Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March,
// eras have 400 of them.
std::int64_t days_since_epoch(const CivilDate& date) {
    const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
    const std::int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    const std::int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146'097 + day_of_era - 719'468;
}

CivilDate civil_date(std::int64_t days_since_epoch) {
    const std::int64_t days = days_since_epoch + 719'468;
    const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
    const std::int64_t day_of_era = days - era * 146'097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t month = (5 * day_of_year + 2) / 153;
    CivilDate date;
    date.day = static_cast<std::int32_t>(day_of_year - (153 * month + 2) / 5 + 1);
    date.month = static_cast<std::int32_t>(month < 10 ? month + 3 : month - 9);
    date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
    return date;
}

void append_iso_date(const CivilDate& date, std::string& json) {
    constexpr std::int64_t kLastOfFourDigits = 9999;
    const std::int64_t year = date.year < 0 ? -date.year : date.year;
    if (date.year < 0) {
        json += '-';
    }
    if (year > kLastOfFourDigits) {
        if (date.year > 0) {
            json += '+';
        }
        append_json_int(year, json);
    } else {
        std::array<char, 4> digits{};
        put_two(digits.data(), year / 100);
        put_two(digits.data() + 2, year % 100);
        json.append(digits.data(), digits.size());
    }
    std::array<char, 6> rest{'-', '0', '0', '-', '0', '0'};
    put_two(rest.data() + 1, date.month);
    put_two(rest.data() + 4, date.day);
    json.append(rest.data(), rest.size());
}

void append_iso_time(std::int64_t micros, int decimals, std::string& json) {
    std::array<char, 15> text{'0', '0', ':', '0', '0', ':', '0', '0', '.'};
    const std::int64_t seconds = micros / kMicrosPerSecond;
    const std::int64_t fraction = micros % kMicrosPerSecond;
    put_two(text.data(), seconds / 3600);
    put_two(text.data() + 3, seconds / 60 % 60);
    put_two(text.data() + 6, seconds % 60);
    put_two(text.data() + 9, fraction / 10'000);
    put_two(text.data() + 11, fraction / 100 % 100);
    put_two(text.data() + 13, fraction % 100);
    constexpr std::size_t kWithoutFraction = 8;
    const std::size_t size = decimals == 0
                                 ? kWithoutFraction
                                 : kWithoutFraction + 1 + static_cast<std::size_t>(decimals);
    json.append(text.data(), std::min(size, text.size()));
}

void append_iso_time(std::int64_t micros, std::string& json) {
    std::int64_t fraction = micros % kMicrosPerSecond;
    int decimals = fraction == 0 ? 0 : 6;
    while (decimals > 0 && fraction % 10 == 0) {
        fraction /= 10;
        --decimals;
    }
    append_iso_time(micros, decimals, json);
}

}  // namespace holdfast::relay::debezium
