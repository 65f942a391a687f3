// java.util.UUID.nameUUIDFromBytes: a version 3 UUID of bytes without a namespace.  MD5 is here for
// that and nothing else.
//
// Source: RFC 1321; RFC 4122 section 4.3.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::relay::debezium {

[[nodiscard]] std::string name_uuid(std::string_view bytes);

}  // namespace holdfast::relay::debezium
