#include "debezium/table_encoder.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "debezium/json_text.hpp"
#include "debezium/name_adjuster.hpp"
#include "debezium/source_block.hpp"
#include "debezium/transaction_metadata.hpp"

namespace holdfast::relay::debezium {

namespace {

bool is_not_null(const ColumnDescription& column, const TypeDescriptions& types) {
    const auto type = types.find(column.type.value);
    return column.not_null ||
           (type != types.end() && type->second.kind == 'd' && type->second.not_null);
}

enum class Listed { kYes, kNo };

/// The catalogue's column of a Relation message's; one that the catalogue no longer has, or has
/// with another type, is optional and without default.  So is one that the lists leave out, which
/// upstream does not look up: only its key has it.
ColumnDescription describe(const pgoutput::Column& column, const TableDescription& table,
                           Listed listed) {
    const auto found = std::find_if(
        table.columns.begin(), table.columns.end(),
        [&column](const ColumnDescription& candidate) { return candidate.name == column.name; });
    if (listed == Listed::kYes && found != table.columns.end() && found->type == column.type) {
        ColumnDescription described = *found;
        described.modifier = column.modifier;
        described.not_null = is_not_null(*found, table.types);
        return described;
    }
    return {.name = std::string(column.name), .type = column.type, .modifier = column.modifier};
}

void append_name(const std::string& name, std::string& names) {
    names += names.empty() ? name : "," + name;
}

ConnectSchema struct_schema(const std::string& name, const ConnectorOptions& options) {
    return {.type = "struct",
            .name = adjust_schema_name(name, options.schema_name_adjustment_mode)};
}

ConnectSchema envelope_schema(const ConnectSchema& row, std::string_view topic,
                              const ConnectorOptions& options) {
    ConnectSchema optional_int64{.type = "int64", .optional = true};
    ConnectSchema envelope = struct_schema(std::string(topic) + ".Envelope", options);
    envelope.version = 2;
    envelope.fields = {{"before", row},
                       {"after", row},
                       {"source", source_schema()},
                       {"transaction", transaction_block_schema()},
                       {"op", {.type = "string"}},
                       {"ts_ms", optional_int64},
                       {"ts_us", optional_int64},
                       {"ts_ns", optional_int64}};
    return envelope;
}

/// Of a key: types as the value has them, but decimals as the key's converter writes them.
TypeOptions type_options(const ConnectorOptions& options, const ConverterOptions& converter) {
    TypeOptions types = options.types;
    types.compat_version = options.compat_version;
    types.decimal_format_numeric = converter.decimal_format_numeric;
    return types;
}

}  // namespace

TableEncoder::TableEncoder(const pgoutput::Relation& relation, const TableDescription& table,
                           const ConnectorOptions& options, const TableRules& rules,
                           std::string_view topic_name)
    : schema_name_(relation.schema.empty() ? "pg_catalog" : relation.schema),
      table_name_(relation.name),
      name_(schema_name_ + "." + table_name_),
      source_members_(SourceBlock::table_members(schema_name_, table_name_)),
      column_count_(relation.columns.size()),
      field_names_(options.field_name_adjustment_mode),
      on_failure_(options.event_converting_failure_handling_mode),
      key_schema_(struct_schema(std::string(topic_name) + ".Key", options)) {
    std::vector<ColumnDescription> columns;
    std::vector<std::string> names;
    std::vector<Listed> listed;
    for (const pgoutput::Column& column : relation.columns) {
        names.emplace_back(column.name);
        listed.push_back(rules.filter.has_column(schema_name_, table_name_, names.back())
                             ? Listed::kYes
                             : Listed::kNo);
        columns.push_back(describe(column, table, listed.back()));
    }

    ConnectSchema row = struct_schema(std::string(topic_name) + ".Value", options);
    row.optional = true;
    const TypeOptions value_types = type_options(options, options.value_converter);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (listed[i] == Listed::kNo) {
            continue;
        }
        std::optional<Column> column = make_column(columns[i], i, table, value_types,
                                                   options.value_converter, &rules.mapper, row);
        if (column) {
            value_.push_back(std::move(*column));
        } else {
            append_name(names[i], left_out_);
        }
    }
    value_frame_ =
        make_payload_frame(envelope_schema(row, topic_name, options), options.value_converter);

    const std::vector<std::size_t> key =
        rules.key_columns.find(schema_name_, table_name_, names, table.key_columns);
    // With 'f' old rows are whole, with 'n' there are none.
    const bool has_partial_identity =
        relation.replica_identity != 'f' && relation.replica_identity != 'n';
    const TypeOptions key_types = type_options(options, options.key_converter);
    for (const std::size_t position : key) {
        std::optional<Column> column = make_column(columns[position], position, table, key_types,
                                                   options.key_converter, nullptr, key_schema_);
        if (!column) {
            throw FatalError(ExitCode::kConfig,
                             "key column " + name_ + "." + names[position] +
                                 " has a type that change events do not carry",
                             "Name other columns in message.key.columns, or set "
                             "include.unknown.datatypes.");
        }
        key_.push_back(std::move(*column));
        if (has_partial_identity && !relation.columns[position].part_of_key) {
            append_name(names[position], outside_identity_);
        }
    }
    key_frame_ = make_payload_frame(key_schema_, options.key_converter);
}

std::optional<TableEncoder::Column> TableEncoder::make_column(
    const ColumnDescription& column, std::size_t position, const TableDescription& table,
    const TypeOptions& types, const ConverterOptions& converter, const ColumnMapper* mapper,
    ConnectSchema& schema) const {
    std::optional<ColumnEncoding> encoding =
        make_column_encoding(column.type, column.modifier, table.types, types);
    if (!encoding) {
        return std::nullopt;
    }
    ConnectSchema field = encoding->schema;
    Column made;
    made.position = position;
    if (mapper != nullptr) {
        made.mapping = mapper->map(schema_name_, table_name_, column.name,
                                   describe_source_type(column, table.types), field);
    }
    field.optional = field.optional || !column.not_null;
    field.default_json = make_column_default(column, table.types, types, *encoding);
    made.encoder = std::move(encoding->encoder);

    // As Debezium's converters do it: a null that must not be one becomes the default or a value of
    // the type, then the column's mapping, then the JSON converter's own default.
    const auto mapped = [&made](std::string json) {
        if (made.mapping) {
            made.mapping->apply(json, 0);
        }
        return json;
    };
    const bool has_substitute = field.default_json && converter.replace_null_with_default;
    made.null = mapped(column.not_null ? field.default_json.value_or(encoding->fallback) : "null");
    if (made.null == "null" && has_substitute) {
        made.null = *field.default_json;
    }
    if (encoding->unavailable) {
        made.unavailable = mapped(*encoding->unavailable);
    }
    if (has_substitute) {
        made.unset = field.default_json;
    } else if (field.optional) {
        made.unset = "null";
    }

    const std::string name = adjust_field_name(column.name, field_names_);
    for (const ConnectField& other : schema.fields) {
        if (other.name == name) {
            throw FatalError(ExitCode::kConfig,
                             "two columns of " + name_ + " become the field \"" + name + "\"",
                             "Change field.name.adjustment.mode or message.key.columns, or leave "
                             "one of them out with column.exclude.list.");
        }
    }
    made.member = schema.fields.empty() ? "{" : ",";
    append_json_string(name, made.member);
    made.member += ':';
    schema.fields.push_back({name, std::move(field)});
    return made;
}

void TableEncoder::append_row(pgoutput::Tuple row, pgoutput::Tuple old_row, Lsn lsn, Text& text) {
    append(value_, Part::kValue, row, old_row, lsn, text);
}

void TableEncoder::append_key(pgoutput::Tuple row, pgoutput::Tuple old_row, Lsn lsn, Text& text) {
    append(key_, Part::kKey, row, old_row, lsn, text);
}

void TableEncoder::append(std::vector<Column>& columns, Part part, pgoutput::Tuple row,
                          pgoutput::Tuple old_row, Lsn lsn, Text& text) {
    if (row.size() != column_count_ || (!old_row.empty() && old_row.size() != column_count_)) {
        throw ProtocolError("a row of " + name_ + " has " + std::to_string(row.size()) +
                            " columns where its relation has " + std::to_string(column_count_) +
                            ", at " + lsn.to_string());
    }
    for (Column& column : columns) {
        text.json += column.member;
        const pgoutput::Value* value = &row[column.position];
        // An old value that is null does not count: the new one cannot be TOASTed and null.
        if (value->kind == pgoutput::Value::Kind::kUnchanged && !old_row.empty() &&
            old_row[column.position].kind == pgoutput::Value::Kind::kText) {
            value = &old_row[column.position];
        }
        append_value(column, part, *value, lsn, text);
    }
    text.json += columns.empty() ? "{}" : "}";
}

void TableEncoder::append_value(Column& column, Part part, const pgoutput::Value& value, Lsn lsn,
                                Text& text) {
    const std::size_t start = text.json.size();
    switch (value.kind) {
        case pgoutput::Value::Kind::kText:
            try {
                column.encoder->encode(value.bytes, text.json);
            } catch (const ConversionError& error) {
                append_unset(column, part, error.what(), lsn, text);
                return;
            }
            if (column.mapping) {
                column.mapping->apply(text.json, start);
            }
            return;
        case pgoutput::Value::Kind::kNull:
            text.json += column.null;
            text.nulls.append(reinterpret_cast<const char*>(&column.position),
                              sizeof column.position);
            return;
        case pgoutput::Value::Kind::kUnchanged:
            if (column.unavailable) {
                text.json += *column.unavailable;
            } else {
                append_unset(column, part,
                             "the change does not carry the unchanged TOASTed value, and its type "
                             "has no placeholder",
                             lsn, text);
            }
            return;
        case pgoutput::Value::Kind::kBinary:
            break;
    }
    throw ProtocolError("a value of " + name_ + " is in binary, at " + lsn.to_string());
}

void TableEncoder::append_unset(Column& column, Part part, std::string_view why, Lsn lsn,
                                Text& text) {
    // The member is `{"name":` or `,"name":`.
    const std::string name = column.member.substr(2, column.member.size() - 4);
    if (part == Part::kKey || on_failure_ == ConversionFailure::kFail || !column.unset) {
        throw FatalError(
            ExitCode::kMalformedEvent,
            "the change at " + lsn.to_string() + " of " + name_ + " cannot become an event: " +
                (part == Part::kKey ? "key column " : "column ") + name + ": " + std::string(why),
            part == Part::kKey || on_failure_ == ConversionFailure::kFail
                ? "Correct the value, leave the column out, or give its type another handling mode."
                : "The column is NOT NULL, so no null can stand for the value: give its type "
                  "another handling mode, or leave the column out with column.exclude.list.");
    }
    text.json += *column.unset;
    text.nulls.append(reinterpret_cast<const char*>(&column.position), sizeof column.position);
    if (on_failure_ == ConversionFailure::kWarn && !column.warned) {
        column.warned = true;
        log::warn("change_value_unset",
                  {{"table", name_}, {"column", name}, {"lsn", lsn}, {"reason", why}});
    }
}

}  // namespace holdfast::relay::debezium
