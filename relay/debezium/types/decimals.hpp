// numeric and money, in the modes of decimal.handling.mode.
#pragma once

#include "debezium/types/encoding.hpp"

namespace holdfast::relay::debezium {

/// Of the modifier's scale; without a modifier each value has its own.  A negative scale is kept
/// (Debezium reads it as a large positive one and fills up with zeros).
[[nodiscard]] ColumnEncoding make_numeric(const TypeUse& use);
/// The text is that of lc_monetary with a point for decimals and commas between thousands; halves
/// are rounded away from zero to money.fraction.digits.
[[nodiscard]] ColumnEncoding make_money(const TypeUse& use);

}  // namespace holdfast::relay::debezium
