#include "debezium/types/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "debezium/json_text.hpp"
#include "debezium/types/scanner.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr std::uint8_t kNoDigit = 0xFF;

constexpr std::array<std::uint8_t, 256> kHexValues = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(kNoDigit);
    for (std::uint8_t i = 0; i < 10; ++i) {
        values[static_cast<std::size_t>('0') + i] = i;
    }
    for (std::uint8_t i = 0; i < 6; ++i) {
        values[static_cast<std::size_t>('a') + i] = static_cast<std::uint8_t>(10 + i);
        values[static_cast<std::size_t>('A') + i] = static_cast<std::uint8_t>(10 + i);
    }
    return values;
}();

class ByteaEncoder final : public ValueEncoder {
 public:
    explicit ByteaEncoder(BinaryHandling mode) : mode_(mode) {}

    void encode(std::string_view text, std::string& json) override {
        if (!text.starts_with("\\x") || !decode_hex(text.substr(2), bytes_)) {
            fail_conversion("a bytea in hex format");
        }
        append_binary(bytes_, mode_, json);
    }

 private:
    BinaryHandling mode_;
    std::string bytes_;
};

class UnknownEncoder final : public ValueEncoder {
 public:
    explicit UnknownEncoder(BinaryHandling mode) : mode_(mode) {}

    void encode(std::string_view text, std::string& json) override {
        append_binary(text, mode_, json);
    }

 private:
    BinaryHandling mode_;
};

class UnknownGeometricEncoder final : public ValueEncoder {
 public:
    explicit UnknownGeometricEncoder(BinaryHandling mode) : mode_(mode) {}

    void encode(std::string_view text, std::string& json) override {
        java_text_.clear();
        Scanner in(text);
        while (!in.rest().empty()) {
            const char next = in.rest().front();
            if (std::string_view("()[]{}<>,").find(next) != std::string_view::npos) {
                java_text_ += next;
                in.expect(next);
                continue;
            }
            append_number(in.floating<double>());
            if (!in.ok()) {
                fail_conversion("a geometric value");
            }
        }
        append_binary(java_text_, mode_, json);
    }

 private:
    /// Double.toString: as in JSON, but nothing in quotes.
    void append_number(double number) {
        const std::size_t start = java_text_.size();
        append_json_double(number, java_text_);
        if (java_text_[start] == '"') {
            java_text_.erase(start, 1);
            java_text_.pop_back();
        }
    }

    BinaryHandling mode_;
    std::string java_text_;
};

ColumnEncoding binary_encoding(const TypeUse& use, std::unique_ptr<ValueEncoder> encoder) {
    const TypeOptions& options = use.options;
    ColumnEncoding encoding{
        .schema = scalar_schema(options.binary_handling_mode == BinaryHandling::kBytes ? "bytes"
                                                                                       : "string"),
        .encoder = std::move(encoder),
        .fallback = R"("")",
        .unavailable = std::nullopt};
    switch (options.binary_handling_mode) {
        case BinaryHandling::kBytes:
            encoding.unavailable.emplace();
            append_binary(options.unavailable_value_placeholder, BinaryHandling::kBytes,
                          *encoding.unavailable);
            break;
        case BinaryHandling::kHex:
            // Not in hexadecimal digits: the text itself.
            encoding.unavailable = unavailable_string(options);
            break;
        case BinaryHandling::kBase64:
        case BinaryHandling::kBase64UrlSafe:
            break;
    }
    return encoding;
}

}  // namespace

void append_binary(std::string_view bytes, BinaryHandling mode, std::string& json) {
    json += '"';
    switch (mode) {
        case BinaryHandling::kBytes:
        case BinaryHandling::kBase64:
            append_base64(bytes, json);
            break;
        case BinaryHandling::kBase64UrlSafe:
            append_base64_url_safe(bytes, json);
            break;
        case BinaryHandling::kHex:
            append_hex(bytes, json);
            break;
    }
    json += '"';
}

bool decode_hex(std::string_view digits, std::string& bytes) {
    if (digits.size() % 2 != 0) {
        return false;
    }
    bytes.resize(digits.size() / 2);
    std::uint32_t wrong = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::uint32_t high = kHexValues[static_cast<unsigned char>(digits[2 * i])];
        const std::uint32_t low = kHexValues[static_cast<unsigned char>(digits[2 * i + 1])];
        wrong |= (high | low) & 0xF0U;
        bytes[i] = static_cast<char>(static_cast<unsigned char>((high << 4U) | (low & 0xFU)));
    }
    return wrong == 0;
}

ColumnEncoding make_bytea(const TypeUse& use) {
    return binary_encoding(use, std::make_unique<ByteaEncoder>(use.options.binary_handling_mode));
}

ColumnEncoding make_unknown(const TypeUse& use) {
    return binary_encoding(use, std::make_unique<UnknownEncoder>(use.options.binary_handling_mode));
}

ColumnEncoding make_unknown_geometric(const TypeUse& use) {
    return binary_encoding(
        use, std::make_unique<UnknownGeometricEncoder>(use.options.binary_handling_mode));
}

}  // namespace holdfast::relay::debezium
