#include "debezium/timestamp_text.hpp"

#include <charconv>
#include <chrono>

namespace holdfast::relay::debezium {

namespace {

/// Takes pieces from the front of a text; remembers the first thing that did not fit.
class Scanner {
 public:
    explicit Scanner(std::string_view text) : text_(text) {}

    /// Between `min` and `max` digits.
    std::int64_t number(std::size_t min, std::size_t max) {
        std::size_t length = 0;
        while (length < max && length < text_.size() && text_[length] >= '0' &&
               text_[length] <= '9') {
            ++length;
        }
        std::int64_t value = 0;
        ok_ = ok_ && length >= min;
        if (ok_) {
            std::from_chars(text_.data(), text_.data() + length, value);
            text_.remove_prefix(length);
            taken_ = length;
        }
        return value;
    }
    void expect(char c) { ok_ = ok_ && take(c); }
    bool take(char c) {
        if (text_.empty() || text_.front() != c) {
            return false;
        }
        text_.remove_prefix(1);
        return true;
    }
    /// Digits of the last number().
    [[nodiscard]] std::size_t taken() const { return taken_; }
    [[nodiscard]] bool done() const { return ok_ && text_.empty(); }

 private:
    std::string_view text_;
    std::size_t taken_ = 0;
    bool ok_ = true;
};

/// `value` with `digits` digits, zeros in front.
void put(char* place, std::int64_t value, int digits) {
    for (int i = digits - 1; i >= 0; --i) {
        place[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

}  // namespace

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
    using namespace std::chrono;
    Scanner in(text);
    const std::int64_t year_number = in.number(4, 6);
    in.expect('-');
    const std::int64_t month_number = in.number(2, 2);
    in.expect('-');
    const std::int64_t day_number = in.number(2, 2);
    if (!in.take('T')) {
        in.expect(' ');
    }
    const std::int64_t hour = in.number(2, 2);
    in.expect(':');
    const std::int64_t minute = in.number(2, 2);
    in.expect(':');
    const std::int64_t second = in.number(2, 2);
    std::int64_t fraction = 0;
    if (in.take('.')) {
        fraction = in.number(1, 6);
        for (std::size_t digits = in.taken(); digits < 6; ++digits) {
            fraction *= 10;
        }
    }
    std::int64_t offset_seconds = 0;
    const bool east = in.take('+');
    if (east || in.take('-')) {
        offset_seconds = in.number(2, 2) * 3600;
        if (in.take(':')) {
            offset_seconds += in.number(2, 2) * 60;
            if (in.take(':')) {
                offset_seconds += in.number(2, 2);
            }
        }
        offset_seconds = east ? offset_seconds : -offset_seconds;
    } else {
        in.take('Z');
    }
    // PostgreSQL's last year is 294276; std::chrono's is 32767.
    constexpr std::int64_t kLastYear = 9999;
    if (!in.done() || year_number > kLastYear || hour > 24 || minute > 59 || second > 60) {
        return std::nullopt;
    }
    const year_month_day date(year(static_cast<int>(year_number)),
                              month(static_cast<unsigned>(month_number)),
                              day(static_cast<unsigned>(day_number)));
    if (!date.ok()) {
        return std::nullopt;
    }
    const auto time = sys_days(date).time_since_epoch() + hours(hour) + minutes(minute) +
                      seconds(second - offset_seconds) + microseconds(fraction);
    return duration_cast<microseconds>(time).count();
}

std::string_view format_rfc3339(std::int64_t unix_microseconds, Rfc3339Buffer& buffer) {
    using namespace std::chrono;
    // From the year 0 to the end of 9999.
    constexpr std::int64_t kFirst = -62'167'219'200'000'000;
    constexpr std::int64_t kEnd = 253'402'300'800'000'000;
    if (unix_microseconds < kFirst || unix_microseconds >= kEnd) {
        return {};
    }
    const sys_time<microseconds> time{microseconds(unix_microseconds)};
    const sys_days day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss<microseconds> clock(time - day);
    buffer = {'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0', '0', ':',
              '0', '0', ':', '0', '0', '.', '0', '0', '0', '0', '0', '0', 'Z'};
    put(buffer.data(), static_cast<int>(date.year()), 4);
    put(buffer.data() + 5, static_cast<unsigned>(date.month()), 2);
    put(buffer.data() + 8, static_cast<unsigned>(date.day()), 2);
    put(buffer.data() + 11, clock.hours().count(), 2);
    put(buffer.data() + 14, clock.minutes().count(), 2);
    put(buffer.data() + 17, clock.seconds().count(), 2);
    put(buffer.data() + 20, clock.subseconds().count(), 6);
    return {buffer.data(), buffer.size()};
}

}  // namespace holdfast::relay::debezium
