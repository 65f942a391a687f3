#include "base/lsn.hpp"

#include <array>
#include <charconv>

namespace holdfast::relay {

namespace {

constexpr std::size_t kMaxDigits = 8;
constexpr int kHalfBits = 32;

std::optional<std::uint32_t> parse_half(std::string_view text) {
    if (text.empty() || text.size() > kMaxDigits) {
        return std::nullopt;
    }
    std::uint32_t half = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, half, 16);
    if (error != std::errc{} || stop != end) {
        return std::nullopt;
    }
    return half;
}

}  // namespace

std::optional<Lsn> Lsn::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto high = parse_half(text.substr(0, slash));
    const auto low = parse_half(text.substr(slash + 1));
    if (!high || !low) {
        return std::nullopt;
    }
    return Lsn{(std::uint64_t{*high} << kHalfBits) | *low};
}

std::string Lsn::to_string() const {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::array<char, (2 * kMaxDigits) + 1> text{};
    std::size_t length = 0;
    const auto put_half = [&](std::uint32_t half) {
        int shift = kHalfBits - 4;
        while (shift > 0 && (half >> shift) == 0) {
            shift -= 4;
        }
        for (; shift >= 0; shift -= 4) {
            text[length++] = kDigits[(half >> shift) & 0xFU];
        }
    };
    put_half(static_cast<std::uint32_t>(value >> kHalfBits));
    text[length++] = '/';
    put_half(static_cast<std::uint32_t>(value));
    return {text.data(), length};
}

}  // namespace holdfast::relay
