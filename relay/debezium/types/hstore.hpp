// hstore, in the modes of hstore.handling.mode.
#pragma once

#include "debezium/types/encoding.hpp"

namespace holdfast::relay::debezium {

[[nodiscard]] ColumnEncoding make_hstore(const TypeUse& use);

}  // namespace holdfast::relay::debezium
