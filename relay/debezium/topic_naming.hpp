// Which topic a change event goes to (SchemaTopicNamingStrategy).
//
// Source: Debezium, AbstractTopicNamingStrategy; docs/message-format.md, "Change events".
#pragma once

#include <string>
#include <string_view>

#include "debezium/connector_options.hpp"

namespace holdfast::relay::debezium {

/// `<topic.prefix>.<schema>.<table>`, blank parts left out, with what Kafka does not take replaced:
/// other characters than [a-zA-Z0-9._-] by `_`, cut to 249, `.` and `..` by `_` and `__`.  Two
/// tables may get the same topic.
[[nodiscard]] std::string data_change_topic(const ConnectorOptions& options,
                                            std::string_view schema, std::string_view table);

/// Of transaction metadata: `<topic.prefix>.<topic.transaction>`.
[[nodiscard]] std::string transaction_topic(const ConnectorOptions& options);
/// topic.heartbeat.name, else `<topic.heartbeat.prefix>.<topic.prefix>`.
[[nodiscard]] std::string heartbeat_topic(const ConnectorOptions& options);
/// Of logical messages: `<topic.prefix>.message`, whatever topic.delimiter says.
[[nodiscard]] std::string message_topic(const ConnectorOptions& options);

}  // namespace holdfast::relay::debezium
