// The outbox event router: an outbox row, or a logical message, becomes a record.  Follows
// Debezium's EventRouter transformation and takes its options by their names; where a name is given
// below, it is theirs.
//
// Columns are resolved once per Relation message, topics once per value of the routing column, so
// that an event costs neither a search by name nor a regular expression.
//
// Sources: Debezium documentation, "Outbox Event Router"; docs/message-format.md.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/lsn.hpp"
#include "debezium/cloud_events.hpp"
#include "debezium/connect_column.hpp"
#include "debezium/event_router_options.hpp"
#include "debezium/json_members.hpp"
#include "debezium/outbox_layout.hpp"
#include "debezium/outbox_writer.hpp"
#include "debezium/record.hpp"
#include "debezium/table_description.hpp"
#include "debezium/topic_names.hpp"
#include "debezium/topic_router.hpp"
#include "pgoutput/messages.hpp"

namespace holdfast::relay::debezium {

/// Not thread-safe.
class EventRouter {
 public:
    /// `topics` is shared and outlives this.  Throws FatalError(kConfig) with all problems of the
    /// options.
    EventRouter(EventRouterOptions options, TopicNames& topics);

    /// Where an event stands, for records and error messages.
    struct Position {
        Lsn lsn;                         ///< of the transaction or message
        pgoutput::Timestamp event_time;  ///< time of commit, or of sending for a lone message
    };

    [[nodiscard]] bool is_outbox(const pgoutput::Relation& relation) const;
    /// Finds the columns; call it for each Relation message of the outbox.  `table` is what the
    /// catalogue says of it; without one (null) every column is the text that it is.  Throws
    /// FatalError(kOutboxShapeChanged) naming what is missing or does not fit a converter.
    void bind(const pgoutput::Relation& outbox, const TableDescription* table = nullptr);

    /// Routes an inserted row of the relation that was bound last.  Throws FatalError
    /// (kMalformedEvent) naming LSN and event id when the row cannot become a record.
    const Record& route_row(pgoutput::Tuple row, const Position& position);

    [[nodiscard]] bool is_event(const pgoutput::LogicalMessage& message) const;
    /// Routes a message: a JSON object whose members are named as the columns (`aggregateType` and
    /// `aggregateId` are understood too).  A payload that is a JSON string gives its text, any
    /// other its bytes as they are.  Throws as route_row().
    const Record& route_message(const pgoutput::LogicalMessage& message, const Position& position);

    [[nodiscard]] InvalidOperation invalid_operation() const { return invalid_operation_; }
    [[nodiscard]] const EventRouterOptions& options() const { return options_; }

 private:
    using Field = ConnectColumn::Field;

    /// The event's fields, wherever they came from.
    struct Event {
        Field id;
        Field key;
        Field route;
        Field payload;
        Field timestamp;
        Field headers;
        Field type;        ///< for CloudEvents only, as the next
        Field created_at;  ///< where no other field is the timestamp
        Field trace_context;
        Field partition;
        Field schema_version;
        bool payload_is_json = false;
        bool payload_is_value = false;  ///< JSON itself, not a text: a message's object
    };

    /// Completes record_ from `event`; headers_ has the placements already.
    const Record& finish(const Event& event, OutboxLayout& layout, const Position& position);
    /// The context headers, those of the trace, and `id`.  Throws ConversionError.
    void start_headers(BoundColumn& id, const Event& event);
    [[nodiscard]] std::int32_t partition_of(const Event& event, const Position& position) const;

    Field column(pgoutput::Tuple row, std::size_t index, const Position& position) const;
    const Member* find_member(std::string_view name) const;
    void append_cloud_event(const Event& event, std::int64_t time_us);
    std::uint32_t topic_of(std::string_view route, const Event& event, const Position& position);
    [[noreturn]] void malformed(const std::string& what, Field id, const Position& position) const;

    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };

    EventRouterOptions options_;
    std::string schema_;
    std::string table_;
    std::vector<AdditionalPlacement> placements_;
    InvalidOperation invalid_operation_ = InvalidOperation::kWarn;
    TopicRouter topic_router_;
    std::optional<CloudEventHeaders> cloud_events_;

    OutboxLayout layout_;
    OutboxLayout message_layout_;
    OutboxWriter writer_;
    std::vector<Header> context_headers_;  ///< view context_header_texts_
    std::vector<std::string> context_header_texts_;
    std::string traceparent_;  ///< of the event, as the next
    std::string tracestate_;
    TopicNames& topics_;
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> topic_of_route_;

    Record record_;
    std::vector<Header> headers_;
    JsonMembers header_members_;
    JsonMembers message_members_;
    std::vector<Field> envelope_;  ///< of the event, by envelope placement
};

}  // namespace holdfast::relay::debezium
