#include "debezium/types/decimals.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <system_error>

#include "debezium/json_text.hpp"
#include "debezium/types/decimal_text.hpp"

namespace holdfast::relay::debezium {
namespace {

/// numeric(p,s): p in the upper 16 bits of the modifier, s in the lower 11, signed since
/// PostgreSQL 15; 4 is added to both together.
struct NumericModifier {
    std::int32_t precision = 0;
    std::int32_t scale = 0;

    explicit NumericModifier(std::int32_t modifier) {
        constexpr std::int32_t kHeader = 4;
        constexpr std::uint32_t kSign = 0x400;
        const auto bits = static_cast<std::uint32_t>(modifier - kHeader);
        precision = static_cast<std::int32_t>((bits >> 16U) & 0xFFFFU);
        scale =
            static_cast<std::int32_t>((bits & 0x7FFU) ^ kSign) - static_cast<std::int32_t>(kSign);
    }
};

ConnectSchema decimal_schema(std::int32_t scale) {
    ConnectSchema schema = semantic_schema("bytes", "org.apache.kafka.connect.data.Decimal");
    schema.parameters.emplace_back("scale", std::to_string(scale));
    return schema;
}

DecimalText parse_or_fail(std::string_view text) {
    const std::optional<DecimalText> value = parse_decimal(text);
    if (!value) {
        fail_conversion("a decimal number");
    }
    return *value;
}

/// Appends a decimal as the double next to it; one that is too large is infinite, as in Java.
void append_as_double(std::string_view text, const DecimalText& value, std::string& json) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc::result_out_of_range) {
        number = value.whole.empty() ? 0 : std::numeric_limits<double>::infinity();
        number = value.negative ? -number : number;
    } else if (error != std::errc()) {
        fail_conversion("a decimal number");
    }
    append_json_double(value.is_zero() ? 0 : number, json);
}

class DecimalEncoder final : public ValueEncoder {
 public:
    DecimalEncoder(std::int32_t scale, bool as_number) : scale_(scale), as_number_(as_number) {}

    void encode(std::string_view text, std::string& json) override {
        const DecimalText value = parse_or_fail(text);
        if (!(as_number_ ? writer_.append_number(value, scale_, json)
                         : writer_.append_base64(value, scale_, json))) {
            fail_conversion("a decimal number of its scale");
        }
    }

 private:
    std::int32_t scale_;
    bool as_number_;
    UnscaledWriter writer_;
};

class VariableScaleDecimalEncoder final : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) override {
        const DecimalText value = parse_or_fail(text);
        const auto scale = static_cast<std::int32_t>(value.significant_fraction().size());
        json += R"({"scale":)";
        append_json_int(scale, json);
        json += R"(,"value":)";
        static_cast<void>(writer_.append_base64(value, scale, json));
        json += '}';
    }

 private:
    UnscaledWriter writer_;
};

class DoubleDecimalEncoder final : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) override {
        if (text == "NaN" || text == "Infinity" || text == "-Infinity") {
            append_json_string(text, json);
            return;
        }
        append_as_double(text, parse_or_fail(text), json);
    }
};

class StringDecimalEncoder final : public ValueEncoder {
 public:
    /// Without a scale each value keeps its own.
    explicit StringDecimalEncoder(std::optional<std::int32_t> scale) : scale_(scale) {}

    void encode(std::string_view text, std::string& json) override {
        if (text == "NaN") {
            json += R"("NAN")";
        } else if (text == "Infinity") {
            json += R"("POSITIVE_INFINITY")";
        } else if (text == "-Infinity") {
            json += R"("NEGATIVE_INFINITY")";
        } else {
            const DecimalText value = parse_or_fail(text);
            Rollback rollback(json);
            json += '"';
            if (!writer_.append_plain(
                    value, scale_.value_or(static_cast<std::int32_t>(value.fraction.size())),
                    json)) {
                fail_conversion("a decimal number of its scale");
            }
            json += '"';
            rollback.keep();
        }
    }

 private:
    std::optional<std::int32_t> scale_;
    UnscaledWriter writer_;
};

/// The number in an amount of money: one currency sign, commas and parentheses for negative ones
/// are left out.
class Amount {
 public:
    explicit Amount(std::string_view text) {
        bool negative = false;
        if (text.starts_with('(') && text.ends_with(')')) {
            negative = true;
            text = text.substr(1, text.size() - 2);
        } else if (text.starts_with('-')) {
            negative = true;
            text.remove_prefix(1);
        }
        if (negative) {
            put('-');
        }
        skip_sign(text);
        for (const char c : text) {
            if (c != ',') {
                put(c);
            }
        }
    }

    [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }

    /// Rounds halves away from zero.
    void round(std::size_t decimals) {
        const std::size_t point = text().find('.');
        if (point == std::string_view::npos || size_ - point - 1 <= decimals) {
            return;
        }
        const bool up = text_[point + 1 + decimals] >= '5';
        size_ = point + (decimals == 0 ? 0 : 1 + decimals);
        for (std::size_t i = size_; up && i-- > 0;) {
            if (text_[i] == '.') {
                continue;
            }
            if (text_[i] == '-') {
                insert_one(1);
                return;
            }
            if (text_[i] != '9') {
                ++text_[i];
                return;
            }
            text_[i] = '0';
            if (i == 0) {
                insert_one(0);
                return;
            }
        }
    }

 private:
    /// Drops a first character that is neither a digit nor a point.
    static void skip_sign(std::string_view& text) {
        if (text.empty() || text.front() == '.' || (text.front() >= '0' && text.front() <= '9')) {
            return;
        }
        text.remove_prefix(1);
        while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xC0U) == 0x80U) {
            text.remove_prefix(1);
        }
    }

    void put(char c) {
        // Nineteen digits, a point and a sign, and one digit more from rounding.
        if (size_ + 2 > text_.size()) {
            fail_conversion("an amount of money");
        }
        text_[size_++] = c;
    }
    void insert_one(std::size_t at) {
        std::copy_backward(text_.begin() + static_cast<std::ptrdiff_t>(at),
                           text_.begin() + static_cast<std::ptrdiff_t>(size_),
                           text_.begin() + static_cast<std::ptrdiff_t>(size_) + 1);
        text_[at] = '1';
        ++size_;
    }

    std::array<char, 48> text_{};
    std::size_t size_ = 0;
};

class MoneyEncoder final : public ValueEncoder {
 public:
    explicit MoneyEncoder(const TypeOptions& options)
        : mode_(options.decimal_handling_mode),
          fraction_digits_(options.money_fraction_digits),
          as_number_(options.decimal_format_numeric) {}

    void encode(std::string_view text, std::string& json) override {
        Amount amount(text);
        const std::optional<DecimalText> value = parse_decimal(amount.text());
        if (!value) {
            fail_conversion("an amount of money (lc_monetary has to print 1,234.56)");
        }
        switch (mode_) {
            case DecimalHandling::kPrecise:
                append_precise(amount, json);
                return;
            case DecimalHandling::kDouble:
                append_as_double(amount.text(), *value, json);
                return;
            case DecimalHandling::kString:
                json += '"';
                static_cast<void>(writer_.append_plain(
                    *value, static_cast<std::int32_t>(value->fraction.size()), json));
                json += '"';
                return;
        }
        fail_conversion("an amount of money");
    }

 private:
    void append_precise(Amount& amount, std::string& json) {
        amount.round(static_cast<std::size_t>(fraction_digits_));
        const DecimalText rounded = parse_or_fail(amount.text());
        if (!(as_number_ ? writer_.append_number(rounded, fraction_digits_, json)
                         : writer_.append_base64(rounded, fraction_digits_, json))) {
            fail_conversion("an amount of money");
        }
    }

    DecimalHandling mode_;
    std::int32_t fraction_digits_;
    bool as_number_;
    UnscaledWriter writer_;
};

/// 0 with a scale, in the mode.
std::string zero(ValueEncoder& encoder) {
    std::string json;
    encoder.encode("0", json);
    return json;
}

}  // namespace

ColumnEncoding make_numeric(const TypeUse& use) {
    ColumnEncoding encoding;
    std::optional<std::int32_t> scale;
    if (use.modifier >= 0) {
        scale = NumericModifier(use.modifier).scale;
    }
    switch (use.options.decimal_handling_mode) {
        case DecimalHandling::kDouble:
            encoding.schema = scalar_schema("double");
            encoding.encoder = std::make_unique<DoubleDecimalEncoder>();
            break;
        case DecimalHandling::kString:
            encoding.schema = scalar_schema("string");
            encoding.encoder = std::make_unique<StringDecimalEncoder>(scale);
            encoding.unavailable = unavailable_string(use.options);
            break;
        case DecimalHandling::kPrecise:
            if (scale) {
                encoding.schema = decimal_schema(*scale);
                encoding.schema.parameters.emplace_back(
                    "connect.decimal.precision",
                    std::to_string(NumericModifier(use.modifier).precision));
                encoding.encoder =
                    std::make_unique<DecimalEncoder>(*scale, use.options.decimal_format_numeric);
            } else {
                encoding.schema = struct_schema(
                    "io.debezium.data.VariableScaleDecimal", "Variable scaled decimal",
                    {{"scale", scalar_schema("int32")}, {"value", scalar_schema("bytes")}});
                encoding.encoder = std::make_unique<VariableScaleDecimalEncoder>();
            }
            break;
    }
    encoding.fallback = zero(*encoding.encoder);
    return encoding;
}

ColumnEncoding make_money(const TypeUse& use) {
    ColumnEncoding encoding;
    encoding.encoder = std::make_unique<MoneyEncoder>(use.options);
    switch (use.options.decimal_handling_mode) {
        case DecimalHandling::kDouble:
            encoding.schema = scalar_schema("double");
            encoding.fallback = "0.0";
            break;
        case DecimalHandling::kString: {
            encoding.schema = scalar_schema("string");
            encoding.unavailable = unavailable_string(use.options);
            StringDecimalEncoder plain(use.options.money_fraction_digits);
            encoding.fallback = zero(plain);
            break;
        }
        case DecimalHandling::kPrecise:
            encoding.schema = decimal_schema(use.options.money_fraction_digits);
            encoding.fallback = zero(*encoding.encoder);
            break;
    }
    return encoding;
}

}  // namespace holdfast::relay::debezium
