// The rows of the table of keys (keys.hpp) that are Debezium's connector properties.
#pragma once

#include <vector>

#include "config/keys.hpp"

namespace holdfast::relay::config {

[[nodiscard]] std::vector<Key> connector_keys();

}  // namespace holdfast::relay::config
