// What `check` and `status` want to know of a Kafka cluster.  Asks, and changes nothing: topics are
// not created by being asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kafka/properties.hpp"

namespace holdfast::relay::commands {

struct TopicFacts {
    int partitions = 0;
    int replicas = 0;  ///< of the partition that has fewest
    /// From the topic's configuration; empty when the cluster does not tell.
    std::optional<std::int64_t> max_message_bytes;
    std::optional<std::int64_t> min_insync_replicas;
};

struct ClusterFacts {
    int brokers = 0;
    std::map<std::string, TopicFacts> topics;
    std::optional<bool> auto_create;  ///< auto.create.topics.enable; empty = not told
};

/// Throws RetryableError when no broker answers within `limit`, FatalError for wrong properties and
/// kPermissionDenied when the brokers refuse the login.
/// Configurations are asked for the topics in `described` that exist.
[[nodiscard]] ClusterFacts inspect_cluster(const kafka::Properties& properties,
                                           const std::vector<std::string>& described,
                                           std::chrono::milliseconds limit);

/// High watermarks of partitions 0 ... n-1 of an existing topic; -1 where nobody answers.
[[nodiscard]] std::map<std::string, std::vector<std::int64_t>> high_watermarks(
    const kafka::Properties& properties, const std::map<std::string, int>& partitions,
    std::chrono::milliseconds limit);

}  // namespace holdfast::relay::commands
