// librdkafka's log lines and passing errors in our log.  A client that reaches no broker says so
// twenty times a second; here a line comes once in half a minute, with the number of its
// repetitions.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.hpp"

namespace holdfast::relay::kafka {

/// Decides which lines are repetitions.  Lines that differ in digits only (ports, durations,
/// counts) are the same.  Thread-safe.
class LineLimiter {
 public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// nullopt = leave it out; else log it, and so many like it were left out before.
    std::optional<std::uint64_t> admit(std::string_view line, TimePoint now);

 private:
    struct Seen {
        TimePoint logged;
        std::uint64_t left_out = 0;
    };
    std::mutex mutex_;
    std::map<std::string, Seen, std::less<>> seen_;
};

/// Logs `text` as `event` with the field `source` (a facility or an error code) unless it is a
/// repetition.  Any thread.
void log_client_line(log::Level level, std::string_view event, std::string_view source,
                     std::string_view text) noexcept;

}  // namespace holdfast::relay::kafka
