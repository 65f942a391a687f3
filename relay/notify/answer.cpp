#include "notify/answer.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <string>

namespace holdfast::relay::notify {
namespace {

constexpr std::int64_t kLongestWaitSeconds = 3'600;

}  // namespace

Verdict judge(int status) {
    if (status >= 200 && status < 300) {
        return Verdict::kAnswered;
    }
    const bool refused = status >= 400 && status < 500;
    const bool passing = status == 408 || status == 425 || status == 429;
    return refused && !passing ? Verdict::kRefused : Verdict::kRetry;
}

std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view text,
                                                           std::chrono::microseconds now) {
    const auto bounded = [](std::int64_t seconds) {
        return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kLongestWaitSeconds));
    };
    std::int64_t seconds = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (end == text.data() + text.size() && !text.empty() && !text.starts_with('-')) {
        return bounded(fault == std::errc{} ? seconds : kLongestWaitSeconds);
    }
    std::tm date{};
    const std::string terminated(text);
    const char* rest = ::strptime(terminated.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
    if (rest == nullptr || *rest != '\0') {
        return std::nullopt;
    }
    return bounded(::timegm(&date) - std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

}  // namespace holdfast::relay::notify
