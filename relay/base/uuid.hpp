// Random UUIDs (RFC 9562, version 4).
#pragma once

#include <string>

namespace holdfast::relay {

/// "f47ac10b-58cc-4372-a567-0e02b2c3d479"
[[nodiscard]] std::string random_uuid();

}  // namespace holdfast::relay
