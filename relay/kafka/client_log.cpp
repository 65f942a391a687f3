#include "kafka/client_log.hpp"

#include <exception>
#include <utility>

namespace holdfast::relay::kafka {
namespace {

constexpr std::chrono::seconds kInterval{30};
/// Different lines that are remembered at most; beyond it everything is forgotten and begins anew.
constexpr std::size_t kRemembered = 200;

}  // namespace

std::optional<std::uint64_t> LineLimiter::admit(std::string_view line, TimePoint now) {
    std::string pattern;
    pattern.reserve(line.size());
    for (const char c : line) {
        if (c < '0' || c > '9') {
            pattern += c;
        }
    }
    const std::lock_guard lock(mutex_);
    if (seen_.size() >= kRemembered) {
        seen_.clear();
    }
    const auto [entry, is_new] = seen_.try_emplace(std::move(pattern), Seen{now, 0});
    Seen& seen = entry->second;
    if (is_new) {
        return 0;
    }
    if (now - seen.logged < kInterval) {
        ++seen.left_out;
        return std::nullopt;
    }
    seen.logged = now;
    return std::exchange(seen.left_out, 0);
}

void log_client_line(log::Level level, std::string_view event, std::string_view source,
                     std::string_view text) noexcept {
    static LineLimiter limiter;
    if (level > log::level()) {
        return;
    }
    try {
        std::string line(event);
        line.append(" ").append(source).append(" ").append(text);
        const auto left_out = limiter.admit(line, std::chrono::steady_clock::now());
        if (!left_out) {
            return;
        }
        if (*left_out > 0) {
            log::write(level, event,
                       {{"source", source}, {"message", text}, {"repeated", *left_out}});
            return;
        }
    } catch (const std::exception&) {
        // Out of memory: the line itself needs none.
    }
    log::write(level, event, {{"source", source}, {"message", text}});
}

}  // namespace holdfast::relay::kafka
