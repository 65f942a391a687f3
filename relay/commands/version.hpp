// Which holdfast this is.
#pragma once

namespace holdfast::relay::commands {

inline constexpr const char* kVersion = HOLDFAST_VERSION;

}  // namespace holdfast::relay::commands
