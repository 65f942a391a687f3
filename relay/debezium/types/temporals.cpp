#include "debezium/types/temporals.hpp"

#include <cstdint>
#include <limits>
#include <memory>

#include "debezium/json_text.hpp"
#include "debezium/types/calendar.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr std::int64_t kMicrosPerMilli = 1000;
constexpr std::int64_t kNanosPerMicro = 1000;
constexpr int kMostDecimals = 6;
constexpr int kLastOfMillis = 3;

/// What a time or a timestamp is counted in, or how it is written.
enum class Form { kMillis, kMicros, kNanos, kIso, kStructured };

/// Decimals of a time's seconds.
int precision_of(const TypeUse& use) {
    return use.modifier < 0 ? kMostDecimals : use.modifier;
}

/// What pgjdbc has for infinite timestamps, in milliseconds.
constexpr std::int64_t kPositiveInfinityMillis = 9'223'372'036'825'200'000;
constexpr std::int64_t kNegativeInfinityMillis = -9'223'372'036'832'400'000;

/// `name` null or a number, as the first or a later member.
void append_member(std::string_view name, std::int64_t number, std::string& json) {
    json += json.back() == '{' ? "\"" : ",\"";
    json += name;
    json += "\":";
    append_json_int(number, json);
}

void append_null_members(std::initializer_list<std::string_view> names, std::string& json) {
    for (const std::string_view name : names) {
        json += json.back() == '{' ? "\"" : ",\"";
        json += name;
        json += "\":null";
    }
}

void append_special_value(Infinity infinity, std::string& json) {
    json += R"(,"specialValue":)";
    json += infinity == Infinity::kPositive   ? R"("POSITIVE_INFINITY")"
            : infinity == Infinity::kNegative ? R"("NEGATIVE_INFINITY")"
                                              : "null";
}

void append_date_members(const CivilDate& date, std::string& json) {
    append_member("year", date.year, json);
    append_member("month", date.month, json);
    append_member("day", date.day, json);
}

void append_clock_members(std::int64_t micros, std::string& json) {
    const std::int64_t seconds = micros / kMicrosPerSecond;
    append_member("hour", seconds / 3600, json);
    append_member("minute", seconds / 60 % 60, json);
    append_member("second", seconds % 60, json);
    append_member("nanos", micros % kMicrosPerSecond * kNanosPerMicro, json);
}

ConnectField optional_field(std::string_view name, std::string_view type) {
    return {std::string(name), optional_schema(scalar_schema(type))};
}

std::vector<ConnectField> date_fields() {
    return {optional_field("year", "int32"), optional_field("month", "int8"),
            optional_field("day", "int8")};
}

std::vector<ConnectField> clock_fields() {
    return {optional_field("hour", "int8"), optional_field("minute", "int8"),
            optional_field("second", "int8"), optional_field("nanos", "int32")};
}

std::vector<ConnectField> joined(std::initializer_list<std::vector<ConnectField>> parts) {
    std::vector<ConnectField> all;
    for (const std::vector<ConnectField>& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

class DateEncoder final : public ValueEncoder {
 public:
    /// Of kMicros (days, that is), kIso and kStructured.
    DateEncoder(Form form, CompatVersion version) : form_(form) {
        // Up to 3.6 both infinities are before Christ.
        const std::int64_t year = version == CompatVersion::k36 ? -5'877'611 : 5'877'611;
        positive_infinity_ = {.year = year, .month = 6, .day = 21};
    }

    void encode(std::string_view text, std::string& json) override {
        const Infinity infinity = parse_infinity(text);
        if (infinity != Infinity::kNone && form_ == Form::kStructured) {
            json += '{';
            append_null_members({"year", "month", "day"}, json);
            append_special_value(infinity, json);
            json += '}';
            return;
        }
        if (infinity != Infinity::kNone) {
            append(infinity == Infinity::kPositive ? positive_infinity_ : kNegativeInfinity, json);
            return;
        }
        const std::optional<CivilDate> date = parse_date(text);
        if (!date) {
            fail_conversion("a date");
        }
        append(*date, json);
    }

 private:
    static constexpr CivilDate kNegativeInfinity{.year = -5'877'611, .month = 6, .day = 22};

    void append(const CivilDate& date, std::string& json) const {
        switch (form_) {
            case Form::kIso:
                json += '"';
                append_iso_date(date, json);
                json += "Z\"";
                return;
            case Form::kStructured:
                json += '{';
                append_date_members(date, json);
                append_special_value(Infinity::kNone, json);
                json += '}';
                return;
            default:
                append_json_int(days_since_epoch(date), json);
                return;
        }
    }

    Form form_;
    CivilDate positive_infinity_;
};

class TimeEncoder final : public ValueEncoder {
 public:
    TimeEncoder(Form form, int precision) : form_(form), precision_(precision) {}

    void encode(std::string_view text, std::string& json) override {
        const std::optional<std::int64_t> micros = parse_time(text);
        if (!micros) {
            fail_conversion("a time");
        }
        switch (form_) {
            case Form::kMillis:
                append_json_int(*micros / kMicrosPerMilli, json);
                return;
            case Form::kMicros:
                append_json_int(*micros, json);
                return;
            case Form::kNanos:
                append_json_int(*micros * kNanosPerMicro, json);
                return;
            case Form::kIso:
                json += '"';
                append_iso_time(*micros % kMicrosPerDay, json);
                json += "Z\"";
                return;
            case Form::kStructured:
                if (*micros == kMicrosPerDay) {
                    throw ConversionError("24:00:00 is no io.debezium.time.StructuredTime");
                }
                json += '{';
                append_clock_members(*micros, json);
                append_member("precision", precision_, json);
                json += '}';
                return;
        }
    }

 private:
    Form form_;
    int precision_;
};

class ZonedTimeEncoder final : public ValueEncoder {
 public:
    explicit ZonedTimeEncoder(CompatVersion version)
        : keeps_end_of_day_(version != CompatVersion::k36) {}

    void encode(std::string_view text, std::string& json) override {
        const std::optional<ZonedClock> clock = parse_timetz(text);
        if (!clock) {
            fail_conversion("a time with time zone");
        }
        if (clock->micros == kMicrosPerDay && clock->offset_seconds == 0 && keeps_end_of_day_) {
            json += R"("24:00:00Z")";
            return;
        }
        const std::int64_t utc = clock->micros - clock->offset_seconds * kMicrosPerSecond;
        json += '"';
        append_iso_time((utc + kMicrosPerDay) % kMicrosPerDay, json);
        json += "Z\"";
    }

 private:
    bool keeps_end_of_day_;
};

class StructuredZonedTimeEncoder final : public ValueEncoder {
 public:
    explicit StructuredZonedTimeEncoder(int precision) : precision_(precision) {}

    void encode(std::string_view text, std::string& json) override {
        const std::optional<ZonedClock> clock = parse_timetz(text);
        if (!clock) {
            fail_conversion("a time with time zone");
        }
        json += '{';
        append_clock_members(clock->micros, json);
        append_member("offsetSeconds", clock->offset_seconds, json);
        append_member("precision", precision_, json);
        json += '}';
    }

 private:
    int precision_;
};

class TimestampEncoder final : public ValueEncoder {
 public:
    TimestampEncoder(Form form, int precision, CompatVersion version)
        : form_(form), precision_(precision), version_(version) {}

    void encode(std::string_view text, std::string& json) override {
        if (const Infinity infinity = parse_infinity(text); infinity != Infinity::kNone) {
            append_infinity(infinity, json);
            return;
        }
        const std::optional<DayTime> time = parse_timestamp_text(text);
        if (!time) {
            fail_conversion("a timestamp");
        }
        switch (form_) {
            case Form::kMillis:
                append_json_int(
                    time->day * (kMicrosPerDay / kMicrosPerMilli) + time->micros / kMicrosPerMilli,
                    json);
                return;
            case Form::kMicros:
                append_json_int(scaled(*time, 1), json);
                return;
            case Form::kNanos:
                append_json_int(scaled(*time, kNanosPerMicro), json);
                return;
            case Form::kIso:
                append_iso(*time, json);
                return;
            case Form::kStructured:
                json += '{';
                append_date_members(civil_date(time->day), json);
                append_clock_members(time->micros, json);
                append_special_value(Infinity::kNone, json);
                append_member("precision", precision_, json);
                json += '}';
                return;
        }
    }

 private:
    /// Microseconds or nanoseconds since the epoch; as in Java, the day alone has to fit as well.
    static std::int64_t scaled(const DayTime& time, std::int64_t per_micro) {
        std::int64_t day = 0;
        std::int64_t all = 0;
        if (__builtin_mul_overflow(time.day, kMicrosPerDay * per_micro, &day) ||
            __builtin_add_overflow(day, time.micros * per_micro, &all)) {
            throw ConversionError("a timestamp that 64 bits of its unit do not hold");
        }
        return all;
    }

    static void append_iso(const DayTime& time, std::string& json) {
        json += '"';
        append_iso_date(civil_date(time.day), json);
        json += 'T';
        append_iso_time(time.micros, json);
        json += "Z\"";
    }

    void append_infinity(Infinity infinity, std::string& json) const {
        const bool positive = infinity == Infinity::kPositive;
        std::int64_t millis = positive ? kPositiveInfinityMillis : kNegativeInfinityMillis;
        std::int64_t micros = positive ? std::numeric_limits<std::int64_t>::max()
                                       : std::numeric_limits<std::int64_t>::min();
        const std::int64_t nanos = micros;
        if (version_ == CompatVersion::k36) {
            micros = millis;  // taken for microseconds
            millis = micros / kMicrosPerMilli;
        }
        switch (form_) {
            case Form::kMillis:
                append_json_int(millis, json);
                return;
            case Form::kMicros:
                append_json_int(micros, json);
                return;
            case Form::kNanos:
                append_json_int(nanos, json);
                return;
            case Form::kIso: {
                constexpr std::int64_t kMillisPerDay = kMicrosPerDay / kMicrosPerMilli;
                const std::int64_t day =
                    millis / kMillisPerDay - (millis % kMillisPerDay < 0 ? 1 : 0);
                const std::int64_t of_day =
                    (millis % kMillisPerDay + kMillisPerDay) % kMillisPerDay;
                append_iso({.day = day, .micros = of_day * kMicrosPerMilli}, json);
                return;
            }
            case Form::kStructured:
                json += '{';
                append_null_members({"year", "month", "day", "hour", "minute", "second", "nanos"},
                                    json);
                append_special_value(infinity, json);
                append_member("precision", precision_, json);
                json += '}';
                return;
        }
    }

    Form form_;
    int precision_;
    CompatVersion version_;
};

class ZonedTimestampEncoder final : public ValueEncoder {
 public:
    explicit ZonedTimestampEncoder(int precision) : precision_(precision) {}

    void encode(std::string_view text, std::string& json) override {
        if (parse_infinity(text) != Infinity::kNone) {
            append_json_string(text, json);
            return;
        }
        const std::optional<DayTime> time = parse_timestamptz(text);
        if (!time) {
            fail_conversion("a timestamp with time zone");
        }
        json += '"';
        append_iso_date(civil_date(time->day), json);
        json += 'T';
        append_iso_time(time->micros, precision_, json);
        json += "Z\"";
    }

 private:
    int precision_;
};

class StructuredZonedTimestampEncoder final : public ValueEncoder {
 public:
    explicit StructuredZonedTimestampEncoder(int precision) : precision_(precision) {}

    void encode(std::string_view text, std::string& json) override {
        const Infinity infinity = parse_infinity(text);
        if (infinity != Infinity::kNone) {
            json += '{';
            append_null_members({"year", "month", "day", "hour", "minute", "second", "nanos",
                                 "offsetSeconds", "zoneId"},
                                json);
        } else {
            const std::optional<DayTime> time = parse_timestamptz(text);
            if (!time) {
                fail_conversion("a timestamp with time zone");
            }
            json += '{';
            append_date_members(civil_date(time->day), json);
            append_clock_members(time->micros, json);
            json += R"(,"offsetSeconds":0,"zoneId":"Z")";
        }
        append_special_value(infinity, json);
        append_member("precision", precision_, json);
        json += '}';
    }

 private:
    int precision_;
};

ConnectSchema time_schema(Form form, bool connect_types) {
    switch (form) {
        case Form::kMillis:
            return semantic_schema("int32", connect_types ? "org.apache.kafka.connect.data.Time"
                                                          : "io.debezium.time.Time");
        case Form::kMicros:
            return semantic_schema("int64", "io.debezium.time.MicroTime");
        case Form::kNanos:
            return semantic_schema("int64", "io.debezium.time.NanoTime");
        case Form::kIso:
            return semantic_schema("string", "io.debezium.time.IsoTime");
        case Form::kStructured:
            break;
    }
    return struct_schema("io.debezium.time.StructuredTime", "",
                         joined({clock_fields(), {optional_field("precision", "int32")}}));
}

ConnectSchema timestamp_schema(Form form, bool connect_types) {
    switch (form) {
        case Form::kMillis:
            return semantic_schema("int64", connect_types
                                                ? "org.apache.kafka.connect.data.Timestamp"
                                                : "io.debezium.time.Timestamp");
        case Form::kMicros:
            return semantic_schema("int64", "io.debezium.time.MicroTimestamp");
        case Form::kNanos:
            return semantic_schema("int64", "io.debezium.time.NanoTimestamp");
        case Form::kIso:
            return semantic_schema("string", "io.debezium.time.IsoTimestamp");
        case Form::kStructured:
            break;
    }
    return struct_schema(
        "io.debezium.time.StructuredTimestamp", "",
        joined({date_fields(),
                clock_fields(),
                {optional_field("specialValue", "string"), optional_field("precision", "int32")}}));
}

/// The form in a mode that does not say it by the column's precision.
std::optional<Form> form_of_mode(TimePrecision mode) {
    switch (mode) {
        case TimePrecision::kConnect:
            return Form::kMillis;
        case TimePrecision::kIsostring:
            return Form::kIso;
        case TimePrecision::kMicroseconds:
            return Form::kMicros;
        case TimePrecision::kNanoseconds:
            return Form::kNanos;
        case TimePrecision::kStructured:
            return Form::kStructured;
        case TimePrecision::kAdaptive:
        case TimePrecision::kAdaptiveTimeMicroseconds:
            break;
    }
    return std::nullopt;
}

Form form_of_precision(int precision) {
    return precision <= kLastOfMillis ? Form::kMillis : Form::kMicros;
}

/// What stands for a value that is not there, of a type whose schema may be a string.
std::optional<std::string> unavailable(const ConnectSchema& schema, const TypeOptions& options) {
    return schema.type == "string" ? std::optional(unavailable_string(options)) : std::nullopt;
}

ColumnEncoding encoding_of(const TypeUse& use, ConnectSchema schema,
                           std::unique_ptr<ValueEncoder> encoder, std::string_view zero) {
    ColumnEncoding encoding;
    encoding.schema = std::move(schema);
    encoding.encoder = std::move(encoder);
    encoding.encoder->encode(zero, encoding.fallback);
    encoding.unavailable = unavailable(encoding.schema, use.options);
    return encoding;
}

}  // namespace

ColumnEncoding make_date(const TypeUse& use) {
    const TimePrecision mode = use.options.time_precision_mode;
    Form form = Form::kMicros;
    ConnectSchema schema = semantic_schema("int32", mode == TimePrecision::kConnect
                                                        ? "org.apache.kafka.connect.data.Date"
                                                        : "io.debezium.time.Date");
    if (mode == TimePrecision::kIsostring) {
        form = Form::kIso;
        schema = semantic_schema("string", "io.debezium.time.IsoDate");
    } else if (mode == TimePrecision::kStructured) {
        form = Form::kStructured;
        schema = struct_schema("io.debezium.time.StructuredDate", "",
                               joined({date_fields(), {optional_field("specialValue", "string")}}));
    }
    return encoding_of(use, std::move(schema),
                       std::make_unique<DateEncoder>(form, use.options.compat_version),
                       "1970-01-01");
}

ColumnEncoding make_time(const TypeUse& use) {
    const TimePrecision mode = use.options.time_precision_mode;
    const int precision = precision_of(use);
    Form form = mode == TimePrecision::kAdaptive ? form_of_precision(precision) : Form::kMicros;
    form = form_of_mode(mode).value_or(form);
    return encoding_of(use, time_schema(form, mode == TimePrecision::kConnect),
                       std::make_unique<TimeEncoder>(form, precision), "00:00:00");
}

ColumnEncoding make_timetz(const TypeUse& use) {
    if (use.options.time_precision_mode == TimePrecision::kStructured) {
        return encoding_of(use,
                           struct_schema("io.debezium.time.StructuredZonedTime", "",
                                         joined({clock_fields(),
                                                 {optional_field("offsetSeconds", "int32"),
                                                  optional_field("precision", "int32")}})),
                           std::make_unique<StructuredZonedTimeEncoder>(precision_of(use)),
                           "00:00:00+00");
    }
    return encoding_of(use, semantic_schema("string", "io.debezium.time.ZonedTime"),
                       std::make_unique<ZonedTimeEncoder>(use.options.compat_version),
                       "00:00:00+00");
}

ColumnEncoding make_timestamp(const TypeUse& use) {
    const TimePrecision mode = use.options.time_precision_mode;
    const int precision = precision_of(use);
    const Form form = form_of_mode(mode).value_or(form_of_precision(precision));
    return encoding_of(
        use, timestamp_schema(form, mode == TimePrecision::kConnect),
        std::make_unique<TimestampEncoder>(form, precision, use.options.compat_version),
        "1970-01-01 00:00:00");
}

ColumnEncoding make_timestamptz(const TypeUse& use) {
    const int precision = precision_of(use);
    if (use.options.time_precision_mode == TimePrecision::kStructured) {
        ColumnEncoding encoding = encoding_of(
            use,
            struct_schema("io.debezium.time.StructuredZonedTimestamp", "",
                          joined({date_fields(),
                                  clock_fields(),
                                  {optional_field("offsetSeconds", "int32"),
                                   optional_field("zoneId", "string"),
                                   optional_field("specialValue", "string"),
                                   optional_field("precision", "int32")}})),
            std::make_unique<StructuredZonedTimestampEncoder>(precision), "1970-01-01 00:00:00+00");
        // This one value has no zone.
        constexpr std::string_view kZone = R"("zoneId":"Z")";
        encoding.fallback.replace(encoding.fallback.find(kZone), kZone.size(), R"("zoneId":null)");
        return encoding;
    }
    // Without the decimals that a value has.
    ColumnEncoding encoding =
        encoding_of(use, semantic_schema("string", "io.debezium.time.ZonedTimestamp"),
                    std::make_unique<ZonedTimestampEncoder>(precision), "1970-01-01 00:00:00+00");
    encoding.fallback = R"("1970-01-01T00:00:00Z")";
    return encoding;
}

}  // namespace holdfast::relay::debezium
