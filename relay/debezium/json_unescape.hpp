// The text behind a JSON string that append_json_string() has written.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::relay::debezium {

/// Appends what the string `json`, quotes included, stands for.  Throws FatalError(kInternal) when
/// it is not a string as append_json_string() writes it.
void append_unescaped_json(std::string_view json, std::string& text);

}  // namespace holdfast::relay::debezium
