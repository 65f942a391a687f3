// schema.name.adjustment.mode and field.name.adjustment.mode: names as Avro takes them.
//
// Source: Debezium, SchemaNameAdjuster and its replacement functions.
#pragma once

#include <string>
#include <string_view>

#include "debezium/connector_options.hpp"

namespace holdfast::relay::debezium {

/// Name of a schema: letters, digits, `_` and `.`, no digit or dot first.
[[nodiscard]] std::string adjust_schema_name(std::string_view name, NameAdjustment mode);
/// Name of a field: the same without `.`.
[[nodiscard]] std::string adjust_field_name(std::string_view name, NameAdjustment mode);

}  // namespace holdfast::relay::debezium
