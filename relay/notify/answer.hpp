// What the answer of an endpoint means for the message that was sent.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace holdfast::relay::notify {

enum class Verdict {
    kAnswered,  ///< 2xx: delivered
    kRefused,   ///< the endpoint does not want this message, now or later: a dead letter
    kRetry,     ///< nothing is said about the message: again, later
};

/// `status` 0 = there was no answer.  Retried are 408, 425, 429 and 5xx; a redirect too, which is
/// the binding's fault and not the message's.  Any other 4xx refuses the message.
[[nodiscard]] Verdict judge(int status);

/// Retry-After (RFC 9110, 10.2.3), seconds or a date, as a wait from `now` (since 1970) on; 0 for a
/// date that has passed.  nullopt for anything else.  At most an hour.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_retry_after(
    std::string_view text, std::chrono::microseconds now);

}  // namespace holdfast::relay::notify
