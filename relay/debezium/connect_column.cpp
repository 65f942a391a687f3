#include "debezium/connect_column.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "debezium/json_text.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr std::uint32_t kByteaOid = 17;

/// Types whose text is what every converter writes: text, "char", bpchar, varchar, name, uuid,
/// json, jsonb, xml, int2, int4, int8, oid, inet, cidr, macaddr, macaddr8.
constexpr std::array<std::uint32_t, 18> kPlainOids{25, 18, 1042, 1043, 19,  2950, 114, 3802, 142,
                                                   21, 23, 20,   26,   869, 650,  829, 774,  3614};

bool is_plain(pgoutput::TypeId type, const TableDescription& table) {
    if (std::ranges::find(kPlainOids, type.value) != kPlainOids.end()) {
        return true;
    }
    const auto found = table.types.find(type.value);
    return found != table.types.end() && found->second.kind == 'e';
}

const ColumnDescription* find_column(const TableDescription& table, std::string_view name) {
    const auto found = std::ranges::find(table.columns, name, &ColumnDescription::name);
    return found == table.columns.end() ? nullptr : &*found;
}

}  // namespace

ConnectColumn::ConnectColumn() : schema_{.type = "string"} {}

ConnectColumn::ConnectColumn(const pgoutput::Column& column, const TableDescription* table)
    : schema_{.type = "string", .optional = true}, is_bytes_(column.type.value == kByteaOid) {
    if (table == nullptr || !table->types.contains(column.type.value)) {
        return;
    }
    const TypeOptions options;
    auto encoding = make_column_encoding(column.type, column.modifier, table->types, options);
    if (!encoding) {
        return;
    }
    std::optional<std::string> default_json;
    const ColumnDescription* const described = find_column(*table, column.name);
    if (described != nullptr) {
        default_json = make_column_default(*described, table->types, options, *encoding);
    }
    schema_ = std::move(encoding->schema);
    schema_.optional = described == nullptr || !described->not_null || schema_.optional;
    schema_.default_json = std::move(default_json);
    if (!is_plain(column.type, *table) || schema_.type != "string") {
        encoder_ = std::move(encoding->encoder);
    }
}

void ConnectColumn::append_json(Field field, bool replace_null_with_default, std::string& json) {
    if (!field) {
        json += replace_null_with_default && schema_.default_json ? *schema_.default_json : "null";
    } else if (encoder_) {
        encoder_->encode(*field, json);
    } else {
        append_json_string(*field, json);
    }
}

ConnectColumn::Field ConnectColumn::text(Field field, std::string& buffer) {
    const bool plain_number = schema_.type.starts_with("int") && schema_.name.empty();
    if (!field || !encoder_ || plain_number) {
        return field;
    }
    buffer.clear();
    encoder_->encode(*field, buffer);
    std::string_view text = buffer;
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        // Dates, times, numbers and base64 have nothing that JSON would escape.
        text = text.substr(1, text.size() - 2);
    }
    return text;
}

void begin_json_envelope(const ConnectSchema& schema, bool schemas_enable, std::string& json) {
    if (schemas_enable) {
        json += "{\"schema\":";
        schema.write(json);
        json += ",\"payload\":";
    }
}

void end_json_envelope(bool schemas_enable, std::string& json) {
    if (schemas_enable) {
        json += '}';
    }
}

}  // namespace holdfast::relay::debezium
