// bytea, and the types that Debezium does not know (include.unknown.datatypes): bytes, in the modes
// of binary.handling.mode.
#pragma once

#include <string>
#include <string_view>

#include "debezium/types/encoding.hpp"

namespace holdfast::relay::debezium {

[[nodiscard]] ColumnEncoding make_bytea(const TypeUse& use);
/// The bytes of the value's text.
[[nodiscard]] ColumnEncoding make_unknown(const TypeUse& use);
/// A geometric type before 3.7: an unknown one whose numbers are printed as Java does it.
[[nodiscard]] ColumnEncoding make_unknown_geometric(const TypeUse& use);

/// Appends bytes as a value.
void append_binary(std::string_view bytes, BinaryHandling mode, std::string& json);

/// The bytes of hexadecimal digits, in `bytes`; false if `digits` has anything else or is odd.
[[nodiscard]] bool decode_hex(std::string_view digits, std::string& bytes);

}  // namespace holdfast::relay::debezium
