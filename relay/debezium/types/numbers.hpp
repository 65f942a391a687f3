// Booleans, integers and floating-point numbers.
#pragma once

#include "debezium/types/encoding.hpp"

namespace holdfast::relay::debezium {

[[nodiscard]] ColumnEncoding make_boolean(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_int2(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_int4(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_int8(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_oid(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_float4(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_float8(const TypeUse& use);

}  // namespace holdfast::relay::debezium
