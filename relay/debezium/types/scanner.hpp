// Takes pieces from the front of a value's text, never past its end, and remembers the first thing
// that did not fit: the caller asks once, with done() or ok().
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace holdfast::relay::debezium {

class Scanner {
 public:
    explicit Scanner(std::string_view text) : text_(text) {}

    /// Between `min` and `max` digits (at most 18).
    std::int64_t digits(std::size_t min, std::size_t max) {
        std::int64_t value = 0;
        taken_ = 0;
        while (taken_ < max && taken_ < text_.size() && is_digit(text_[taken_])) {
            value = value * 10 + (text_[taken_] - '0');
            ++taken_;
        }
        text_.remove_prefix(taken_);
        ok_ = ok_ && taken_ >= min;
        return value;
    }
    /// How many the last digits() took.
    [[nodiscard]] std::size_t taken() const { return taken_; }

    /// A number as float8out and float4out print it: "1e+20", "NaN", "-Infinity".
    template <typename Number>
    Number floating() {
        Number value = 0;
        const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
        ok_ = ok_ && error == std::errc();
        if (ok_) {
            text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
        }
        return value;
    }

    void expect(char c) { ok_ = take(c) && ok_; }
    void expect(std::string_view word) { ok_ = take(word) && ok_; }
    bool take(char c) {
        if (text_.empty() || text_.front() != c) {
            return false;
        }
        text_.remove_prefix(1);
        return true;
    }
    bool take(std::string_view word) {
        if (!text_.starts_with(word)) {
            return false;
        }
        text_.remove_prefix(word.size());
        return true;
    }
    /// A demand of the caller's own.
    void require(bool holds) { ok_ = ok_ && holds; }

    [[nodiscard]] std::string_view rest() const { return text_; }
    [[nodiscard]] bool ok() const { return ok_; }
    /// Everything fitted and nothing is left.
    [[nodiscard]] bool done() const { return ok_ && text_.empty(); }

 private:
    static bool is_digit(char c) { return c >= '0' && c <= '9'; }

    std::string_view text_;
    std::size_t taken_ = 0;
    bool ok_ = true;
};

}  // namespace holdfast::relay::debezium
