// The configuration of a topic or broker, as the cluster tells it.  Waits for the answer: never on
// a hot path.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "kafka/handles.hpp"

namespace holdfast::relay::kafka {

/// Entries by name.  nullopt when the cluster does not tell: no answer within `limit`, not allowed
/// (DESCRIBE_CONFIGS), a broker that does not know the question, no such resource.  Whatever is
/// known of the reason is in `reason`.
[[nodiscard]] std::optional<std::map<std::string, std::string>> describe_configuration(
    rd_kafka_t* client, rd_kafka_ResourceType_t type, const std::string& name,
    std::chrono::milliseconds limit, std::string* reason = nullptr);

/// An entry as a number; nullopt when it is not there or none.
[[nodiscard]] std::optional<std::int64_t> number_in(
    const std::map<std::string, std::string>& entries, const std::string& name);

}  // namespace holdfast::relay::kafka
