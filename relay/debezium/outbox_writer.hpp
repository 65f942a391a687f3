// Key, value and headers of an outbox event as its converters write them.  Holds the memory that
// the record views until the next event.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "debezium/event_router_options.hpp"
#include "debezium/json_expansion.hpp"
#include "debezium/outbox_layout.hpp"

namespace holdfast::relay::debezium {

/// Not thread-safe.  The calls throw ConversionError for what a type cannot be made of.
class OutboxWriter {
 public:
    using Field = ConnectColumn::Field;

    explicit OutboxWriter(const EventRouterOptions& options);

    /// Forgets the last event's memory.
    void start_event() noexcept { texts_used_ = 0; }

    [[nodiscard]] Field key(BoundColumn& bound, Field field);

    struct Payload {
        Field field;
        bool is_value = false;  ///< JSON itself rather than a text: a logical message's member
        std::string_view route;
        Field schema_version;
        std::span<const Field> envelope;  ///< by envelope placement
    };
    [[nodiscard]] Field value(OutboxLayout& layout, const Payload& payload);

    [[nodiscard]] Field header(BoundColumn& bound, Field field);
    /// The same for a text that is no column's.
    [[nodiscard]] std::string context_header(std::string_view content) const;

    /// A new table definition: what was warned of may be warned of again.
    void rebound() { warned_of_expansion_ = false; }

 private:
    /// As one converter writes it; `binary` holds the bytes of a bytea.
    [[nodiscard]] Field convert(BoundColumn& bound, Field field, const ConverterOptions& converter);
    /// Whether the payload is written as the JSON that it is, not as a text.
    [[nodiscard]] bool expands(const OutboxLayout& layout, const Payload& payload) const;
    /// Appends the payload; returns its schema where that is not the column's.
    const ConnectSchema* append_payload(OutboxLayout& layout, const Payload& payload,
                                        std::string& json);
    [[nodiscard]] Field enveloped(OutboxLayout& layout, const Payload& payload);
    void append_envelope_schema(const OutboxLayout& layout, const Payload& payload,
                                const ConnectSchema& payload_schema, std::string& json) const;
    std::string& text();

    const EventRouterOptions& options_;
    JsonExpansion expansion_;
    bool value_is_json_;  ///< JsonConverter, or as BinaryDataConverter's delegate
    bool value_has_schema_;
    bool infers_schema_;
    bool warned_of_expansion_ = false;
    std::deque<std::string> texts_;  ///< grow to what an event needs, then stay
    std::size_t texts_used_ = 0;
};

}  // namespace holdfast::relay::debezium
