#include "core/timestamp.hpp"

#include <chrono>

namespace holdfast::core {
namespace {

char* put_digits(char* target, std::int64_t value, int count) noexcept {
    for (int i = count - 1; i >= 0; --i) {
        target[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
    return target + count;
}

}  // namespace

Rfc3339::Rfc3339(Instant instant) noexcept {
    using std::chrono::days;
    using std::chrono::microseconds;
    const std::chrono::sys_time<microseconds> time{microseconds{instant.unix_micros}};
    const auto day = std::chrono::floor<days>(time);
    const std::chrono::year_month_day date{day};
    std::int64_t rest = (time - day).count();

    char* at = put_digits(text_, static_cast<int>(date.year()), 4);
    *at++ = '-';
    at = put_digits(at, static_cast<unsigned>(date.month()), 2);
    *at++ = '-';
    at = put_digits(at, static_cast<unsigned>(date.day()), 2);
    *at++ = 'T';
    const std::int64_t micros = rest % 1'000'000;
    rest /= 1'000'000;
    at = put_digits(at, rest / 3600, 2);
    *at++ = ':';
    at = put_digits(at, rest / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, rest % 60, 2);
    *at++ = '.';
    at = put_digits(at, micros, 6);
    *at = 'Z';
}

}  // namespace holdfast::core
