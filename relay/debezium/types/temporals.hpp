// date, time, timestamp and their twins with a time zone, in the modes of time.precision.mode.
#pragma once

#include "debezium/types/encoding.hpp"

namespace holdfast::relay::debezium {

[[nodiscard]] ColumnEncoding make_date(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_time(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_timetz(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_timestamp(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_timestamptz(const TypeUse& use);

}  // namespace holdfast::relay::debezium
