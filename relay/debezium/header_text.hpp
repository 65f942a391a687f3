// Values of record headers as Connect's SimpleHeaderConverter writes them: strings raw, structs
// like JSON, but decimals as numbers and dates as text.
//
// Source: apache/kafka connect/api, Values.convertToString() and SimpleHeaderConverter.
#pragma once

#include <string>
#include <string_view>

#include "debezium/connect_schema.hpp"

namespace holdfast::relay::debezium {

/// Appends the text of a value whose JSON, as the JsonConverter wrote it, is `json`.  Throws
/// FatalError(kInternal) when that is not JSON of `schema`.
void append_header_text(std::string_view json, const ConnectSchema& schema, std::string& text);

}  // namespace holdfast::relay::debezium
