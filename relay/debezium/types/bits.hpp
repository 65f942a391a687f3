// bit and bit varying: of length 1 a boolean, else io.debezium.data.Bits.
#pragma once

#include "debezium/types/encoding.hpp"

namespace holdfast::relay::debezium {

[[nodiscard]] ColumnEncoding make_bit(const TypeUse& use);
/// An array of bits: Debezium gives it the schema of one element, which no value of it fits.
[[nodiscard]] ColumnEncoding make_bit_array(const TypeUse& use);

}  // namespace holdfast::relay::debezium
