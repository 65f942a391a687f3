// What Debezium knows of a column's type in the database, as it learns it from the JDBC driver:
// name, length and scale.  They decide about column.propagate.source.type, truncation and masks.
//
// Source: Debezium, ColumnMetaData and PostgresType; pgjdbc, TypeInfoCache and PgDatabaseMetaData.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "debezium/table_description.hpp"

namespace holdfast::relay::debezium {

struct SourceType {
    std::string name;                      ///< "int4", "serial", "varchar"
    std::optional<std::int32_t> length{};  ///< 2147483647 = unbounded
    std::int32_t scale = 0;
    bool is_character = false;  ///< text, varchar, char, name or an enum, or a domain over one
};

/// Throws FatalError(kInternal) when `types` lacks the type.
[[nodiscard]] SourceType describe_source_type(const ColumnDescription& column,
                                              const TypeDescriptions& types);

}  // namespace holdfast::relay::debezium
