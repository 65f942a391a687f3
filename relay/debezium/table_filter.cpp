#include "debezium/table_filter.hpp"

#include <algorithm>
#include <string>

namespace holdfast::relay::debezium {

namespace {

std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return lower;
}

}  // namespace

TableFilter::TableFilter(const ConnectorOptions& options)
    : schemas_{PatternList(options.schema_include_list), PatternList(options.schema_exclude_list)},
      tables_{PatternList(options.table_include_list), PatternList(options.table_exclude_list)},
      columns_{PatternList(options.column_include_list), PatternList(options.column_exclude_list)} {
}

bool TableFilter::captures(std::string_view schema, std::string_view table) const {
    const std::string lower_schema = lower_case(schema);
    if (lower_schema == "pg_catalog" || lower_schema == "information_schema" ||
        schema.starts_with("pg_temp") || lower_case(table) == "spatial_ref_sys") {
        return false;
    }
    std::string name(schema);
    name += '.';
    name += table;
    return schemas_.let_through(schema) && tables_.let_through(name);
}

bool TableFilter::has_column(std::string_view schema, std::string_view table,
                             std::string_view column) const {
    std::string name(schema);
    name += '.';
    name += table;
    name += '.';
    name += column;
    return columns_.let_through(name);
}

}  // namespace holdfast::relay::debezium
