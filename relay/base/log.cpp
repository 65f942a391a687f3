#include "base/log.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <ctime>

namespace holdfast::relay::log {

namespace {

std::atomic<Level> current_level{Level::kInfo};
std::atomic<int> output_fd{2};

/// A line being built in place.  What does not fit is left out and remembered.
class Line {
 public:
    void put(char c) noexcept {
        if (length_ < kLimit) {
            text_[length_++] = c;
        } else {
            truncated_ = true;
        }
    }

    void put(std::string_view text) noexcept {
        for (const char c : text) {
            put(c);
        }
    }

    template <typename Number>
    void put_number(Number number) noexcept {
        std::array<char, 32> digits{};
        const auto [end, error] =
            std::to_chars(digits.data(), digits.data() + digits.size(), number);
        put(error == std::errc{}
                ? std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()))
                : std::string_view("?"));
    }

    void put_padded(unsigned number, unsigned width) noexcept {
        std::array<char, 10> digits{};
        for (unsigned i = width; i > 0; --i) {
            digits[i - 1] = static_cast<char>('0' + (number % 10));
            number /= 10;
        }
        put(std::string_view(digits.data(), width));
    }

    void put_hex(std::uint64_t number) noexcept {
        std::array<char, 16> digits{};
        const auto [end, error] =
            std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
        for (const char* c = digits.data(); error == std::errc{} && c != end; ++c) {
            put(*c >= 'a' ? static_cast<char>(*c - 'a' + 'A') : *c);
        }
    }

    /// Quotes when a reader could not tell where the value ends.  Control characters are escaped,
    /// so a value can neither start a new line nor drive a terminal.
    void put_text(std::string_view text) noexcept {
        if (!needs_quotes(text)) {
            put(text);
            return;
        }
        constexpr std::string_view kHex = "0123456789abcdef";
        put('"');
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\') {
                put('\\');
                put(c);
            } else if (c == '\n') {
                put("\\n");
            } else if (c == '\t') {
                put("\\t");
            } else if (byte < 0x20 || byte == 0x7F) {
                put("\\x");
                put(kHex[byte >> 4U]);
                put(kHex[byte & 0xFU]);
            } else {
                put(c);
            }
        }
        put('"');
    }

    std::string_view finish() noexcept {
        constexpr std::string_view kMark = " truncated=true";
        if (truncated_) {
            for (const char c : kMark) {
                text_[length_++] = c;
            }
        }
        text_[length_++] = '\n';
        return {text_.data(), length_};
    }

 private:
    static bool needs_quotes(std::string_view text) noexcept {
        if (text.empty()) {
            return true;
        }
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            if (byte <= 0x20 || byte == 0x7F || c == '"' || c == '=' || c == '\\') {
                return true;
            }
        }
        return false;
    }

    static constexpr std::size_t kSize = 4096;
    static constexpr std::size_t kLimit = kSize - 16;
    std::array<char, kSize> text_;  // NOLINT(*-member-init): only what was put is ever read
    std::size_t length_ = 0;
    bool truncated_ = false;
};

struct PutValue {
    Line& line;

    void operator()(std::string_view text) const noexcept { line.put_text(text); }
    void operator()(bool value) const noexcept { line.put(value ? "true" : "false"); }
    void operator()(double value) const noexcept { line.put_number(value); }
    void operator()(std::int64_t value) const noexcept { line.put_number(value); }
    void operator()(std::uint64_t value) const noexcept { line.put_number(value); }
    void operator()(Lsn value) const noexcept {
        line.put_hex(value.value >> 32U);
        line.put('/');
        line.put_hex(value.value & 0xFFFFFFFFU);
    }
};

void put_time(Line& line, std::chrono::microseconds since_epoch) noexcept {
    constexpr std::int64_t kPerSecond = 1'000'000;
    const auto seconds = static_cast<std::time_t>(since_epoch.count() / kPerSecond);
    const auto millis = static_cast<unsigned>((since_epoch.count() % kPerSecond) / 1000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    line.put_padded(static_cast<unsigned>(parts.tm_year + 1900), 4);
    line.put('-');
    line.put_padded(static_cast<unsigned>(parts.tm_mon + 1), 2);
    line.put('-');
    line.put_padded(static_cast<unsigned>(parts.tm_mday), 2);
    line.put('T');
    line.put_padded(static_cast<unsigned>(parts.tm_hour), 2);
    line.put(':');
    line.put_padded(static_cast<unsigned>(parts.tm_min), 2);
    line.put(':');
    line.put_padded(static_cast<unsigned>(parts.tm_sec), 2);
    line.put('.');
    line.put_padded(millis, 3);
    line.put('Z');
}

void build(Line& line, std::chrono::microseconds since_epoch, Level level, std::string_view event,
           Fields fields) noexcept {
    line.put("ts=");
    put_time(line, since_epoch);
    line.put(" level=");
    line.put(level_name(level));
    line.put(" event=");
    line.put_text(event);
    for (const Field& field : fields) {
        line.put(' ');
        line.put(field.key);
        line.put('=');
        std::visit(PutValue{line}, field.value.storage());
    }
}

}  // namespace

std::optional<Level> parse_level(std::string_view text) {
    for (const Level level : {Level::kError, Level::kWarn, Level::kInfo, Level::kDebug}) {
        if (text == level_name(level)) {
            return level;
        }
    }
    return std::nullopt;
}

std::string_view level_name(Level level) {
    switch (level) {
        case Level::kError:
            return "error";
        case Level::kWarn:
            return "warn";
        case Level::kInfo:
            return "info";
        case Level::kDebug:
            return "debug";
    }
    return "unknown";
}

void set_level(Level level) noexcept {
    current_level.store(level, std::memory_order_relaxed);
}

Level level() noexcept {
    return current_level.load(std::memory_order_relaxed);
}

void set_output(int fd) noexcept {
    output_fd.store(fd, std::memory_order_relaxed);
}

void write(Level level, std::string_view event, Fields fields) noexcept {
    if (level > current_level.load(std::memory_order_relaxed)) {
        return;
    }
    const int saved = errno;
    Line line;
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    build(line, now, level, event, fields);
    const std::string_view text = line.finish();
    // A log that cannot be written is no reason to stop relaying.
    [[maybe_unused]] const auto written =
        ::write(output_fd.load(std::memory_order_relaxed), text.data(), text.size());
    errno = saved;
}

std::string format(std::chrono::microseconds since_epoch, Level level, std::string_view event,
                   Fields fields) {
    Line line;
    build(line, since_epoch, level, event, fields);
    return std::string(line.finish());
}

}  // namespace holdfast::relay::log
