// What the catalogue says of a table: all that pgoutput's Relation message leaves out and a change
// event needs.  Plain data, so that tests need no server.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pgoutput/messages.hpp"

namespace holdfast::relay::debezium {

/// A row of pg_type.
struct TypeDescription {
    pgoutput::TypeId id;
    std::string schema;   ///< "pg_catalog", or where an extension or a user has put it
    std::string name;     ///< typname: "int4", "_text", "geometry"
    char kind = 'b';      ///< typtype: b base, c composite, d domain, e enum, m multirange, r range
    char category = 'U';  ///< typcategory: 'A' array, ...
    pgoutput::TypeId element{};         ///< of an array (typelem), else 0
    pgoutput::TypeId base{};            ///< of a domain (typbasetype), else 0
    std::int32_t base_modifier = -1;    ///< of a domain (typtypmod)
    bool not_null = false;              ///< a domain that is NOT NULL
    std::vector<std::string> labels{};  ///< of an enum, in enumsortorder
};

/// By OID: every type of a table's columns, and those that these are made of.
using TypeDescriptions = std::map<std::uint32_t, TypeDescription>;

struct ColumnDescription {
    std::string name;
    pgoutput::TypeId type;
    std::int32_t modifier = -1;                       ///< atttypmod
    bool not_null = false;                            ///< attnotnull
    bool generated = false;                           ///< GENERATED ALWAYS AS (...) STORED
    bool identity = false;                            ///< GENERATED ... AS IDENTITY
    std::optional<std::string> default_expression{};  ///< pg_get_expr() of the default
};

struct TableDescription {
    std::string schema;
    std::string name;
    std::vector<ColumnDescription> columns;  ///< in attnum order, dropped ones left out
    /// Columns of the primary key in its order; without one, of the first unique index by name that
    /// has no expression; else empty.
    std::vector<std::string> key_columns;
    TypeDescriptions types;
};

}  // namespace holdfast::relay::debezium
