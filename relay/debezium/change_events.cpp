#include "debezium/change_events.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "debezium/context_headers.hpp"
#include "debezium/header_text.hpp"
#include "debezium/json_text.hpp"
#include "debezium/message_events.hpp"
#include "debezium/source_block.hpp"
#include "debezium/table_encoder.hpp"
#include "debezium/topic_naming.hpp"
#include "debezium/transaction_metadata.hpp"

namespace holdfast::relay::debezium {

namespace {

using Text = TableEncoder::Text;

std::string_view snapshot_json(SnapshotMarker marker) {
    switch (marker) {
        case SnapshotMarker::kFirst:
            return "\"first\"";
        case SnapshotMarker::kFirstInDataCollection:
            return "\"first_in_data_collection\"";
        case SnapshotMarker::kTrue:
            return "\"true\"";
        case SnapshotMarker::kLastInDataCollection:
            return "\"last_in_data_collection\"";
        case SnapshotMarker::kLast:
            return "\"last\"";
        case SnapshotMarker::kIncremental:
            return "\"incremental\"";
    }
    throw FatalError(ExitCode::kInternal, "unknown snapshot marker");
}

ConnectorOptions checked(ConnectorOptions options) {
    std::string all;
    for (const std::string& problem : find_problems(options)) {
        all += all.empty() ? problem : "; " + problem;
    }
    if (options.topic_prefix.empty()) {
        all += all.empty() ? "topic.prefix: it is not set" : "; topic.prefix: it is not set";
    }
    if (!all.empty()) {
        throw FatalError(ExitCode::kConfig, all);
    }
    return options;
}

ConnectSchema server_name_key_schema() {
    ConnectSchema schema{.type = "struct", .name = "io.debezium.connector.common.ServerNameKey"};
    schema.version = 1;
    schema.fields = {{"serverName", {.type = "string"}}};
    return schema;
}

ConnectSchema heartbeat_schema() {
    ConnectSchema schema{.type = "struct", .name = "io.debezium.connector.common.Heartbeat"};
    schema.version = 1;
    schema.fields = {{"ts_ms", {.type = "int64"}}};
    return schema;
}

}  // namespace

struct ChangeEvents::State {
    State(ConnectorOptions given, TopicNames& topic_names, const std::string& run_id)
        : options(checked(std::move(given))),
          skipped(options.skipped_operations == "none" ? "" : options.skipped_operations),
          rules{TableFilter(options), ColumnMapper(options),
                KeyColumns(options.message_key_columns)},
          topics(topic_names),
          source(options),
          messages(options),
          message_topic_number(topics.add(message_topic(options))),
          transaction_key_frame(
              make_payload_frame(transaction_key_schema(), options.key_converter)),
          transaction_value_frame(
              make_payload_frame(transaction_value_schema(), options.value_converter)),
          heartbeat_key_frame(make_payload_frame(server_name_key_schema(), options.key_converter)),
          heartbeat_value_frame(make_payload_frame(heartbeat_schema(), options.value_converter)) {
        if (options.provide_transaction_metadata) {
            transaction_topic_number = topics.add(transaction_topic(options));
        }
        if (options.extended_headers_enabled) {
            header_texts = debezium::context_headers(options.topic_prefix, run_id);
            for (auto& [name, value] : header_texts) {
                value = header_text(value);
                context_headers.push_back({name, value});
            }
        }
        for (KeyChange* change : {&deletion, &creation}) {
            change->headers.emplace_back();
            change->headers.insert(change->headers.end(), context_headers.begin(),
                                   context_headers.end());
        }
    }

    /// A string as the header converter writes it.
    std::string header_text(std::string_view text) const {
        if (options.header_converter.converter == Converter::kSimpleHeader) {
            return std::string(text);
        }
        const PayloadFrame frame = make_payload_frame({.type = "string"}, options.header_converter);
        std::string json = frame.prefix;
        append_json_string(text, json);
        return json + frame.suffix;
    }

    /// A table whose changes are only counted.
    struct Counted {
        std::size_t collection = 0;
        std::size_t column_count = 0;  ///< of a tuple
        std::vector<std::size_t> key;  ///< positions in one
    };

    /// Forgets the records of the last call; their buffers are used again.
    void reset() {
        records.clear();
        buffers_used = 0;
    }
    std::string& next_buffer() {
        if (buffers_used == buffers.size()) {
            buffers.emplace_back();
        }
        std::string& buffer = buffers[buffers_used++];
        buffer.clear();
        return buffer;
    }
    [[nodiscard]] Records result() const { return records; }

    TableEncoder& table(pgoutput::RelationId id) {
        const auto found = tables.find(id.value);
        if (found == tables.end()) {
            throw FatalError(ExitCode::kInternal, "a change of relation " +
                                                      std::to_string(id.value) +
                                                      ", which has not been described");
        }
        return *found->second;
    }

    void bind_counted(const pgoutput::Relation& relation, const TableDescription& description) {
        const std::string schema(relation.schema.empty() ? "pg_catalog" : relation.schema);
        const std::string table(relation.name);
        if (!options.provide_transaction_metadata || !rules.filter.captures(schema, table)) {
            return;
        }
        std::vector<std::string> names;
        for (const pgoutput::Column& column : relation.columns) {
            names.emplace_back(column.name);
        }
        counted[relation.id.value] = {
            transactions.collection(schema + "." + table), names.size(),
            rules.key_columns.find(schema, table, names, description.key_columns)};
    }

    /// nullptr = its changes are not counted.
    [[nodiscard]] const Counted* find_counted(pgoutput::RelationId id) const {
        const auto found = counted.find(id.value);
        return found == counted.end() || !transactions.in_progress() ? nullptr : &found->second;
    }
    void count(const Counted& table, char operation) {
        if (!skips(operation)) {
            transactions.count(table.collection);
        }
    }

    /// Where a message stands; it moves what comes after it.
    SourcePosition message_position(const pgoutput::LogicalMessage& message, const Frame& frame) {
        newest = frame.lsn;
        SourcePosition position = streaming_position(frame);
        if (!message.transactional) {
            // A transaction of its own, without id; its time is that of the last commit before it.
            source.set_last_commit(frame.lsn);
            position.xid.reset();
        }
        return position;
    }
    [[nodiscard]] bool in_transaction(const pgoutput::LogicalMessage& message) const {
        return message.transactional && transactions.in_progress();
    }

    [[nodiscard]] bool skips(char operation) const {
        return skipped.find(operation) != std::string::npos;
    }

    [[nodiscard]] SourcePosition streaming_position(const Frame& frame) const {
        return {.time_us = commit_time_us.value_or(frame.now_us),
                .snapshot = source.streaming(),
                .sequence_lsn = frame.lsn,
                .lsn = frame.lsn,
                .xid = xid};
    }

    std::string_view framed(const PayloadFrame& frame, std::string_view payload) {
        std::string& buffer = next_buffer();
        buffer += frame.prefix;
        buffer += payload;
        buffer += frame.suffix;
        return buffer;
    }

    /// What one event is made of.
    struct Event {
        char operation;
        const Text* key = nullptr;     ///< nullptr = Kafka's null
        const Text* before = nullptr;  ///< nullptr = null, as the next
        const Text* after = nullptr;
        std::span<const Header> headers{};
    };

    /// Adds the record of an event, and its tombstone, unless the operation is skipped.
    void add(TableEncoder& table, const Event& event, const SourcePosition& position, Lsn lsn,
             std::int64_t now_us) {
        const bool is_read = event.operation == 'r';
        if (!is_read && skips(event.operation)) {
            return;
        }
        std::string& value = next_buffer();
        const PayloadFrame& frame = table.value_frame();
        value += frame.prefix;
        value += "{\"before\":";
        value += event.before != nullptr ? std::string_view(event.before->json) : "null";
        value += ",\"after\":";
        value += event.after != nullptr ? std::string_view(event.after->json) : "null";
        value += ",\"source\":";
        source.append(table.source_members(), position, value);
        value += ",\"transaction\":";
        if (!is_read && transactions.in_progress()) {
            transactions.append_block(table.collection, lsn, value);
        } else {
            value += "null";
        }
        value += ",\"op\":\"";
        value += event.operation;
        value += "\",\"ts_ms\":";
        append_json_int(now_us / 1000, value);
        value += ",\"ts_us\":";
        append_json_int(now_us, value);
        value += ",\"ts_ns\":";
        append_json_int(now_us * 1000, value);
        value += '}';
        value += frame.suffix;

        Record record;
        record.topic = table.topic;
        record.value = value;
        if (event.key != nullptr) {
            record.key = framed(table.key_frame(), event.key->json);
        }
        record.headers = event.headers;
        record.timestamp_ms = now_us / 1000;
        records.push_back(record);
        if (event.operation == 'd' && options.tombstones_on_delete) {
            record.value.reset();
            records.push_back(record);
        }
    }

    /// A record that is not of a table: its frames and payloads.
    void add_plain(std::uint32_t topic, std::string_view key, std::string_view value,
                   std::int64_t now_us) {
        Record record;
        record.topic = topic;
        record.key = key;
        record.value = value;
        record.timestamp_ms = now_us / 1000;
        records.push_back(record);
    }

    const Text* encode_key(TableEncoder& table, pgoutput::Tuple row, pgoutput::Tuple old_row,
                           Lsn lsn, Text& text) {
        if (!table.has_key()) {
            return nullptr;
        }
        text.clear();
        table.append_key(row, old_row, lsn, text);
        return &text;
    }
    static const Text* encode_row(TableEncoder& table, pgoutput::Tuple row, pgoutput::Tuple old_row,
                                  Lsn lsn, Text& text) {
        text.clear();
        table.append_row(row, old_row, lsn, text);
        return &text;
    }

    /// The headers of one half of a changed key: the other half's key, then the context.
    struct KeyChange {
        std::string text;
        std::vector<Header> headers;
    };
    std::span<const Header> key_change_headers(KeyChange& change, std::string_view name,
                                               const TableEncoder& table, const Text& key) const {
        change.text.clear();
        if (options.header_converter.converter == Converter::kSimpleHeader) {
            append_header_text(key.json, table.key_schema(), change.text);
        } else {
            const PayloadFrame frame =
                make_payload_frame(table.key_schema(), options.header_converter);
            change.text = frame.prefix + key.json + frame.suffix;
        }
        change.headers.front() = {name, change.text};
        return change.headers;
    }

    void bind(const pgoutput::Relation& relation, const TableDescription& description) {
        const std::string topic = data_change_topic(
            options, relation.schema.empty() ? "pg_catalog" : relation.schema, relation.name);
        auto encoder = std::make_unique<TableEncoder>(relation, description, options, rules, topic);
        encoder->topic = topics.add(topic);
        encoder->collection = transactions.collection(encoder->name());
        const auto [first, is_new] = table_of_topic.emplace(topic, encoder->name());
        if (!is_new && first->second != encoder->name()) {
            log::warn(
                "change_topic_collision",
                {{"topic", topic}, {"table", encoder->name()}, {"other_table", first->second}});
            first->second = encoder->name();
        }
        warn(*encoder);
        tables[relation.id.value] = std::move(encoder);
    }

    /// Once, and again only when it is about other columns: every stream describes its tables anew.
    void warn(const TableEncoder& table) {
        std::string& told = warnings[table.name()];
        const std::string now = table.left_out() + ";" + table.outside_identity();
        if (told == now) {
            return;
        }
        told = now;
        if (!table.left_out().empty()) {
            log::warn("change_columns_left_out",
                      {{"table", table.name()}, {"columns", table.left_out()}});
        }
        if (!table.outside_identity().empty()) {
            log::warn("change_key_outside_identity",
                      {{"table", table.name()}, {"columns", table.outside_identity()}});
        }
    }

    const ConnectorOptions options;
    const std::string skipped;  ///< c, u, d, t
    const TableRules rules;
    TopicNames& topics;
    SourceBlock source;
    MessageEvents messages;
    TransactionMetadata transactions;

    std::uint32_t message_topic_number;
    std::uint32_t transaction_topic_number = 0;
    /// Made known when the first beat is: without heartbeats there is no such topic.
    std::optional<std::uint32_t> heartbeat_topic_number;
    PayloadFrame transaction_key_frame;
    PayloadFrame transaction_value_frame;
    PayloadFrame heartbeat_key_frame;
    PayloadFrame heartbeat_value_frame;

    std::vector<std::pair<std::string, std::string>> header_texts;  ///< what context_headers view
    std::vector<Header> context_headers;
    KeyChange deletion;
    KeyChange creation;

    std::unordered_map<std::uint32_t, std::unique_ptr<TableEncoder>> tables;
    std::unordered_map<std::uint32_t, Counted> counted;
    std::unordered_map<std::string, std::string> table_of_topic;
    std::unordered_map<std::string, std::string> warnings;  ///< by table

    // Of the transaction under way, or the newest one.
    std::optional<std::int64_t> commit_time_us;
    std::optional<Xid> xid;
    Lsn newest;  ///< where the newest message of the stream began

    std::vector<Record> records;
    std::deque<std::string> buffers;
    std::size_t buffers_used = 0;
    Text before;
    Text after;
    Text old_key;
    Text new_key;
};

ChangeEvents::ChangeEvents(ConnectorOptions options, TopicNames& topics, const std::string& run_id)
    : state_(std::make_unique<State>(std::move(options), topics, run_id)) {}

ChangeEvents::~ChangeEvents() = default;

bool ChangeEvents::captures(std::string_view schema, std::string_view table) const {
    return state_->rules.filter.captures(schema.empty() ? "pg_catalog" : schema, table);
}

void ChangeEvents::bind(const pgoutput::Relation& relation, const TableDescription& table) {
    state_->bind(relation, table);
}

void ChangeEvents::bind_counted(const pgoutput::Relation& relation, const TableDescription& table) {
    state_->bind_counted(relation, table);
}

void ChangeEvents::unbind_all() {
    state_->tables.clear();
    state_->counted.clear();
}

void ChangeEvents::resume_from(Lsn last_commit) noexcept {
    state_->source.set_last_commit(last_commit);
}

Records ChangeEvents::begin(const pgoutput::Begin& begin, const Frame& frame) {
    State& state = *state_;
    state.reset();
    state.source.clear_origin();
    state.commit_time_us = begin.commit_time.unix_microseconds();
    state.xid = begin.xid;
    state.newest = frame.lsn;
    if (state.options.provide_transaction_metadata) {
        state.transactions.begin(begin.xid);
        std::string& key = state.next_buffer();
        key += state.transaction_key_frame.prefix;
        state.transactions.append_key(frame.lsn, key);
        key += state.transaction_key_frame.suffix;
        std::string& value = state.next_buffer();
        value += state.transaction_value_frame.prefix;
        state.transactions.append_begin(frame.lsn, *state.commit_time_us / 1000, value);
        value += state.transaction_value_frame.suffix;
        state.add_plain(state.transaction_topic_number, key, value, frame.now_us);
    }
    return state.result();
}

void ChangeEvents::origin(const pgoutput::Origin& origin) {
    state_->source.set_origin(origin);
}

Records ChangeEvents::commit(const pgoutput::Commit& commit, const Frame& frame) {
    State& state = *state_;
    state.reset();
    state.source.set_last_commit(commit.end_lsn);
    state.commit_time_us = commit.commit_time.unix_microseconds();
    state.newest = commit.end_lsn;
    if (state.transactions.in_progress()) {
        std::string& key = state.next_buffer();
        key += state.transaction_key_frame.prefix;
        state.transactions.append_key(commit.end_lsn, key);
        key += state.transaction_key_frame.suffix;
        std::string& value = state.next_buffer();
        value += state.transaction_value_frame.prefix;
        state.transactions.append_end(commit.end_lsn, *state.commit_time_us / 1000, value);
        value += state.transaction_value_frame.suffix;
        state.add_plain(state.transaction_topic_number, key, value, frame.now_us);
        state.transactions.end();
    }
    return state.result();
}

Records ChangeEvents::insert(const pgoutput::Insert& insert, const Frame& frame) {
    State& state = *state_;
    state.reset();
    state.newest = frame.lsn;
    TableEncoder& table = state.table(insert.relation);
    if (insert.new_row.empty() || state.skips('c')) {
        return {};
    }
    const Text* key = state.encode_key(table, insert.new_row, {}, frame.lsn, state.new_key);
    const Text* after = State::encode_row(table, insert.new_row, {}, frame.lsn, state.after);
    state.add(table,
              {.operation = 'c', .key = key, .after = after, .headers = state.context_headers},
              state.streaming_position(frame), frame.lsn, frame.now_us);
    return state.result();
}

Records ChangeEvents::update(const pgoutput::Update& update, const Frame& frame) {
    State& state = *state_;
    state.reset();
    state.newest = frame.lsn;
    TableEncoder& table = state.table(update.relation);
    if (update.new_row.empty()) {
        return {};
    }
    const pgoutput::Tuple old_row = update.old_row ? update.old_row->row : pgoutput::Tuple{};
    const bool has_old = !old_row.empty();
    const Text* new_key =
        state.encode_key(table, update.new_row, old_row, frame.lsn, state.new_key);
    const Text* old_key =
        has_old ? state.encode_key(table, old_row, {}, frame.lsn, state.old_key) : nullptr;
    const Text* after = State::encode_row(table, update.new_row, old_row, frame.lsn, state.after);
    const Text* before =
        has_old ? State::encode_row(table, old_row, {}, frame.lsn, state.before) : nullptr;
    if (state.options.skip_messages_without_change && before != nullptr && *before == *after) {
        return {};
    }
    const SourcePosition position = state.streaming_position(frame);
    if (old_key == nullptr || *old_key == *new_key) {
        state.add(table,
                  {.operation = 'u',
                   .key = new_key,
                   .before = before,
                   .after = after,
                   .headers = state.context_headers},
                  position, frame.lsn, frame.now_us);
        return state.result();
    }
    state.add(
        table,
        {.operation = 'd',
         .key = old_key,
         .before = before,
         .headers = state.key_change_headers(state.deletion, "__debezium.newkey", table, *new_key)},
        position, frame.lsn, frame.now_us);
    state.add(
        table,
        {.operation = 'c',
         .key = new_key,
         .after = after,
         .headers = state.key_change_headers(state.creation, "__debezium.oldkey", table, *old_key)},
        position, frame.lsn, frame.now_us);
    return state.result();
}

Records ChangeEvents::remove(const pgoutput::Delete& deletion, const Frame& frame) {
    State& state = *state_;
    state.reset();
    state.newest = frame.lsn;
    TableEncoder& table = state.table(deletion.relation);
    const pgoutput::Tuple old_row = deletion.old_row.row;
    if (old_row.empty() || state.skips('d')) {
        return {};
    }
    const Text* key = state.encode_key(table, old_row, {}, frame.lsn, state.old_key);
    const Text* before = State::encode_row(table, old_row, {}, frame.lsn, state.before);
    state.add(table,
              {.operation = 'd', .key = key, .before = before, .headers = state.context_headers},
              state.streaming_position(frame), frame.lsn, frame.now_us);
    return state.result();
}

Records ChangeEvents::truncate(const pgoutput::Truncate& truncate, const Frame& frame) {
    State& state = *state_;
    state.reset();
    state.newest = frame.lsn;
    for (const pgoutput::RelationId relation : truncate.relations) {
        const auto found = state.tables.find(relation.value);
        if (found != state.tables.end()) {
            state.add(*found->second, {.operation = 't', .headers = state.context_headers},
                      state.streaming_position(frame), frame.lsn, frame.now_us);
        } else if (const State::Counted* table = state.find_counted(relation)) {
            state.count(*table, 't');
        }
    }
    return state.result();
}

Records ChangeEvents::message(const pgoutput::LogicalMessage& message, const Frame& frame) {
    State& state = *state_;
    state.reset();
    const SourcePosition position = state.message_position(message, frame);
    if (!state.messages.included(message.prefix)) {
        return {};
    }
    std::string& key = state.next_buffer();
    state.messages.append_key(message, key);
    std::string& value = state.next_buffer();
    state.messages.append_before_source(frame.now_us / 1000, value);
    state.source.append(state.messages.source_members(), position, value);
    value += ",\"transaction\":";
    if (state.in_transaction(message)) {
        state.transactions.append_message_block(frame.lsn, value);
    } else {
        value += "null";
    }
    state.messages.append_after_transaction(message, value);
    state.add_plain(state.message_topic_number, key, value, frame.now_us);
    return state.result();
}

void ChangeEvents::count(const pgoutput::Insert& insert) {
    if (const State::Counted* table = state_->find_counted(insert.relation)) {
        state_->count(*table, 'c');
    }
}

void ChangeEvents::count(const pgoutput::Update& update) {
    const State::Counted* table = state_->find_counted(update.relation);
    if (table == nullptr) {
        return;
    }
    const pgoutput::Tuple new_row = update.new_row;
    const pgoutput::Tuple old_row = update.old_row ? update.old_row->row : pgoutput::Tuple{};
    for (const pgoutput::Tuple row : {new_row, old_row}) {
        if (!row.empty() && row.size() != table->column_count) {
            throw ProtocolError("a row of relation " + std::to_string(update.relation.value) +
                                " has " + std::to_string(row.size()) +
                                " columns where its relation has " +
                                std::to_string(table->column_count));
        }
    }
    const bool is_key_changed =
        !old_row.empty() && !new_row.empty() &&
        std::ranges::any_of(table->key, [&](std::size_t position) {
            return new_row[position].kind != pgoutput::Value::Kind::kUnchanged &&
                   new_row[position] != old_row[position];
        });
    if (is_key_changed) {
        state_->count(*table, 'd');
        state_->count(*table, 'c');
    } else {
        state_->count(*table, 'u');
    }
}

void ChangeEvents::count(const pgoutput::Delete& deletion) {
    if (const State::Counted* table = state_->find_counted(deletion.relation)) {
        state_->count(*table, 'd');
    }
}

void ChangeEvents::count(const pgoutput::LogicalMessage& message, const Frame& frame) {
    (void)state_->message_position(message, frame);
    if (state_->messages.included(message.prefix) && state_->in_transaction(message)) {
        state_->transactions.count_message();
    }
}

Records ChangeEvents::snapshot_row(pgoutput::RelationId relation, pgoutput::Tuple row,
                                   SnapshotMarker marker, const SnapshotPosition& position) {
    return snapshot_rows(relation, std::span(&row, 1), marker, position);
}

Records ChangeEvents::snapshot_rows(pgoutput::RelationId relation,
                                    std::span<const pgoutput::Tuple> rows, SnapshotMarker marker,
                                    const SnapshotPosition& position) {
    State& state = *state_;
    state.reset();
    TableEncoder& table = state.table(relation);
    const SourcePosition source{
        .time_us = position.now_us,
        .snapshot = snapshot_json(marker),
        .sequence_lsn = position.lsn.value != 0 ? position.lsn : state.newest,
        .lsn = position.lsn,
        .xid = position.xid};
    for (const pgoutput::Tuple row : rows) {
        if (row.empty()) {
            continue;
        }
        const Text* key = state.encode_key(table, row, {}, position.lsn, state.new_key);
        const Text* after = State::encode_row(table, row, {}, position.lsn, state.after);
        state.add(table,
                  {.operation = 'r', .key = key, .after = after, .headers = state.context_headers},
                  source, position.lsn, position.now_us);
    }
    return state.result();
}

Records ChangeEvents::heartbeat(std::int64_t now_us) {
    State& state = *state_;
    state.reset();
    if (!state.heartbeat_topic_number) {
        state.heartbeat_topic_number = state.topics.add(heartbeat_topic(state.options));
    }
    std::string& key = state.next_buffer();
    key += state.heartbeat_key_frame.prefix;
    key += "{\"serverName\":";
    append_json_string(state.options.topic_prefix, key);
    key += '}';
    key += state.heartbeat_key_frame.suffix;
    std::string& value = state.next_buffer();
    value += state.heartbeat_value_frame.prefix;
    value += "{\"ts_ms\":";
    append_json_int(now_us / 1000, value);
    value += '}';
    value += state.heartbeat_value_frame.suffix;
    state.add_plain(*state.heartbeat_topic_number, key, value, now_us);
    state.records.back().partition = 0;
    return state.result();
}

}  // namespace holdfast::relay::debezium
