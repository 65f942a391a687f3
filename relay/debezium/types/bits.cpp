#include "debezium/types/bits.hpp"

#include <cstddef>
#include <limits>
#include <memory>

#include "debezium/types/bytes.hpp"

namespace holdfast::relay::debezium {
namespace {

bool all_bits(std::string_view text) {
    return text.find_first_not_of("01") == std::string_view::npos;
}

class BitEncoder final : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) override {
        if (text.empty() || !all_bits(text)) {
            fail_conversion("a bit");
        }
        json += text.find('1') == std::string_view::npos ? "false" : "true";
    }
};

/// Little-endian: the rightmost bit is the lowest of the first byte; nothing after the highest bit
/// that is set.
class BitsEncoder final : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) override {
        if (!all_bits(text)) {
            fail_conversion("a bit string");
        }
        const std::size_t first = text.find('1');
        const std::size_t count = first == std::string_view::npos ? 0 : text.size() - first;
        bytes_.assign((count + 7) / 8, '\0');
        for (std::size_t i = 0; i < count; ++i) {
            if (text[text.size() - 1 - i] == '1') {
                char& byte = bytes_[i / 8];
                byte = static_cast<char>(static_cast<unsigned char>(byte) | (1U << (i % 8)));
            }
        }
        append_binary(bytes_, BinaryHandling::kBytes, json);
    }

 private:
    std::string bytes_;
};

class NoEncoder final : public ValueEncoder {
 public:
    [[noreturn]] void encode(std::string_view /*text*/, std::string& /*json*/) override {
        throw ConversionError("an array of bits has no form in a message");
    }
};

}  // namespace

ColumnEncoding make_bit(const TypeUse& use) {
    constexpr std::int32_t kNoLength = std::numeric_limits<std::int32_t>::max();
    const std::int32_t length = use.modifier < 0 ? kNoLength : use.modifier;
    if (length == 1) {
        return {.schema = scalar_schema("boolean"),
                .encoder = std::make_unique<BitEncoder>(),
                .fallback = "false",
                .unavailable = std::nullopt};
    }
    ConnectSchema schema = semantic_schema("bytes", "io.debezium.data.Bits");
    schema.parameters.emplace_back("length", std::to_string(length));
    return {.schema = std::move(schema),
            .encoder = std::make_unique<BitsEncoder>(),
            .fallback = R"("")",
            .unavailable = std::nullopt};
}

ColumnEncoding make_bit_array(const TypeUse& use) {
    ColumnEncoding encoding = make_bit(use);
    encoding.encoder = std::make_unique<NoEncoder>();
    return encoding;
}

}  // namespace holdfast::relay::debezium
