// The attributes of a CloudEvent as record headers, so that a consumer that knows CloudEvents needs
// to know nothing of ours: the value stays what it is, the attributes stand beside it.
//
// Sources: CloudEvents 1.0.2, "Kafka Protocol Binding", binary content mode; "Context Attributes".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "debezium/record.hpp"
#include "debezium/timestamp_text.hpp"

namespace holdfast::relay::debezium {

/// Whether it can be the attribute `source`: a URI reference that is not empty, by the characters
/// of RFC 3986.
[[nodiscard]] bool is_uri_reference(std::string_view text);

/// Not thread-safe.
class CloudEventHeaders {
 public:
    /// `source` names the producer of all the events: a URI reference.
    explicit CloudEventHeaders(std::string source);

    /// What is its own in each event.
    struct Attributes {
        std::string_view id;
        std::optional<std::string_view> type;
        std::optional<std::string_view> subject;
        std::int64_t time_us = 0;  ///< since 1970-01-01 UTC
        bool data_is_json = false;
    };

    /// Appends the headers of an event.  A header of that name that is there already stays the only
    /// one.  An event without an id or a type cannot be a CloudEvent, and gets none.  They view
    /// `event` and this object, until the next call.
    void append(const Attributes& event, std::vector<Header>& headers);

 private:
    std::string source_;
    Rfc3339Buffer time_{};
};

}  // namespace holdfast::relay::debezium
