#include "debezium/connect_column.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "debezium/header_text.hpp"
#include "debezium/json_text.hpp"
#include "debezium/json_unescape.hpp"
#include "debezium/types/oids.hpp"

namespace holdfast::relay::debezium {
namespace {

/// Types whose text is what every converter writes.
constexpr std::array kPlainOids{
    oid::kText, oid::kChar,  oid::kBpchar, oid::kVarchar, oid::kName,     oid::kUuid,
    oid::kJson, oid::kJsonb, oid::kXml,    oid::kInt2,    oid::kInt4,     oid::kInt8,
    oid::kOid,  oid::kInet,  oid::kCidr,   oid::kMacaddr, oid::kMacaddr8, oid::kTsvector};

/// Of a domain, what it is one of in the end.
pgoutput::TypeId root_of(pgoutput::TypeId type, const TableDescription* table) {
    while (table != nullptr) {
        const auto found = table->types.find(type.value);
        if (found == table->types.end() || found->second.kind != 'd') {
            break;
        }
        type = found->second.base;
    }
    return type;
}

bool is_not_null(const ColumnDescription& column, const TypeDescriptions& types) {
    const auto type = types.find(column.type.value);
    return column.not_null ||
           (type != types.end() && type->second.kind == 'd' && type->second.not_null);
}

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

ConnectColumn::ConnectColumn(const pgoutput::Column& column, const TableDescription* table,
                             const TypeOptions& types)
    : schema_{.type = "string", .optional = true},
      is_bytes_(root_of(column.type, table).value == oid::kBytea &&
                types.binary_handling_mode == BinaryHandling::kBytes) {
    if (table == nullptr || !table->types.contains(column.type.value)) {
        return;
    }
    auto encoding = make_column_encoding(column.type, column.modifier, table->types, types);
    if (!encoding) {
        return;
    }
    std::optional<std::string> default_json;
    const ColumnDescription* const described = find_column(*table, column.name);
    if (described != nullptr) {
        default_json = make_column_default(*described, table->types, types, *encoding);
    }
    schema_ = std::move(encoding->schema);
    schema_.optional =
        described == nullptr || !is_not_null(*described, table->types) || schema_.optional;
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
    json_.clear();
    encoder_->encode(*field, json_);
    buffer.clear();
    if (schema_.type == "string") {
        append_unescaped_json(json_, buffer);
    } else if (schema_.type == "bytes" && json_.starts_with('"') &&
               schema_.name != "org.apache.kafka.connect.data.Decimal") {
        buffer.assign(json_, 1, json_.size() - 2);  // base64
    } else {
        append_header_text(json_, schema_, buffer);
    }
    return buffer;
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
