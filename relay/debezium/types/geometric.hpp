// PostgreSQL's geometric types and PostGIS's geometry and geography: well-known binary (WKB).
#pragma once

#include "debezium/types/encoding.hpp"

namespace holdfast::relay::debezium {

[[nodiscard]] ColumnEncoding make_point(const TypeUse& use);

// Since 3.7.
[[nodiscard]] ColumnEncoding make_box(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_lseg(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_path(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_polygon(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_circle(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_line(const TypeUse& use);

// Of PostGIS; the text is hexadecimal EWKB, which is kept as it is.
[[nodiscard]] ColumnEncoding make_geometry(const TypeUse& use);
[[nodiscard]] ColumnEncoding make_geography(const TypeUse& use);

}  // namespace holdfast::relay::debezium
