// The headers that say which connector a record comes from (extended.headers.enabled).
//
// Source: Debezium's DebeziumHeaderProducer.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::relay::debezium {

/// Names and values, in their order.  `run_id`: another one for each run of the process.
[[nodiscard]] inline std::vector<std::pair<std::string, std::string>> context_headers(
    std::string_view topic_prefix, std::string_view run_id) {
    return {{"__debezium.context.connectorLogicalName", std::string(topic_prefix)},
            {"__debezium.context.taskId", "0"},
            {"__debezium.context.connectorName", "postgresql"},
            {"__debezium.context.runId", std::string(run_id)}};
}

}  // namespace holdfast::relay::debezium
