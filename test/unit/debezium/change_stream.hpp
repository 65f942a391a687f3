// Change events in tests: tables made by hand, rows in, records as text out.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "debezium/change_events.hpp"
#include "pgoutput/decoder.hpp"
#include "support/pgoutput_frames.hpp"

namespace holdfast::relay::test {

inline constexpr std::uint32_t kBool = 16;
inline constexpr std::uint32_t kBytea = 17;
inline constexpr std::uint32_t kInt8 = 20;
inline constexpr std::uint32_t kInt4 = 23;
inline constexpr std::uint32_t kText = 25;
inline constexpr std::uint32_t kJson = 114;
inline constexpr std::uint32_t kVarchar = 1043;
inline constexpr std::uint32_t kNumeric = 1700;
inline constexpr std::uint32_t kTsquery = 3615;

inline constexpr std::int32_t kNumeric10Scale2 = ((10 << 16) | 2) + 4;

/// The types above.
inline debezium::TypeDescriptions catalogue_types() {
    debezium::TypeDescriptions types;
    for (const auto& [oid, name] :
         std::vector<std::pair<std::uint32_t, std::string>>{{kBool, "bool"},
                                                            {kBytea, "bytea"},
                                                            {kInt8, "int8"},
                                                            {kInt4, "int4"},
                                                            {kText, "text"},
                                                            {kJson, "json"},
                                                            {kVarchar, "varchar"},
                                                            {kNumeric, "numeric"},
                                                            {kTsquery, "tsquery"}}) {
        types[oid] = {.id = {oid}, .schema = "pg_catalog", .name = name};
    }
    return types;
}

/// A column of the catalogue and of the Relation message.
struct TableColumn {
    std::string name;
    std::uint32_t type = kText;
    bool not_null = false;
    std::optional<std::string> default_expression{};
    std::int32_t modifier = -1;
    bool in_identity = false;
};

struct TestTable {
    std::string schema = "inventory";
    std::string name = "customers";
    std::vector<TableColumn> columns;
    std::vector<std::string> key{};
    char identity = 'd';
    std::uint32_t oid = 16'400;
};

/// inventory.customers(id serial primary key, name text not null, balance numeric(10,2))
inline TestTable customers() {
    return {.columns = {{"id", kInt4, true, "nextval('inventory.customers_id_seq'::regclass)", -1,
                         true},
                        {"name", kText, true},
                        {"balance", kNumeric, false, std::nullopt, kNumeric10Scale2}},
            .key = {"id"}};
}

/// Records as text: "topic key value [header=value ...]", where a missing key or value is "(null)".
inline std::vector<std::string> render(const debezium::TopicNames& topics,
                                       debezium::Records records) {
    std::vector<std::string> lines;
    for (const debezium::Record& record : records) {
        std::string line = topics[record.topic];
        line += ' ';
        line += record.key.value_or("(null)");
        line += ' ';
        line += record.value.value_or("(null)");
        for (const debezium::Header& header : record.headers) {
            line += ' ';
            line += header.name;
            line += '=';
            line += header.value.value_or("(null)");
        }
        lines.push_back(std::move(line));
    }
    return lines;
}

/// Rows in, records out as text.
class ChangeStream {
 public:
    static constexpr std::int64_t kNow = 1'700'000'000'200'789;
    static constexpr std::int64_t kCommitTime = 1'700'000'000'123'456;

    explicit ChangeStream(const debezium::ConnectorOptions& options)
        : events(options, topics, "0b3f3c1e-run") {}

    void bind(const TestTable& table) {
        describe(table, [this](const auto& relation, const auto& description) {
            events.bind(relation, description);
        });
    }
    void bind_counted(const TestTable& table) {
        describe(table, [this](const auto& relation, const auto& description) {
            events.bind_counted(relation, description);
        });
    }
    void count_insert(const TestTable& table, const Row& row) {
        Values values(row);
        events.count(pgoutput::Insert{.relation = {table.oid}, .new_row = values.tuple()});
    }
    void count_update(const TestTable& table, const std::optional<Row>& old_row, const Row& row) {
        Values values(row);
        const Row old = old_row.value_or(Row{});  // what the values view
        Values old_values(old);
        pgoutput::Update update{.relation = {table.oid}, .old_row = {}, .new_row = values.tuple()};
        if (old_row) {
            update.old_row = {pgoutput::OldRow::Kind::kKey, old_values.tuple()};
        }
        events.count(update);
    }
    void count_delete(const TestTable& table, const Row& old_row) {
        Values values(old_row);
        events.count(pgoutput::Delete{.relation = {table.oid},
                                      .old_row = {pgoutput::OldRow::Kind::kKey, values.tuple()}});
    }
    void count_message(bool transactional, std::string_view prefix, std::uint64_t lsn) {
        events.count(
            {.transactional = transactional, .lsn = {lsn}, .prefix = prefix, .content = {}},
            at(lsn));
    }

 private:
    template <typename Take>
    void describe(const TestTable& table, Take take) {
        debezium::TableDescription description{.schema = table.schema,
                                               .name = table.name,
                                               .columns = {},
                                               .key_columns = table.key,
                                               .types = catalogue_types()};
        Bytes bytes;
        bytes.tag('R').u32(table.oid).c_string(table.schema).c_string(table.name);
        bytes.tag(table.identity).u16(static_cast<unsigned>(table.columns.size()));
        for (const TableColumn& column : table.columns) {
            description.columns.push_back({.name = column.name,
                                           .type = {column.type},
                                           .modifier = column.modifier,
                                           .not_null = column.not_null,
                                           .default_expression = column.default_expression});
            bytes.u8(column.in_identity ? 1 : 0).c_string(column.name).u32(column.type);
            bytes.u32(static_cast<std::uint32_t>(column.modifier));
        }
        const std::string frame = bytes.str();
        take(std::get<pgoutput::Relation>(decoder_.decode(frame)), description);
    }

 public:
    std::vector<std::string> begin(std::uint32_t xid = 732, std::uint64_t lsn = 22'335'900) {
        return render(
            events.begin({.final_lsn = {}, .commit_time = since_2000(), .xid = {xid}}, at(lsn)));
    }
    std::vector<std::string> commit(std::uint64_t end_lsn) {
        return render(events.commit(
            {.commit_lsn = {}, .end_lsn = {end_lsn}, .commit_time = since_2000()}, at(end_lsn)));
    }
    std::vector<std::string> insert(const Row& row, std::uint64_t lsn = 22'336'112,
                                    std::uint32_t oid = 16'400) {
        Values values(row);
        return render(events.insert({.relation = {oid}, .new_row = values.tuple()}, at(lsn)));
    }
    std::vector<std::string> update(const std::optional<Row>& old_row, const Row& row,
                                    char kind = 'K', std::uint64_t lsn = 22'336'112,
                                    std::uint32_t oid = 16'400) {
        Values values(row);
        const Row old = old_row.value_or(Row{});  // what the values view
        Values old_values(old);
        pgoutput::Update update{.relation = {oid}, .old_row = {}, .new_row = values.tuple()};
        if (old_row) {
            update.old_row = {
                kind == 'K' ? pgoutput::OldRow::Kind::kKey : pgoutput::OldRow::Kind::kFull,
                old_values.tuple()};
        }
        return render(events.update(update, at(lsn)));
    }
    std::vector<std::string> remove(const Row& old_row, std::uint64_t lsn = 22'336'112,
                                    std::uint32_t oid = 16'400) {
        Values values(old_row);
        return render(events.remove(
            {.relation = {oid}, .old_row = {pgoutput::OldRow::Kind::kKey, values.tuple()}},
            at(lsn)));
    }
    std::vector<std::string> truncate(const std::vector<std::uint32_t>& oids,
                                      std::uint64_t lsn = 22'336'112) {
        std::vector<pgoutput::RelationId> relations;
        for (const std::uint32_t oid : oids) {
            relations.push_back({oid});
        }
        return render(events.truncate(
            {.cascade = false, .restart_identity = false, .relations = relations}, at(lsn)));
    }
    std::vector<std::string> message(bool transactional, std::string_view prefix,
                                     std::string_view content, std::uint64_t lsn = 22'338'416) {
        return render(events.message(
            {.transactional = transactional, .lsn = {lsn}, .prefix = prefix, .content = content},
            at(lsn)));
    }
    std::vector<std::string> snapshot(const Row& row, debezium::SnapshotMarker marker,
                                      const debezium::SnapshotPosition& position) {
        Values values(row);
        return render(events.snapshot_row({16'400}, values.tuple(), marker, position));
    }

    std::vector<std::string> snapshot(const std::vector<Row>& rows, debezium::SnapshotMarker marker,
                                      const debezium::SnapshotPosition& position) {
        std::deque<Values> values;
        std::vector<pgoutput::Tuple> tuples;
        for (const Row& row : rows) {
            tuples.push_back(values.emplace_back(row).tuple());
        }
        return render(events.snapshot_rows({16'400}, tuples, marker, position));
    }

    static debezium::Frame at(std::uint64_t lsn) { return {.lsn = {lsn}, .now_us = kNow}; }

    std::vector<std::string> render(debezium::Records records) const {
        return test::render(topics, records);
    }

    debezium::TopicNames topics;
    debezium::ChangeEvents events;

 private:
    class Values {
     public:
        explicit Values(const Row& row) {
            for (const Cell& cell : row) {
                if (!cell) {
                    values_.push_back({});
                } else if (cell == kUnchanged) {
                    values_.push_back({.kind = pgoutput::Value::Kind::kUnchanged, .bytes = {}});
                } else {
                    values_.push_back({.kind = pgoutput::Value::Kind::kText, .bytes = *cell});
                }
            }
        }
        [[nodiscard]] pgoutput::Tuple tuple() const { return values_; }

     private:
        std::vector<pgoutput::Value> values_;
    };

    static pgoutput::Timestamp since_2000() {
        return {kCommitTime - (946'684'800LL * 1'000'000LL)};
    }

    pgoutput::Decoder decoder_;
};

/// Options of a plain connector: prefix `app`, database `shop`, no schemas, no headers.
inline debezium::ConnectorOptions plain_options() {
    debezium::ConnectorOptions options;
    options.topic_prefix = "app";
    options.database_name = "shop";
    options.key_converter.schemas_enable = false;
    options.value_converter.schemas_enable = false;
    options.extended_headers_enabled = false;
    return options;
}

}  // namespace holdfast::relay::test
