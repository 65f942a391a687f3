// From Debezium's properties, as the configuration keeps them, to what they mean.
#pragma once

#include "config/connector_config.hpp"
#include "debezium/connector_options.hpp"

namespace holdfast::relay::adapters {

/// `database_name` is what `source.db` says.  Throws ConfigError with every property that is wrong.
[[nodiscard]] debezium::ConnectorOptions connector_options(const config::ConnectorConfig& connector,
                                                           std::string database_name);

}  // namespace holdfast::relay::adapters
