// What the catalogue says of one table, for the events of its changes: columns, their types down to
// the base types and elements, defaults, and the key.  Facts only, as they are at this moment:
// pgoutput's Relation message has the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/session.hpp"

namespace holdfast::relay::postgres {

struct TypeRow {
    std::uint32_t oid = 0;
    std::string schema;
    std::string name;           ///< typname: "int4", "_text"
    char kind = 'b';            ///< typtype
    char category = 'U';        ///< typcategory
    std::uint32_t element = 0;  ///< typelem
    std::uint32_t base = 0;     ///< typbasetype
    std::int32_t base_modifier = -1;
    bool not_null = false;              ///< typnotnull
    std::vector<std::string> labels{};  ///< of an enum, in enumsortorder
};

struct TableColumnRow {
    std::string name;
    std::uint32_t type = 0;
    std::int32_t modifier = -1;
    bool not_null = false;
    bool generated = false;
    bool identity = false;
    std::optional<std::string> default_expression{};
};

struct TableRow {
    std::vector<TableColumnRow> columns;  ///< in attnum order
    /// Of the primary key, in its order; without one, of the first unique index (clustered first,
    /// then by name) that has no expression.
    std::vector<std::string> key_columns;
    std::vector<TypeRow> types;
};

/// The table as it is now, and the types of its columns and of `more_types`.  A table that does not
/// exist (any more) has no columns.
[[nodiscard]] TableRow read_table(Session& session, std::string_view schema, std::string_view table,
                                  std::span<const std::uint32_t> more_types = {});

}  // namespace holdfast::relay::postgres
