// Points in time as events show them.
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::core {

// Microseconds since 1970-01-01 00:00 UTC.
struct Instant {
    std::int64_t unix_micros;
};

// RFC 3339 in UTC with microseconds, for example 2026-03-01T09:30:00.000123Z, without allocation.
class Rfc3339 {
 public:
    // Precondition: the year is between 1 and 9999.
    explicit Rfc3339(Instant instant) noexcept;
    std::string_view view() const noexcept { return {text_, sizeof text_}; }

 private:
    char text_[27];
};

}  // namespace holdfast::core
