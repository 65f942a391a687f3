#include "debezium/event_router.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/errors.hpp"
#include "debezium/timestamp_text.hpp"

namespace holdfast::relay::debezium {

namespace {

// pg_type.dat
constexpr pgoutput::TypeId kBytea{17};
constexpr pgoutput::TypeId kJson{114};
constexpr pgoutput::TypeId kJsonb{3802};
constexpr pgoutput::TypeId kTimestamp{1114};
constexpr pgoutput::TypeId kTimestamptz{1184};

/// Routing values are data: remembering all of them must not eat the memory.
constexpr std::size_t kMaxRememberedRoutes = 10'000;

/// When the event was written, where the outbox has it: a column of ours.
constexpr std::string_view kCreatedAt = "created_at";

/// std::regex takes stack for each character that it matches.
constexpr std::size_t kMaxRouteLength = 4096;

/// Java's String.trim() cuts everything up to the space.
std::string_view trim(std::string_view text) {
    while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') {
        text.remove_prefix(1);
    }
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') {
        text.remove_suffix(1);
    }
    return text;
}

/// The parts of a text between separators, trimmed.
std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(trim(text.substr(0, end)));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

/// table.fields.additional.placement, taken apart: pairs of column and header.
using Placements = std::vector<std::pair<std::string, std::string>>;

Placements parse_placements(const std::string& option, std::vector<std::string>& problems) {
    const auto problem = [&](const std::string& text) {
        problems.push_back("table.fields.additional.placement: " + text);
    };
    Placements placements;
    if (trim(option).empty()) {
        return placements;
    }
    for (const std::string& entry : split(option, ',')) {
        const auto parts = split(entry, ':');
        if (parts.size() < 2 || parts.size() > 3 || parts.front().empty() || parts.back().empty()) {
            problem("\"" + entry + "\" is not column:placement[:alias]");
        } else if (parts[1] == "envelope" || parts[1] == "partition") {
            problem("the placement \"" + parts[1] + "\" of \"" + parts[0] +
                    "\" is not supported, only \"header\" is");
        } else if (parts[1] != "header") {
            problem("\"" + parts[1] + "\" is no placement, \"header\" is");
        } else {
            placements.emplace_back(parts.front(), parts.size() == 3 ? parts[2] : parts[0]);
        }
    }
    return placements;
}

std::optional<InvalidOperation> parse_invalid_operation(std::string_view text) {
    if (text == "warn") {
        return InvalidOperation::kWarn;
    }
    if (text == "error") {
        return InvalidOperation::kError;
    }
    if (text == "fatal") {
        return InvalidOperation::kFatal;
    }
    return std::nullopt;
}

/// "schema.table" in two; an empty half when it is not that.
std::pair<std::string, std::string> split_table(const std::string& table) {
    const std::size_t dot = table.find('.');
    if (dot == std::string::npos) {
        return {};
    }
    return {table.substr(0, dot), table.substr(dot + 1)};
}

/// Debezium's name of the option that holds a column's name, and the value.
using NamedColumn = std::pair<const char*, const std::string*>;

TopicRouter make_topic_router(const EventRouterOptions& options) {
    const auto problems = find_problems(options);
    if (!problems.empty()) {
        std::string all = "[outbox] " + problems.front();
        for (std::size_t i = 1; i < problems.size(); ++i) {
            all += "; " + problems[i];
        }
        throw FatalError(ExitCode::kConfig, all);
    }
    return {options.route_topic_regex, options.route_topic_replacement};
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return -1;
}

/// bytea_output = hex, which is what walsenders send: "\x" and two digits for each byte.
bool decode_bytea(std::string_view text, std::string& bytes) {
    if (!text.starts_with("\\x") || text.size() % 2 != 0) {
        return false;
    }
    bytes.clear();
    for (std::size_t i = 2; i < text.size(); i += 2) {
        const int high = hex_digit(text[i]);
        const int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes += static_cast<char>((high << 4) | low);
    }
    return true;
}

}  // namespace

std::vector<std::string> find_problems(const EventRouterOptions& options) {
    std::vector<std::string> problems;
    const auto [schema, table] = split_table(options.table);
    if (schema.empty() || table.empty()) {
        problems.push_back("table: \"" + options.table + "\" is not schema.table");
    }
    for (const auto& [name, column] :
         {NamedColumn{"table.field.event.id", &options.table_field_event_id},
          NamedColumn{"table.field.event.key", &options.table_field_event_key},
          NamedColumn{"table.field.event.payload", &options.table_field_event_payload},
          NamedColumn{"route.by.field", &options.route_by_field}}) {
        if (column->empty()) {
            problems.push_back(std::string(name) + ": a column is needed");
        }
    }
    parse_placements(options.table_fields_additional_placement, problems);
    try {
        TopicRouter(options.route_topic_regex, options.route_topic_replacement);
    } catch (const TopicRouterError& error) {
        problems.emplace_back(error.what());
    }
    if (!parse_invalid_operation(options.table_op_invalid_behavior)) {
        problems.push_back("table.op.invalid.behavior: \"" + options.table_op_invalid_behavior +
                           "\" is not warn, error or fatal");
    }
    if (!options.cloudevents_source.empty()) {
        if (!is_uri_reference(options.cloudevents_source)) {
            problems.push_back("cloudevents.source: \"" + options.cloudevents_source +
                               "\" is not a URI reference");
        }
        if (options.table_field_event_type.empty()) {
            problems.emplace_back("table.field.event.type: a column is needed for CloudEvents");
        }
    }
    return problems;
}

EventRouter::EventRouter(EventRouterOptions options, TopicNames& topics)
    : options_(std::move(options)), topic_router_(make_topic_router(options_)), topics_(topics) {
    std::tie(schema_, table_) = split_table(options_.table);
    invalid_operation_ = *parse_invalid_operation(options_.table_op_invalid_behavior);
    std::vector<std::string> none;
    for (auto& [column, header] :
         parse_placements(options_.table_fields_additional_placement, none)) {
        placements_.push_back({std::move(column), std::move(header)});
    }
    if (!options_.cloudevents_source.empty()) {
        cloud_events_.emplace(options_.cloudevents_source);
    }
}

bool EventRouter::is_outbox(const pgoutput::Relation& relation) const {
    return relation.name == table_ && relation.schema == schema_;
}

void EventRouter::bind(const pgoutput::Relation& outbox) {
    const auto find = [&](std::string_view name) -> std::optional<std::size_t> {
        const auto found =
            std::find_if(outbox.columns.begin(), outbox.columns.end(),
                         [&](const pgoutput::Column& column) { return column.name == name; });
        if (found == outbox.columns.end()) {
            return std::nullopt;
        }
        return static_cast<std::size_t>(found - outbox.columns.begin());
    };
    const auto need = [&](const std::string& name, const char* option) {
        const auto index = find(name);
        if (!index) {
            throw FatalError(
                ExitCode::kOutboxShapeChanged,
                "table " + options_.table + " has no column \"" + name + "\" (" + option + ")",
                "Restore the column, or name another one in the configuration.");
        }
        return *index;
    };

    Layout layout;
    layout.column_count = outbox.columns.size();
    layout.id = need(options_.table_field_event_id, "table.field.event.id");
    layout.key = need(options_.table_field_event_key, "table.field.event.key");
    layout.payload = need(options_.table_field_event_payload, "table.field.event.payload");
    layout.route = need(options_.route_by_field, "route.by.field");
    if (!options_.table_field_event_timestamp.empty()) {
        layout.timestamp =
            need(options_.table_field_event_timestamp, "table.field.event.timestamp");
        const pgoutput::TypeId type = outbox.columns[*layout.timestamp].type;
        if (type != kTimestamp && type != kTimestamptz) {
            throw FatalError(ExitCode::kOutboxShapeChanged,
                             "column \"" + options_.table_field_event_timestamp + "\" of " +
                                 options_.table +
                                 " is not a timestamp (table.field.event.timestamp)");
        }
    }
    layout.headers = find(options_.table_field_event_headers);
    for (const Placement& placement : placements_) {
        layout.placements.push_back(need(placement.column, "table.fields.additional.placement"));
    }
    const pgoutput::TypeId payload_type = outbox.columns[layout.payload].type;
    layout.payload_is_bytea = payload_type == kBytea;
    layout.payload_is_json = payload_type == kJson || payload_type == kJsonb;
    if (cloud_events_) {
        layout.type = need(options_.table_field_event_type, "table.field.event.type");
        if (!layout.timestamp) {
            layout.created_at = find(kCreatedAt);
        }
    }
    layout_ = std::move(layout);
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
    event.id = column(row, layout_.id, position);
    event.key = column(row, layout_.key, position);
    event.route = column(row, layout_.route, position);
    event.payload = column(row, layout_.payload, position);
    if (layout_.payload_is_bytea && event.payload) {
        if (!decode_bytea(*event.payload, bytes_)) {
            malformed("the payload is not a bytea in hexadecimal", event.id, position);
        }
        event.payload = bytes_;
    }
    if (layout_.timestamp) {
        event.timestamp = column(row, *layout_.timestamp, position);
    }
    if (layout_.headers) {
        event.headers = column(row, *layout_.headers, position);
    }
    if (layout_.type) {
        event.type = column(row, *layout_.type, position);
        event.payload_is_json = layout_.payload_is_json;
    }
    if (layout_.created_at) {
        event.created_at = column(row, *layout_.created_at, position);
    }
    headers_.clear();
    headers_.push_back({"id", event.id});
    for (std::size_t i = 0; i < placements_.size(); ++i) {
        headers_.push_back({placements_[i].header, column(row, layout_.placements[i], position)});
    }
    return finish(event, position);
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
    if (cloud_events_) {
        event.type = field(options_.table_field_event_type);
        event.payload_is_json =
            find_member(options_.table_field_event_payload)->kind != Member::Kind::kString;
        if (options_.table_field_event_timestamp.empty()) {
            event.created_at = field(kCreatedAt);
        }
    }
    headers_.clear();
    headers_.push_back({"id", event.id});
    for (const Placement& placement : placements_) {
        headers_.push_back({placement.header, need(placement.column, event.id)});
    }
    return finish(event, position);
}

const Record& EventRouter::finish(const Event& event, const Position& position) {
    if (!event.id) {
        malformed("the event has no id", std::nullopt, position);
    }
    if (!event.route) {
        malformed("\"" + options_.route_by_field + "\" is null (route.by.field)", event.id,
                  position);
    }
    record_.event_id = *event.id;
    record_.topic = topic_of(*event.route, event, position);
    record_.key = event.key;
    record_.value = event.payload;
    if (options_.route_tombstone_on_empty_payload && event.payload &&
        trim(*event.payload).empty()) {
        record_.value.reset();
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
