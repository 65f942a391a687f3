// interval, in the modes of interval.handling.mode and time.precision.mode.
#pragma once

#include "debezium/types/encoding.hpp"

namespace holdfast::relay::debezium {

/// The text is that of IntervalStyle postgres.
[[nodiscard]] ColumnEncoding make_interval(const TypeUse& use);

}  // namespace holdfast::relay::debezium
