// From Debezium's properties, as the configuration keeps them, to what they mean.
#pragma once

#include <string>
#include <string_view>

#include "config/connector_config.hpp"
#include "debezium/connector_options.hpp"

namespace holdfast::relay::adapters {

/// By the name of Connect's class, which the table of keys has let through.
[[nodiscard]] debezium::Converter converter_of(std::string_view class_name);

/// `database_name` is what `source.db` says.  Throws ConfigError with every property that is wrong.
[[nodiscard]] debezium::ConnectorOptions connector_options(const config::ConnectorConfig& connector,
                                                           std::string database_name);

}  // namespace holdfast::relay::adapters
