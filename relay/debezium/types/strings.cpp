#include "debezium/types/strings.hpp"

#include <memory>

#include "debezium/json_text.hpp"

namespace holdfast::relay::debezium {
namespace {

class StringEncoder final : public ValueEncoder {
 public:
    void encode(std::string_view text, std::string& json) override {
        append_json_string(text, json);
    }
};

ColumnEncoding string_encoding(const TypeUse& use, ConnectSchema schema) {
    return {.schema = std::move(schema),
            .encoder = std::make_unique<StringEncoder>(),
            .fallback = R"("")",
            .unavailable = unavailable_string(use.options)};
}

}  // namespace

ColumnEncoding make_string(const TypeUse& use) {
    return string_encoding(use, scalar_schema("string"));
}

ColumnEncoding make_json(const TypeUse& use) {
    return string_encoding(use, semantic_schema("string", "io.debezium.data.Json"));
}

ColumnEncoding make_uuid(const TypeUse& use) {
    return string_encoding(use, semantic_schema("string", "io.debezium.data.Uuid"));
}

ColumnEncoding make_xml(const TypeUse& use) {
    return string_encoding(use, semantic_schema("string", "io.debezium.data.Xml"));
}

ColumnEncoding make_ltree(const TypeUse& use) {
    return string_encoding(use, semantic_schema("string", "io.debezium.data.Ltree"));
}

ColumnEncoding make_tsvector(const TypeUse& use) {
    return string_encoding(use, semantic_schema("string", "io.debezium.data.Tsvector"));
}

ColumnEncoding make_enum(const TypeUse& use) {
    ConnectSchema schema = semantic_schema("string", "io.debezium.data.Enum");
    std::string allowed;
    for (const std::string& label : use.type.labels) {
        if (&label != use.type.labels.data()) {
            allowed += ',';
        }
        allowed += label;
    }
    schema.parameters.emplace_back("allowed", std::move(allowed));
    return string_encoding(use, std::move(schema));
}

}  // namespace holdfast::relay::debezium
