#include "debezium/types/intervals.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>

#include "debezium/json_text.hpp"
#include "debezium/types/scanner.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

/// As pgjdbc's PGInterval: 32 bits each, seconds and microseconds of one sign.
struct Interval {
    std::int64_t years = 0;
    std::int64_t months = 0;
    std::int64_t days = 0;
    std::int64_t hours = 0;
    std::int64_t minutes = 0;
    std::int64_t second_micros = 0;

    /// The sum that PGInterval.getSeconds makes.
    [[nodiscard]] double seconds() const {
        const std::int64_t whole = second_micros / kMicrosPerSecond;
        const std::int64_t micros = second_micros % kMicrosPerSecond;
        return static_cast<double>(whole) + static_cast<double>(micros) / 1e6;
    }
};

/// "[-|+]hh:mm:ss[.ffffff]", the hours and the colon behind them taken already.
void scan_clock(Scanner& in, std::int64_t hours, bool negative, Interval& interval) {
    const std::int64_t minutes = in.digits(2, 2);
    in.expect(':');
    const std::int64_t seconds = in.digits(2, 2);
    std::int64_t fraction = 0;
    if (in.take('.')) {
        fraction = in.digits(1, 6);
        for (std::size_t digits = in.taken(); digits < 6; ++digits) {
            fraction *= 10;
        }
    }
    in.require(minutes <= 59 && seconds <= 59);
    const std::int64_t sign = negative ? -1 : 1;
    interval.hours = sign * hours;
    interval.minutes = sign * minutes;
    interval.second_micros = sign * (seconds * kMicrosPerSecond + fraction);
}

/// "1 year 2 mons -3 days +04:05:06.78"
Interval parse_interval(std::string_view text) {
    constexpr std::size_t kMostDigits = 10;
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    Scanner in(text);
    Interval interval;
    do {
        const bool negative = in.take('-');
        if (!negative) {
            static_cast<void>(in.take('+'));
        }
        const std::int64_t number = in.digits(1, kMostDigits);
        in.require(number <= (negative ? kMost + 1 : kMost));
        if (in.take(':')) {
            scan_clock(in, number, negative, interval);
            in.require(in.rest().empty());
            break;
        }
        in.expect(' ');
        const std::int64_t value = negative ? -number : number;
        if (in.take("year")) {
            interval.years = value;
        } else if (in.take("mon")) {
            interval.months = value;
        } else if (in.take("day")) {
            interval.days = value;
        } else {
            in.require(false);
        }
        static_cast<void>(in.take('s'));
    } while (in.ok() && in.take(' '));
    if (!in.done()) {
        fail_conversion("an interval (IntervalStyle postgres)");
    }
    return interval;
}

/// Microseconds, a month counting as a twelfth of 365.25 days; what 64 bits do not hold becomes
/// their end, as Java's cast does it.
class MicroDurationEncoder final : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) override {
        constexpr double kDaysPerMonth = 365.25 / 12.0;
        const Interval interval = parse_interval(text);
        const double days =
            static_cast<double>(interval.years * 12 + interval.months) * kDaysPerMonth +
            static_cast<double>(interval.days);
        const double seconds = ((days * 24 + static_cast<double>(interval.hours)) * 60 +
                                static_cast<double>(interval.minutes)) *
                                   60 +
                               interval.seconds();
        const double micros = seconds * 1e6;
        constexpr double kTooLarge = 9223372036854775808.0;
        append_json_int(micros >= kTooLarge    ? std::numeric_limits<std::int64_t>::max()
                        : micros <= -kTooLarge ? std::numeric_limits<std::int64_t>::min()
                                               : static_cast<std::int64_t>(micros),
                        json);
    }
};

class IsoIntervalEncoder final : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) override {
        const Interval interval = parse_interval(text);
        json += "\"P";
        append_json_int(interval.years, json);
        json += 'Y';
        append_json_int(interval.months, json);
        json += 'M';
        append_json_int(interval.days, json);
        json += "DT";
        append_json_int(interval.hours, json);
        json += 'H';
        append_json_int(interval.minutes, json);
        json += 'M';
        std::array<char, 32> seconds{};
        const auto end = std::to_chars(seconds.data(), seconds.data() + seconds.size(),
                                       interval.seconds(), std::chars_format::fixed);
        json.append(seconds.data(), static_cast<std::size_t>(end.ptr - seconds.data()));
        json += "S\"";
    }
};

class StructuredIntervalEncoder final : public ValueEncoder {
 public:
    explicit StructuredIntervalEncoder(std::int32_t precision) : precision_(precision) {}

    void encode(std::string_view text, std::string& json) override {
        const Interval interval = parse_interval(text);
        json += R"({"years":)";
        append_json_int(interval.years, json);
        json += R"(,"months":)";
        append_json_int(interval.months, json);
        json += R"(,"days":)";
        append_json_int(interval.days, json);
        json += R"(,"hours":)";
        append_json_int(interval.hours, json);
        json += R"(,"minutes":)";
        append_json_int(interval.minutes, json);
        json += R"(,"seconds":)";
        append_json_int(interval.second_micros / kMicrosPerSecond, json);
        json += R"(,"nanos":)";
        append_json_int(interval.second_micros % kMicrosPerSecond * 1000, json);
        json += R"(,"precision":)";
        append_json_int(precision_, json);
        json += '}';
    }

 private:
    std::int32_t precision_;
};

ConnectSchema structured_schema() {
    std::vector<ConnectField> fields;
    for (const char* name : {"years", "months", "days", "hours", "minutes"}) {
        fields.push_back({name, optional_schema(scalar_schema("int32"))});
    }
    fields.push_back({"seconds", optional_schema(scalar_schema("int64"))});
    fields.push_back({"nanos", optional_schema(scalar_schema("int32"))});
    fields.push_back({"precision", optional_schema(scalar_schema("int32"))});
    return struct_schema("io.debezium.time.StructuredDuration", "", std::move(fields));
}

}  // namespace

ColumnEncoding make_interval(const TypeUse& use) {
    ColumnEncoding encoding;
    if (use.options.time_precision_mode == TimePrecision::kStructured) {
        // The lower half of the modifier; all of its bits stand for no precision and are kept.
        const std::int32_t precision = use.modifier < 0 ? 6 : use.modifier & 0xFFFF;
        encoding.schema = structured_schema();
        encoding.encoder = std::make_unique<StructuredIntervalEncoder>(precision);
    } else if (use.options.interval_handling_mode == IntervalHandling::kString) {
        encoding.schema = semantic_schema("string", "io.debezium.time.Interval");
        encoding.encoder = std::make_unique<IsoIntervalEncoder>();
        encoding.unavailable = unavailable_string(use.options);
    } else {
        encoding.schema = semantic_schema("int64", "io.debezium.time.MicroDuration");
        encoding.encoder = std::make_unique<MicroDurationEncoder>();
    }
    encoding.encoder->encode("00:00:00", encoding.fallback);
    return encoding;
}

}  // namespace holdfast::relay::debezium
