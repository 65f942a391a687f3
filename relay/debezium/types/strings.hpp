// Types whose text is the value: text and its like, JSON, UUIDs, XML, addresses, ranges, enums.
#pragma once

#include <string_view>

#include "debezium/types/encoding.hpp"

namespace holdfast::relay::debezium {

[[nodiscard]] ColumnEncoding make_string(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_json(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_uuid(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_xml(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_ltree(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_tsvector(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_enum(const TypeUse& use);

}  // namespace holdfast::relay::debezium
