#include "debezium/types/numbers.hpp"

#include <charconv>
#include <cstdint>
#include <memory>
#include <system_error>

#include "debezium/json_text.hpp"
#include "debezium/types/scanner.hpp"

namespace holdfast::relay::debezium {
namespace {

class BooleanEncoder final : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) override {
        if (text == "t") {
            json += "true";
        } else if (text == "f") {
            json += "false";
        } else {
            fail_conversion("a boolean");
        }
    }
};

template <typename Integer>
class IntegerEncoder final : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) override {
        Integer value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size()) {
            fail_conversion("an integer of its type");
        }
        append_json_int(value, json);
    }
};

class Float4Encoder final : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) override {
        Scanner in(text);
        const auto value = in.floating<float>();
        if (!in.done()) {
            fail_conversion("a real");
        }
        append_json_float(value, json);
    }
};

class Float8Encoder final : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) override {
        Scanner in(text);
        const auto value = in.floating<double>();
        if (!in.done()) {
            fail_conversion("a double precision");
        }
        append_json_double(value, json);
    }
};

template <typename Encoder>
ColumnEncoding number_encoding(std::string_view type, std::string_view fallback) {
    return {.schema = scalar_schema(type),
            .encoder = std::make_unique<Encoder>(),
            .fallback = std::string(fallback),
            .unavailable = std::nullopt};
}

}  // namespace

ColumnEncoding make_boolean(const TypeUse& /*use*/) {
    return number_encoding<BooleanEncoder>("boolean", "false");
}

ColumnEncoding make_int2(const TypeUse& /*use*/) {
    return number_encoding<IntegerEncoder<std::int16_t>>("int16", "0");
}

ColumnEncoding make_int4(const TypeUse& /*use*/) {
    return number_encoding<IntegerEncoder<std::int32_t>>("int32", "0");
}

ColumnEncoding make_int8(const TypeUse& /*use*/) {
    return number_encoding<IntegerEncoder<std::int64_t>>("int64", "0");
}

ColumnEncoding make_oid(const TypeUse& /*use*/) {
    return number_encoding<IntegerEncoder<std::uint32_t>>("int64", "0");
}

ColumnEncoding make_float4(const TypeUse& /*use*/) {
    return number_encoding<Float4Encoder>("float", "0.0");
}

ColumnEncoding make_float8(const TypeUse& /*use*/) {
    return number_encoding<Float8Encoder>("double", "0.0");
}

}  // namespace holdfast::relay::debezium
