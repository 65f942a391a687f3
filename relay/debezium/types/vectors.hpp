// pgvector's vector, halfvec and sparsevec.
#pragma once

#include "debezium/types/encoding.hpp"

namespace holdfast::relay::debezium {

[[nodiscard]] ColumnEncoding make_vector(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_halfvec(const TypeUse& use);
/// Dimensions and indexes have 16 bits: a value with more fails.
[[nodiscard]] ColumnEncoding make_sparsevec(const TypeUse& use);

}  // namespace holdfast::relay::debezium
