// Reads a topic whose newest record of each key is what counts, from its beginning to its end as
// it is now.  For small topics, such as Connect's offsets; takes no part in a consumer group and
// changes nothing.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "kafka/properties.hpp"

namespace holdfast::relay::kafka {

/// The newest value of each key; a tombstone's keys are left out, and so are records without key.
/// Across partitions, the record with the later timestamp is the newer one: a key normally has one
/// partition.  Throws FatalError kTopicMissing, kPermissionDenied, kConfig; RetryableError when the
/// brokers do not answer within `limit`.
[[nodiscard]] std::map<std::string, std::string> read_compacted_topic(
    const Properties& properties, const std::string& topic, std::chrono::milliseconds limit);

}  // namespace holdfast::relay::kafka
