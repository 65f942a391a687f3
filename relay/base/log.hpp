// One logfmt line per event on stderr:
//
//   ts=2026-11-21T04:05:06.789Z level=warn event=kafka_retry topic=orders attempt=3 backoff_ms=400
//
// Event names and field names are stable and documented in docs/operations.md.  Never log row
// content or secrets.  Each line is built on the stack and written with one write(2), so lines of
// several threads do not mix.  Nothing here throws or allocates; a line longer than 4096 bytes is
// cut and ends with " truncated=true".
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/lsn.hpp"

namespace holdfast::relay::log {

enum class Level { kError, kWarn, kInfo, kDebug };

/// "error", "warn", "info", "debug"; anything else gives nullopt.
[[nodiscard]] std::optional<Level> parse_level(std::string_view text);
[[nodiscard]] std::string_view level_name(Level level);

/// Lines below `level` are dropped.  Any thread, any time.  The start value is kInfo.
void set_level(Level level) noexcept;
[[nodiscard]] Level level() noexcept;

/// Where lines go; the start value is 2 (stderr).  The descriptor is borrowed.
void set_output(int fd) noexcept;

/// Views its text: use it within one expression.
class Value {
 public:
    Value(std::string_view text) : value_(text) {}  // NOLINT(google-explicit-constructor)
    Value(const char* text) : value_(std::string_view(text)) {}         // NOLINT
    Value(const std::string& text) : value_(std::string_view(text)) {}  // NOLINT
    Value(bool value) : value_(value) {}    // NOLINT(google-explicit-constructor)
    Value(double value) : value_(value) {}  // NOLINT(google-explicit-constructor)
    Value(Lsn value) : value_(value) {}     // NOLINT(google-explicit-constructor)
    template <std::signed_integral T>
    Value(T value) : value_(static_cast<std::int64_t>(value)) {}  // NOLINT
    template <std::unsigned_integral T>
    Value(T value) : value_(static_cast<std::uint64_t>(value)) {}  // NOLINT

    using Storage = std::variant<std::string_view, bool, double, Lsn, std::int64_t, std::uint64_t>;
    [[nodiscard]] const Storage& storage() const noexcept { return value_; }

 private:
    Storage value_;
};

struct Field {
    std::string_view key;  ///< snake_case, unit last: "backoff_ms"
    Value value;
};
using Fields = std::initializer_list<Field>;

void write(Level level, std::string_view event, Fields fields) noexcept;

inline void error(std::string_view event, Fields fields = {}) noexcept {
    write(Level::kError, event, fields);
}
inline void warn(std::string_view event, Fields fields = {}) noexcept {
    write(Level::kWarn, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) noexcept {
    write(Level::kInfo, event, fields);
}
inline void debug(std::string_view event, Fields fields = {}) noexcept {
    write(Level::kDebug, event, fields);
}

/// The line with its newline, as write() makes it at that moment.  For tests.
[[nodiscard]] std::string format(std::chrono::microseconds since_epoch, Level level,
                                 std::string_view event, Fields fields);

}  // namespace holdfast::relay::log
