#include "debezium/outbox_writer.hpp"

#include <charconv>
#include <utility>

#include "base/log.hpp"
#include "debezium/json_text.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr std::string_view kPayload = "payload";

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

/// bytea_output = hex, which is what walsenders send: "\x" and two digits for each byte.
void decode_bytea(std::string_view text, std::string& bytes) {
    if (!text.starts_with("\\x") || text.size() % 2 != 0) {
        throw ConversionError("the payload is not a bytea in hexadecimal");
    }
    bytes.clear();
    for (std::size_t i = 2; i < text.size(); i += 2) {
        const int high = hex_digit(text[i]);
        const int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) {
            throw ConversionError("the payload is not a bytea in hexadecimal");
        }
        bytes += static_cast<char>((high << 4) | low);
    }
}

JsonExpansionOptions expansion_options(const EventRouterOptions& options) {
    return {
        .infer_schema = options.table_json_payload_compatibility == "debezium",
        .keep_null_members = options.table_json_payload_null_behavior == "optional_bytes",
        .keep_empty_arrays = options.table_json_payload_empty_array_behavior == "optional_string",
        .name = options.table_field_event_payload};
}

}  // namespace

OutboxWriter::OutboxWriter(const EventRouterOptions& options)
    : options_(options),
      expansion_(expansion_options(options)),
      value_is_json_(writes_json(options.value_converter)),
      value_has_schema_(writes_schema(options.value_converter)),
      infers_schema_(options.table_json_payload_compatibility == "debezium") {}

std::string& OutboxWriter::text() {
    if (texts_used_ == texts_.size()) {
        texts_.emplace_back();
    }
    std::string& next = texts_[texts_used_++];
    next.clear();
    return next;
}

OutboxWriter::Field OutboxWriter::convert(BoundColumn& bound, Field field,
                                          const ConverterOptions& converter) {
    const bool raw_bytes = bound.column.is_bytes() && converter.converter != Converter::kJson;
    if (raw_bytes && converter.converter != Converter::kSimpleHeader) {
        if (!field) {
            return field;
        }
        std::string& bytes = text();
        decode_bytea(*field, bytes);
        return bytes;
    }
    if (!writes_json(converter)) {
        return bound.column.text(field, text());
    }
    std::string& json = text();
    json += bound.head;
    bound.column.append_json(field, converter.replace_null_with_default, json);
    end_json_envelope(!bound.head.empty(), json);
    return json;
}

OutboxWriter::Field OutboxWriter::key(BoundColumn& bound, Field field) {
    return convert(bound, field, options_.key_converter);
}

OutboxWriter::Field OutboxWriter::header(BoundColumn& bound, Field field) {
    return convert(bound, field, options_.header_converter);
}

std::string OutboxWriter::context_header(std::string_view content) const {
    if (!writes_json(options_.header_converter)) {
        return std::string(content);
    }
    std::string json;
    const bool schema = writes_schema(options_.header_converter);
    begin_json_envelope({.type = "string"}, schema, json);
    append_json_string(content, json);
    end_json_envelope(schema, json);
    return json;
}

bool OutboxWriter::expands(const OutboxLayout& layout, const Payload& payload) const {
    if (!value_is_json_ || !payload.field) {
        return false;
    }
    if (payload.is_value) {
        // A value of which no schema is inferred cannot stand beside one.
        return infers_schema_ || !value_has_schema_;
    }
    return options_.table_expand_json_payload && layout.payload.column.schema().type == "string";
}

OutboxWriter::Field OutboxWriter::value(OutboxLayout& layout, const Payload& payload) {
    if (layout.has_envelope) {
        return enveloped(layout, payload);
    }
    if (!expands(layout, payload)) {
        return convert(layout.payload, payload.field, options_.value_converter);
    }
    std::string& inner = text();
    const ConnectSchema* const schema = append_payload(layout, payload, inner);
    if (!value_has_schema_) {
        return inner;
    }
    std::string& whole = text();
    if (schema == nullptr) {
        whole += layout.payload.head;
    } else {
        begin_json_envelope(*schema, true, whole);
    }
    whole += inner;
    whole += '}';
    return whole;
}

const ConnectSchema* OutboxWriter::append_payload(OutboxLayout& layout, const Payload& payload,
                                                  std::string& json) {
    if (expands(layout, payload)) {
        const char* const problem = expansion_.expand(*payload.field, json);
        if (problem == nullptr) {
            return value_has_schema_ ? &expansion_.schema() : nullptr;
        }
        if (payload.is_value && !value_has_schema_) {
            json += *payload.field;  // it is JSON, whether or not a schema fits it
            return nullptr;
        }
        if (!payload.is_value && !std::exchange(warned_of_expansion_, true)) {
            log::warn("json_expansion_failed", {{"table", options_.table}, {"reason", problem}});
        }
    }
    layout.payload.column.append_json(payload.field,
                                      options_.value_converter.replace_null_with_default, json);
    return nullptr;
}

OutboxWriter::Field OutboxWriter::enveloped(OutboxLayout& layout, const Payload& payload) {
    std::string& inner = text();
    inner += "{\"payload\":";
    const ConnectSchema* const expanded = append_payload(layout, payload, inner);
    for (std::size_t i = 0; i < layout.envelope_placements.size(); ++i) {
        BoundColumn& placement = layout.envelope_placements[i];
        inner += ',';
        append_json_string(placement.alias, inner);
        inner += ':';
        placement.column.append_json(payload.envelope[i],
                                     options_.value_converter.replace_null_with_default, inner);
    }
    inner += '}';
    if (!value_has_schema_) {
        return inner;
    }
    std::string& whole = text();
    append_envelope_schema(layout, payload,
                           expanded == nullptr ? layout.payload.column.schema() : *expanded, whole);
    whole += inner;
    whole += '}';
    return whole;
}

void OutboxWriter::append_envelope_schema(const OutboxLayout& layout, const Payload& payload,
                                          const ConnectSchema& payload_schema,
                                          std::string& json) const {
    const std::string prefix = options_.topic_prefix.empty() ? "" : options_.topic_prefix + ".";
    ConnectSchema schema{
        .type = "struct",
        .name = prefix + options_.table + "." + std::string(payload.route) + ".Value"};
    schema.fields.push_back({std::string(kPayload), payload_schema});
    for (const BoundColumn& placement : layout.envelope_placements) {
        schema.fields.push_back({placement.alias, placement.column.schema()});
    }
    if (payload.schema_version) {
        std::int32_t version = 0;
        std::from_chars(payload.schema_version->data(),
                        payload.schema_version->data() + payload.schema_version->size(), version);
        schema.version = version;
    }
    begin_json_envelope(schema, true, json);
}

}  // namespace holdfast::relay::debezium
