#include "debezium/types/decimal_text.hpp"

#include <algorithm>
#include <array>

#include "debezium/json_text.hpp"

namespace holdfast::relay::debezium {
namespace {

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

/// What fits 127 bits for certain.
constexpr std::size_t kSmallDigits = 38;
/// Digits of a number below 2^64 for certain.
constexpr std::size_t kWordDigits = 18;

std::uint64_t to_word(std::string_view digits) {
    std::uint64_t value = 0;
    for (const char c : digits) {
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

std::size_t count_digits(std::string_view text) {
    return static_cast<std::size_t>(
        std::find_if(text.begin(), text.end(), [](char c) { return c < '0' || c > '9'; }) -
        text.begin());
}

}  // namespace

std::string_view DecimalText::significant_fraction() const {
    return fraction.substr(0, fraction.find_last_not_of('0') + 1);
}

bool DecimalText::is_zero() const {
    return whole.empty() && significant_fraction().empty();
}

std::optional<DecimalText> parse_decimal(std::string_view text) {
    DecimalText value;
    if (text.starts_with('-')) {
        value.negative = true;
        text.remove_prefix(1);
    }
    const std::size_t whole = count_digits(text);
    value.whole = text.substr(0, whole);
    text.remove_prefix(whole);
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        value.fraction = text.substr(0, count_digits(text));
        text.remove_prefix(value.fraction.size());
    }
    if (!text.empty() || whole + value.fraction.size() == 0) {
        return std::nullopt;
    }
    value.whole.remove_prefix(std::min(value.whole.find_first_not_of('0'), whole));
    return value;
}

bool UnscaledWriter::collect_digits(const DecimalText& value, std::int32_t scale) {
    digits_.assign(value.whole);
    if (scale >= 0) {
        const auto wanted = static_cast<std::size_t>(scale);
        if (value.significant_fraction().size() > wanted) {
            return false;
        }
        digits_ += value.fraction.substr(0, wanted);
        digits_.append(wanted - std::min(wanted, value.fraction.size()), '0');
    } else {
        const auto dropped = std::min(static_cast<std::size_t>(-scale), digits_.size());
        const std::size_t kept = digits_.size() - dropped;
        if (!value.significant_fraction().empty() ||
            digits_.find_first_not_of('0', kept) != std::string::npos) {
            return false;
        }
        digits_.resize(kept);
    }
    digits_.erase(0, std::min(digits_.find_first_not_of('0'), digits_.size()));
    return true;
}

void UnscaledWriter::append_small(bool negative, std::string& json) {
    const std::string_view digits = digits_;
    const std::size_t head = digits.size() > kWordDigits ? digits.size() - kWordDigits : 0;
    constexpr std::uint64_t kWordFactor = 1'000'000'000'000'000'000U;
    UInt128 magnitude = to_word(digits.substr(head));
    if (head > kWordDigits) {
        magnitude += to_word(digits.substr(head - kWordDigits, kWordDigits)) *
                     static_cast<UInt128>(kWordFactor);
        magnitude += to_word(digits.substr(0, head - kWordDigits)) *
                     static_cast<UInt128>(kWordFactor) * kWordFactor;
    } else if (head > 0) {
        magnitude += to_word(digits.substr(0, head)) * static_cast<UInt128>(kWordFactor);
    }
    const UInt128 value = negative ? ~magnitude + 1 : magnitude;
    std::array<char, sizeof(UInt128)> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] =
            static_cast<char>(static_cast<unsigned char>(value >> (8U * (bytes.size() - 1 - i))));
    }
    // A first byte that only repeats the next one's sign is spare.
    const char spare = negative ? '\xFF' : '\0';
    std::size_t first = 0;
    while (first + 1 < bytes.size() && bytes[first] == spare &&
           (static_cast<unsigned char>(bytes[first + 1]) >> 7U != 0) == negative) {
        ++first;
    }
    debezium::append_base64({bytes.data() + first, bytes.size() - first}, json);
}

void UnscaledWriter::append_large(bool negative, std::string& json) {
    // Nine digits at a time into a number to base 2^32, least first.
    limbs_.clear();
    constexpr std::size_t kStep = 9;
    const std::string_view digits = digits_;
    for (std::size_t at = 0; at < digits.size();) {
        const std::size_t step = at == 0 ? (digits.size() - 1) % kStep + 1 : kStep;
        std::uint64_t factor = 1;
        for (std::size_t i = 0; i < step; ++i) {
            factor *= 10;
        }
        std::uint64_t carry = to_word(digits.substr(at, step));
        for (std::uint32_t& limb : limbs_) {
            carry += limb * factor;
            limb = static_cast<std::uint32_t>(carry);
            carry >>= 32U;
        }
        if (carry != 0) {
            limbs_.push_back(static_cast<std::uint32_t>(carry));
        }
        at += step;
    }
    bytes_.clear();
    bytes_ += '\0';
    for (std::size_t i = limbs_.size(); i-- > 0;) {
        for (unsigned shift = 32; shift > 0; shift -= 8) {
            bytes_ += static_cast<char>(static_cast<unsigned char>(limbs_[i] >> (shift - 8)));
        }
    }
    if (negative) {
        bool carry = true;
        for (std::size_t i = bytes_.size(); i-- > 0;) {
            const auto inverted =
                static_cast<unsigned char>(~static_cast<unsigned char>(bytes_[i]));
            bytes_[i] = static_cast<char>(static_cast<unsigned char>(inverted + (carry ? 1 : 0)));
            carry = carry && inverted == 0xFF;
        }
    }
    const char spare = negative ? '\xFF' : '\0';
    std::size_t first = 0;
    while (first + 1 < bytes_.size() && bytes_[first] == spare &&
           (static_cast<unsigned char>(bytes_[first + 1]) >> 7U != 0) == negative) {
        ++first;
    }
    debezium::append_base64(std::string_view(bytes_).substr(first), json);
}

bool UnscaledWriter::append_base64(const DecimalText& value, std::int32_t scale,
                                   std::string& json) {
    if (!collect_digits(value, scale)) {
        return false;
    }
    json += '"';
    if (digits_.size() <= kSmallDigits) {
        append_small(value.negative && !digits_.empty(), json);
    } else {
        append_large(value.negative, json);
    }
    json += '"';
    return true;
}

bool UnscaledWriter::append_plain(const DecimalText& value, std::int32_t scale, std::string& json) {
    if (!collect_digits(value, scale)) {
        return false;
    }
    if (value.negative && !digits_.empty()) {
        json += '-';
    }
    if (digits_.empty()) {
        digits_ += '0';
    } else if (scale < 0) {
        digits_.append(static_cast<std::size_t>(-scale), '0');
    }
    if (scale <= 0) {
        json += digits_;
        return true;
    }
    const auto decimals = static_cast<std::size_t>(scale);
    if (digits_.size() <= decimals) {
        json += "0.";
        json.append(decimals - digits_.size(), '0');
        json += digits_;
        return true;
    }
    json.append(digits_, 0, digits_.size() - decimals);
    json += '.';
    json.append(digits_, digits_.size() - decimals);
    return true;
}

bool UnscaledWriter::append_number(const DecimalText& value, std::int32_t scale,
                                   std::string& json) {
    if (!collect_digits(value, scale)) {
        return false;
    }
    constexpr std::int64_t kLastPlain = -6;
    const auto length = static_cast<std::int64_t>(std::max<std::size_t>(digits_.size(), 1));
    const std::int64_t exponent = length - 1 - scale;
    if (scale >= 0 && exponent >= kLastPlain) {
        return append_plain(value, scale, json);
    }
    if (value.negative && !digits_.empty()) {
        json += '-';
    }
    json += digits_.empty() ? '0' : digits_.front();
    if (digits_.size() > 1) {
        json += '.';
        json.append(digits_, 1);
    }
    if (exponent != 0) {
        json += exponent > 0 ? "E+" : "E";
        append_json_int(exponent, json);
    }
    return true;
}

}  // namespace holdfast::relay::debezium
