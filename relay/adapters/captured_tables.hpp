// Which tables the configuration captures, as a question of schema and name.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "debezium/connector_options.hpp"

namespace holdfast::relay::adapters {

using CapturedTables = std::function<bool(std::string_view schema, std::string_view table)>;

/// Those that the lists of `options` let through, but for the extension's own (captured when a list
/// is as wide as that, but nobody misses them) and the outboxes, which are routed.  Slow: callers
/// keep the answers.  Throws FatalError(kConfig).
[[nodiscard]] CapturedTables captured_tables(debezium::ConnectorOptions options,
                                             const std::vector<config::OutboxConfig>& outboxes);

}  // namespace holdfast::relay::adapters
