// A decimal number in text, of any length, and its two forms in a message: the unscaled value as
// base64 of a big-endian two's complement without spare bytes (java.math.BigInteger.toByteArray),
// and BigDecimal.toString.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::relay::debezium {

/// Views of the text it was read from.
struct DecimalText {
    bool negative = false;
    std::string_view whole;  ///< without leading zeros; "" = 0
    std::string_view fraction;

    /// Without the zeros at the end.
    [[nodiscard]] std::string_view significant_fraction() const;
    [[nodiscard]] bool is_zero() const;
};

/// "-12.340"; nullopt for anything else, "NaN" and an exponent included.
[[nodiscard]] std::optional<DecimalText> parse_decimal(std::string_view text);

/// Writes unscaled values; keeps its buffers.
class UnscaledWriter {
 public:
    /// Appends value x 10^scale; false, and nothing is appended, if that is no integer.
    [[nodiscard]] bool append_base64(const DecimalText& value, std::int32_t scale,
                                     std::string& json);
    /// Appends the number with that scale as BigDecimal.toString has it: 12.30, 0E-10, 1.23E+4.
    [[nodiscard]] bool append_number(const DecimalText& value, std::int32_t scale,
                                     std::string& json);
    /// Appends the number with that scale in plain notation, as BigDecimal.toPlainString has it.
    [[nodiscard]] bool append_plain(const DecimalText& value, std::int32_t scale,
                                    std::string& json);

 private:
    /// The digits of value x 10^scale in digits_, without leading zeros.
    [[nodiscard]] bool collect_digits(const DecimalText& value, std::int32_t scale);
    void append_small(bool negative, std::string& json);
    void append_large(bool negative, std::string& json);

    std::string digits_;
    std::string bytes_;
    std::vector<std::uint32_t> limbs_;
};

}  // namespace holdfast::relay::debezium
