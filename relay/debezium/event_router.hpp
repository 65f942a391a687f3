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
#include "debezium/json_members.hpp"
#include "debezium/record.hpp"
#include "debezium/topic_names.hpp"
#include "debezium/topic_router.hpp"
#include "pgoutput/messages.hpp"

namespace holdfast::relay::debezium {

/// Column names are compared as they are in the catalogue: unquoted, case matters.
struct EventRouterOptions {
    /// The outbox, "schema.table" (ours).
    std::string table = "holdfast.outbox";
    /// Prefix of the logical messages that are events (ours); "" = none are.
    std::string message_prefix = "outbox";

    std::string table_field_event_id = "id";            ///< table.field.event.id
    std::string table_field_event_key = "aggregateid";  ///< table.field.event.key
    /// table.field.event.type: for CloudEvents; else unused, there too.
    std::string table_field_event_type = "type";
    std::string table_field_event_payload = "payload";  ///< table.field.event.payload
    /// table.field.event.timestamp: a timestamp or timestamptz column; "" = the time of commit.
    std::string table_field_event_timestamp;
    /// A json column whose members become headers (ours).  May be missing from the table.
    std::string table_field_event_headers = "headers";
    /// table.fields.additional.placement: "column:header[:alias]", separated by commas.
    std::string table_fields_additional_placement = "type:header:eventType";
    std::string route_by_field = "aggregatetype";              ///< route.by.field
    std::string route_topic_regex = "(?<routedByValue>.*)";    ///< route.topic.regex
    std::string route_topic_replacement = "${routedByValue}";  ///< route.topic.replacement
    bool route_tombstone_on_empty_payload = false;             ///< route.tombstone.on.empty.payload
    std::string table_op_invalid_behavior = "warn";            ///< table.op.invalid.behavior
    /// cloudevents.source (ours): every event gets the headers of a CloudEvent of this source, a
    /// URI reference; "" = none.
    std::string cloudevents_source;
};

/// Everything that is wrong with the options, each naming its option; empty = fine.
[[nodiscard]] std::vector<std::string> find_problems(const EventRouterOptions& options);

/// table.op.invalid.behavior: what happens to an update of an outbox row, which is not an event.
enum class InvalidOperation { kWarn, kError, kFatal };

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
    /// Finds the columns; call it for each Relation message of the outbox.  Throws FatalError
    /// (kOutboxShapeChanged) naming what is missing.
    void bind(const pgoutput::Relation& outbox);

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
    /// A column that becomes a header.
    struct Placement {
        std::string column;
        std::string header;
    };
    /// Positions of the columns in a row.
    struct Layout {
        std::size_t column_count = 0;
        std::size_t id = 0;
        std::size_t key = 0;
        std::size_t payload = 0;
        std::size_t route = 0;
        std::optional<std::size_t> timestamp;
        std::optional<std::size_t> headers;
        std::optional<std::size_t> type;        ///< for CloudEvents only, as the next
        std::optional<std::size_t> created_at;  ///< where no other column is the timestamp
        std::vector<std::size_t> placements;
        bool payload_is_bytea = false;
        bool payload_is_json = false;
    };

    /// The event's fields, wherever they came from.  nullopt = SQL NULL or JSON null.
    using Field = std::optional<std::string_view>;
    struct Event {
        Field id;
        Field key;
        Field route;
        Field payload;
        Field timestamp;
        Field headers;
        Field type;        ///< for CloudEvents only, as the next
        Field created_at;  ///< where no other field is the timestamp
        bool payload_is_json = false;
    };

    /// Completes record_ from `event`; headers_ holds the placements already.
    const Record& finish(const Event& event, const Position& position);
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
    std::vector<Placement> placements_;
    InvalidOperation invalid_operation_ = InvalidOperation::kWarn;
    TopicRouter topic_router_;
    std::optional<CloudEventHeaders> cloud_events_;

    Layout layout_;
    TopicNames& topics_;
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> topic_of_route_;

    Record record_;
    std::vector<Header> headers_;
    JsonMembers header_members_;
    JsonMembers message_members_;
    std::string bytes_;  ///< a bytea payload, decoded
};

}  // namespace holdfast::relay::debezium
