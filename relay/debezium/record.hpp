// What goes to Kafka, before anybody knows about Kafka: what the event router and the change events
// make of a message of the stream.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace holdfast::relay::debezium {

/// A record header.  A missing value is Kafka's null, which is not the empty string.
struct Header {
    std::string_view name;
    std::optional<std::string_view> value;

    bool operator==(const Header&) const = default;
};

/// One record.  Everything is borrowed: from the frame that was decoded and from what made it, both
/// untouched until the next event.
struct Record {
    std::uint32_t topic = 0;  ///< number in TopicNames
    std::optional<std::string_view> key;
    std::optional<std::string_view> value;    ///< nullopt = tombstone
    std::span<const Header> headers;          ///< in the order in which they are sent
    std::int64_t timestamp_ms = 0;            ///< since 1970-01-01 UTC; 0 = when it is sent
    std::string_view event_id;                ///< the value of the header `id`; empty = has none
    std::optional<std::int32_t> partition{};  ///< nullopt = by the key
};

/// In the order in which they are sent.
using Records = std::span<const Record>;

}  // namespace holdfast::relay::debezium
