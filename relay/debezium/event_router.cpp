#include "debezium/event_router.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "base/errors.hpp"
#include "debezium/timestamp_text.hpp"
#include "debezium/trace_context.hpp"

namespace holdfast::relay::debezium {

namespace {

/// Routing values are data: remembering all of them must not eat the memory.
constexpr std::size_t kMaxRememberedRoutes = 10'000;

/// std::regex takes stack for each character that it matches.
constexpr std::size_t kMaxRouteLength = 4096;

constexpr std::string_view kCreatedAt = "created_at";

/// Java's String.trim() cuts everything up to the space.
bool is_blank(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

std::vector<AdditionalPlacement> good_placements(const EventRouterOptions& options) {
    require_good(options);
    std::vector<std::string> none;
    return parse_placements(options.table_fields_additional_placement, none);
}

using Place = AdditionalPlacement::Place;

}  // namespace

EventRouter::EventRouter(EventRouterOptions options, TopicNames& topics)
    : options_(std::move(options)),
      placements_(good_placements(options_)),
      invalid_operation_(debezium::invalid_operation(options_)),
      topic_router_(options_.route_topic_regex, options_.route_topic_replacement),
      message_layout_(message_layout(options_, placements_)),
      writer_(options_),
      topics_(topics) {
    std::tie(schema_, table_) = split_table(options_.table);
    if (!options_.cloudevents_source.empty()) {
        cloud_events_.emplace(options_.cloudevents_source);
    }
    context_header_texts_.reserve(options_.context_headers.size());
    for (const auto& [name, value] : options_.context_headers) {
        context_header_texts_.push_back(writer_.context_header(value));
        context_headers_.push_back({name, context_header_texts_.back()});
    }
}

bool EventRouter::is_outbox(const pgoutput::Relation& relation) const {
    return relation.name == table_ && relation.schema == schema_;
}

void EventRouter::bind(const pgoutput::Relation& outbox, const TableDescription* table) {
    layout_ = bind_outbox(options_, placements_, outbox, table);
    writer_.rebound();
}

EventRouter::Field EventRouter::column(pgoutput::Tuple row, std::size_t index,
                                       const Position& position) const {
    const pgoutput::Value& value = row[index];
    switch (value.kind) {
        case pgoutput::Value::Kind::kText:
            return value.bytes;
        case pgoutput::Value::Kind::kNull:
            return std::nullopt;
        case pgoutput::Value::Kind::kUnchanged:
        case pgoutput::Value::Kind::kBinary:
            break;
    }
    malformed("a column has no text", std::nullopt, position);
}

const Record& EventRouter::route_row(pgoutput::Tuple row, const Position& position) {
    if (row.size() != layout_.column_count) {
        throw ProtocolError("an outbox row has " + std::to_string(row.size()) +
                            " columns, its relation " + std::to_string(layout_.column_count));
    }
    Event event;
    event.id = column(row, layout_.id.index, position);
    event.key = column(row, layout_.key.index, position);
    event.route = column(row, layout_.route, position);
    event.payload = column(row, layout_.payload.index, position);
    const auto optional = [&](const std::optional<std::size_t>& index) {
        return index ? column(row, *index, position) : Field();
    };
    event.timestamp = optional(layout_.timestamp);
    event.headers = optional(layout_.headers);
    event.type = optional(layout_.type);
    event.created_at = optional(layout_.created_at);
    event.trace_context = optional(layout_.trace_context);
    event.partition = optional(layout_.partition);
    event.schema_version = optional(layout_.schema_version);
    event.payload_is_json = layout_.payload_is_json;
    try {
        start_headers(layout_.id, event);
        for (BoundColumn& placement : layout_.header_placements) {
            headers_.push_back({placement.alias,
                                writer_.header(placement, column(row, placement.index, position))});
        }
        envelope_.clear();
        for (const BoundColumn& placement : layout_.envelope_placements) {
            envelope_.push_back(column(row, placement.index, position));
        }
        return finish(event, layout_, position);
    } catch (const ConversionError& error) {
        malformed(error.what(), event.id, position);
    }
}

void EventRouter::start_headers(BoundColumn& id, const Event& event) {
    writer_.start_event();
    headers_.assign(context_headers_.begin(), context_headers_.end());
    if (event.trace_context) {
        const TraceContext context = parse_trace_context(*event.trace_context);
        if (context.traceparent) {
            traceparent_ = writer_.context_header(*context.traceparent);
            headers_.push_back({"traceparent", traceparent_});
        }
        if (context.tracestate) {
            tracestate_ = writer_.context_header(*context.tracestate);
            headers_.push_back({"tracestate", tracestate_});
        }
    }
    headers_.push_back({"id", writer_.header(id, event.id)});
}

bool EventRouter::is_event(const pgoutput::LogicalMessage& message) const {
    return !options_.message_prefix.empty() && message.prefix == options_.message_prefix;
}

const Member* EventRouter::find_member(std::string_view name) const {
    const auto members = message_members_.members();
    const auto find = [&](std::string_view wanted) {
        const auto found = std::find_if(members.begin(), members.end(), [&](const Member& member) {
            return member.name == wanted;
        });
        return found == members.end() ? nullptr : &*found;
    };
    if (const Member* member = find(name)) {
        return member;
    }
    if (name == "aggregatetype") {
        return find("aggregateType");
    }
    return name == "aggregateid" ? find("aggregateId") : nullptr;
}

const Record& EventRouter::route_message(const pgoutput::LogicalMessage& message,
                                         const Position& position) {
    try {
        message_members_.parse(message.content);
    } catch (const JsonError& error) {
        malformed(std::string("the content of the message is ") + error.what(), std::nullopt,
                  position);
    }
    const auto field = [&](std::string_view name) -> Field {
        const Member* const member = find_member(name);
        if (member == nullptr || member->kind == Member::Kind::kNull) {
            return std::nullopt;
        }
        return member->text;
    };
    const auto need = [&](const std::string& name, Field id) {
        if (find_member(name) == nullptr) {
            malformed("the message has no member \"" + name + "\"", id, position);
        }
        return field(name);
    };
    Event event;
    event.id = need(options_.table_field_event_id, std::nullopt);
    event.key = need(options_.table_field_event_key, event.id);
    event.route = need(options_.route_by_field, event.id);
    event.payload = need(options_.table_field_event_payload, event.id);
    if (!options_.table_field_event_timestamp.empty()) {
        event.timestamp = field(options_.table_field_event_timestamp);
    }
    event.headers = field(options_.table_field_event_headers);
    const Member* const payload = find_member(options_.table_field_event_payload);
    event.payload_is_value = payload->kind != Member::Kind::kString;
    if (cloud_events_) {
        event.type = field(options_.table_field_event_type);
        event.payload_is_json = event.payload_is_value;
        if (options_.table_field_event_timestamp.empty()) {
            event.created_at = field(kCreatedAt);
        }
    }
    if (!options_.table_field_event_schema_version.empty()) {
        event.schema_version = field(options_.table_field_event_schema_version);
    }
    if (!options_.tracing_span_context_field.empty()) {
        event.trace_context = field(options_.tracing_span_context_field);
    }
    try {
        start_headers(message_layout_.id, event);
    } catch (const ConversionError& error) {
        malformed(error.what(), event.id, position);
    }
    envelope_.clear();
    auto header = message_layout_.header_placements.begin();
    for (const AdditionalPlacement& placement : placements_) {
        const bool may_miss = options_.table_field_additional_missing == "ignore";
        const Field value = may_miss ? field(placement.column) : need(placement.column, event.id);
        switch (placement.place) {
            case Place::kHeader:
                if (value || find_member(placement.column) != nullptr) {
                    headers_.push_back({header->alias, writer_.header(*header, value)});
                }
                ++header;
                break;
            case Place::kEnvelope:
                envelope_.push_back(value);
                break;
            case Place::kPartition:
                event.partition = value;
                break;
        }
    }
    return finish(event, message_layout_, position);
}

std::int32_t EventRouter::partition_of(const Event& event, const Position& position) const {
    std::int32_t partition = -1;
    const std::string_view text = *event.partition;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), partition);
    if (error != std::errc() || end != text.data() + text.size() || partition < 0) {
        malformed("\"" + std::string(text) +
                      "\" is not the number of a partition (table.fields.additional.placement)",
                  event.id, position);
    }
    return partition;
}

const Record& EventRouter::finish(const Event& event, OutboxLayout& layout,
                                  const Position& position) {
    if (!event.id) {
        malformed("the event has no id", std::nullopt, position);
    }
    if (!event.route) {
        malformed("\"" + options_.route_by_field + "\" is null (route.by.field)", event.id,
                  position);
    }
    record_.event_id = *event.id;
    record_.topic = topic_of(*event.route, event, position);
    record_.key = writer_.key(layout.key, event.key);
    record_.partition.reset();
    if (event.partition) {
        record_.partition = partition_of(event, position);
    }
    const bool empty = !event.payload || is_blank(*event.payload);
    if (options_.route_tombstone_on_empty_payload && empty) {
        record_.value.reset();
    } else {
        record_.value = writer_.value(layout, {.field = event.payload,
                                               .is_value = event.payload_is_value,
                                               .route = *event.route,
                                               .schema_version = event.schema_version,
                                               .envelope = envelope_});
    }
    std::int64_t time = position.event_time.unix_microseconds();
    if (event.timestamp) {
        const auto parsed = parse_timestamp(*event.timestamp);
        if (!parsed) {
            malformed("\"" + options_.table_field_event_timestamp + "\" is not a finite timestamp",
                      event.id, position);
        }
        time = *parsed;
    }
    record_.timestamp_ms = time / 1000;
    if (event.headers) {
        try {
            for (const Member& member : header_members_.parse(*event.headers)) {
                Header header{member.name, member.text};
                if (member.kind == Member::Kind::kNull) {
                    header.value.reset();
                }
                headers_.push_back(header);
            }
        } catch (const JsonError& error) {
            malformed("\"" + options_.table_field_event_headers + "\" is " + error.what(), event.id,
                      position);
        }
    }
    if (cloud_events_) {
        append_cloud_event(event, time);
    }
    record_.headers = headers_;
    return record_;
}

void EventRouter::append_cloud_event(const Event& event, std::int64_t time_us) {
    if (event.created_at) {
        time_us = parse_timestamp(*event.created_at).value_or(time_us);
    }
    cloud_events_->append({.id = record_.event_id,
                           .type = event.type,
                           .subject = event.key,
                           .time_us = time_us,
                           .data_is_json = event.payload_is_json && record_.value.has_value()},
                          headers_);
}

std::uint32_t EventRouter::topic_of(std::string_view route, const Event& event,
                                    const Position& position) {
    if (const auto known = topic_of_route_.find(route); known != topic_of_route_.end()) {
        return known->second;
    }
    if (route.size() > kMaxRouteLength) {
        malformed("\"" + options_.route_by_field + "\" is longer than " +
                      std::to_string(kMaxRouteLength) + " bytes (route.by.field)",
                  event.id, position);
    }
    const std::string value(route);
    const std::string topic = topic_router_.apply(value);
    if (!is_legal_topic(topic)) {
        malformed("\"" + topic + "\" cannot be the name of a topic", event.id, position);
    }
    const std::uint32_t index = topics_.add(topic);
    if (topic_of_route_.size() >= kMaxRememberedRoutes) {
        topic_of_route_.clear();
    }
    topic_of_route_.emplace(value, index);
    return index;
}

void EventRouter::malformed(const std::string& what, Field id, const Position& position) const {
    throw FatalError(
        ExitCode::kMalformedEvent,
        "event " + (id ? "\"" + std::string(*id) + "\" " : std::string()) + "at " +
            position.lsn.to_string() + " cannot become a record: " + what,
        "It is committed and cannot be skipped silently.  Make the configuration accept it, or, if "
        "it must never be published, move the slot past it with pg_replication_slot_advance.");
}

}  // namespace holdfast::relay::debezium
