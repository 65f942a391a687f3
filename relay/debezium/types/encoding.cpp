#include "debezium/types/encoding.hpp"

#include "debezium/json_text.hpp"

namespace holdfast::relay::debezium {
namespace {

/// Length of the UTF-8 character at the front of `text`; 0 = there is none.
std::size_t character_length(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || text.size() < length) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) {
            return 0;
        }
    }
    return length;
}

}  // namespace

ConnectSchema scalar_schema(std::string_view type) {
    ConnectSchema schema;
    schema.type = type;
    return schema;
}

ConnectSchema semantic_schema(std::string_view type, std::string_view name, std::int32_t version) {
    ConnectSchema schema = scalar_schema(type);
    schema.name = name;
    schema.version = version;
    return schema;
}

ConnectSchema struct_schema(std::string_view name, std::string_view doc,
                            std::vector<ConnectField> fields) {
    ConnectSchema schema = semantic_schema("struct", name);
    schema.doc = doc;
    schema.fields = std::move(fields);
    return schema;
}

ConnectSchema array_schema(ConnectSchema items) {
    ConnectSchema schema = scalar_schema("array");
    schema.items.push_back(std::move(items));
    return schema;
}

ConnectSchema map_schema(ConnectSchema keys, ConnectSchema values) {
    ConnectSchema schema = scalar_schema("map");
    schema.items.push_back(std::move(keys));
    schema.items.push_back(std::move(values));
    return schema;
}

ConnectSchema optional_schema(ConnectSchema schema) {
    schema.optional = true;
    return schema;
}

std::string unavailable_string(const TypeOptions& options) {
    std::string text;
    for (std::string_view rest = options.unavailable_value_placeholder; !rest.empty();) {
        const std::size_t length = character_length(rest);
        text += length == 0 ? std::string_view("\xEF\xBF\xBD") : rest.substr(0, length);
        rest.remove_prefix(length == 0 ? 1 : length);
    }
    std::string json;
    append_json_string(text, json);
    return json;
}

void fail_conversion(std::string_view what) {
    throw ConversionError("not " + std::string(what) + " as PostgreSQL prints it");
}

}  // namespace holdfast::relay::debezium
