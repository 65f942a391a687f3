// What Debezium 3.7.0.Final itself sends for the transactions of test/fixtures/debezium/events.sql,
// byte for byte: events-*.txt there, which Events.java has made with the properties beside them.
#include <gtest/gtest.h>

#include <charconv>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "debezium/change_events.hpp"
#include "debezium/change_stream.hpp"
#include "pgoutput/decoder.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr std::uint32_t kFloat8 = 701;
constexpr std::uint32_t kBpchar = 1042;
constexpr std::uint32_t kTimestamp = 1114;
constexpr std::uint32_t kTimestamptz = 1184;
constexpr std::uint32_t kMood = 16'481;
constexpr std::uint32_t kCode = 16'486;

std::int32_t numeric(std::int32_t precision, std::int32_t scale) {
    return ((precision << 16) | scale) + 4;
}

TypeDescriptions types() {
    TypeDescriptions types = test::catalogue_types();
    types[kFloat8] = {.id = {kFloat8}, .schema = "pg_catalog", .name = "float8"};
    types[kBpchar] = {.id = {kBpchar}, .schema = "pg_catalog", .name = "bpchar"};
    types[kTimestamp] = {.id = {kTimestamp}, .schema = "pg_catalog", .name = "timestamp"};
    types[kTimestamptz] = {.id = {kTimestamptz}, .schema = "pg_catalog", .name = "timestamptz"};
    types[kMood] = {.id = {kMood},
                    .schema = "inventory",
                    .name = "mood",
                    .kind = 'e',
                    .category = 'E',
                    .labels = {"sad", "ok, fine"}};
    types[kCode] = {.id = {kCode},
                    .schema = "inventory",
                    .name = "code",
                    .kind = 'd',
                    .category = 'S',
                    .base = {test::kVarchar},
                    .base_modifier = 14,
                    .not_null = true};
    return types;
}

ColumnDescription column(const std::string& name, std::uint32_t type, bool not_null = false,
                         std::int32_t modifier = -1) {
    return {.name = name, .type = {type}, .modifier = modifier, .not_null = not_null};
}
ColumnDescription with_default(ColumnDescription column, const std::string& expression) {
    column.default_expression = expression;
    return column;
}

/// What the catalogue says of the tables of events.sql.
std::map<std::string, TableDescription, std::less<>> catalogue() {
    using test::kBool;
    using test::kBytea;
    using test::kInt4;
    using test::kInt8;
    using test::kNumeric;
    using test::kText;
    using test::kVarchar;
    std::map<std::string, TableDescription, std::less<>> tables;
    const auto add = [&tables](const std::string& name, std::vector<ColumnDescription> columns,
                               std::vector<std::string> key) {
        tables[name] = {.schema = "inventory",
                        .name = name,
                        .columns = std::move(columns),
                        .key_columns = std::move(key),
                        .types = types()};
    };
    add("customers",
        {with_default(column("id", kInt4, true), "nextval('inventory.customers_id_seq'::regclass)"),
         column("name", kText, true), column("balance", kNumeric, false, numeric(10, 2))},
        {"id"});
    add("whole",
        {column("a", kInt4, true),
         with_default(column("b", kVarchar, true, 24), "'x''y'::character varying"),
         column("c", kText), column("d", kBytea), with_default(column("e", kBool), "true")},
        {"b", "a"});
    add("keyless", {column("a", kInt4), column("t", kText)}, {});
    add("we ird", {column("id", kInt4, true), column("first name", kText)}, {"id"});
    add("custom",
        {column("id", kInt4, true), column("grp", kText, true), column("sec", kText),
         column("num", kNumeric, false, numeric(5, 1))},
        {"id"});
    add("by_index",
        {column("id", kInt4, true), column("code", kText, true),
         with_default(column("n", kNumeric, true, numeric(8, 3)), "1.5"), column("u", kInt4)},
        {"id"});
    add("uniques", {with_default(column("a", kInt4), "7"), column("b", kText), column("c", kInt4)},
        {"b", "a"});
    add("wide_key",
        {column("k", kNumeric, true, numeric(12, 8)), column("t", kText, true),
         column("f", kFloat8, true), column("ts", kTimestamp, true), column("bo", kBool, true),
         column("by", kBytea, true)},
        {"k", "t", "f", "ts", "bo", "by"});
    add("types",
        {column("id", kInt8, true), column("m", kMood), column("d", kCode),
         column("v", kVarchar, false, 7), column("c", kBpchar, false, 9),
         column("e\U0001F600\"q", kText),
         with_default(column("x", kTimestamptz, false, 3), "now()"), column("big", kText)},
        {"id"});
    return tables;
}

std::string path(const std::string& name) {
    return std::string(HOLDFAST_SOURCE_DIR) + "/test/fixtures/debezium/" + name;
}

std::vector<std::string> read_lines(const std::string& name) {
    std::ifstream in(path(name));
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

std::string from_hex(std::string_view digits) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        unsigned byte = 0;
        std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

/// Puts an N for the digits after each `name` that follows the field `op`.
void hide_number(std::string& line, std::size_t from, const std::string& name) {
    const std::size_t found = line.find(name, from);
    if (found != std::string::npos) {
        const std::size_t start = found + name.size();
        line.replace(start, line.find_first_not_of("0123456789", start) - start, "N");
    }
}

/// As Events.java hides what differs from run to run.
std::string hidden(std::string line) {
    const std::size_t operation = line.rfind("\"op\":\"");
    if (operation != std::string::npos) {
        hide_number(line, operation, "\"ts_ms\":");
        if (line[operation + 6] != 'm') {
            hide_number(line, operation, "\"ts_us\":");
            hide_number(line, operation, "\"ts_ns\":");
        }
    }
    return line;
}

/// The lines that the frames of the stream become.
std::vector<std::string> replay(const ConnectorOptions& options) {
    TopicNames topics;
    ChangeEvents events(options, topics, "N");
    pgoutput::Decoder decoder;
    const auto tables = catalogue();
    std::map<std::uint32_t, bool> captured;
    std::vector<std::string> lines;
    for (const std::string& line : read_lines("events.frames")) {
        const std::size_t tab = line.find('\t');
        const Frame frame{.lsn = Lsn::parse(line.substr(0, tab)).value(), .now_us = 1};
        const std::string bytes = from_hex(std::string_view(line).substr(tab + 1));
        const pgoutput::Message message = decoder.decode(bytes);
        Records records;
        if (const auto* begin = std::get_if<pgoutput::Begin>(&message)) {
            records = events.begin(*begin, frame);
        } else if (const auto* commit = std::get_if<pgoutput::Commit>(&message)) {
            records = events.commit(*commit, frame);
        } else if (const auto* origin = std::get_if<pgoutput::Origin>(&message)) {
            events.origin(*origin);
        } else if (const auto* relation = std::get_if<pgoutput::Relation>(&message)) {
            captured[relation->id.value] = events.captures(relation->schema, relation->name);
            if (captured[relation->id.value]) {
                events.bind(*relation, tables.find(relation->name)->second);
            }
        } else if (const auto* insert = std::get_if<pgoutput::Insert>(&message)) {
            if (captured[insert->relation.value]) {
                records = events.insert(*insert, frame);
            }
        } else if (const auto* update = std::get_if<pgoutput::Update>(&message)) {
            if (captured[update->relation.value]) {
                records = events.update(*update, frame);
            }
        } else if (const auto* deletion = std::get_if<pgoutput::Delete>(&message)) {
            if (captured[deletion->relation.value]) {
                records = events.remove(*deletion, frame);
            }
        } else if (const auto* truncate = std::get_if<pgoutput::Truncate>(&message)) {
            records = events.truncate(*truncate, frame);
        } else if (const auto* logical = std::get_if<pgoutput::LogicalMessage>(&message)) {
            records = events.message(*logical, frame);
        }
        for (std::string& text : test::render(topics, records)) {
            lines.push_back(hidden(std::move(text)));
        }
    }
    return lines;
}

void expect_lines(const std::string& name, const ConnectorOptions& options) {
    const std::vector<std::string> expected = read_lines("events-" + name + ".txt");
    const std::vector<std::string> lines = replay(options);
    ASSERT_GT(expected.size(), 30U);
    ASSERT_EQ(lines.size(), expected.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        EXPECT_EQ(lines[i], expected[i]) << "line " << i + 1;
    }
}

ConnectorOptions options() {
    ConnectorOptions options = test::plain_options();
    options.extended_headers_enabled = true;
    return options;
}

TEST(DebeziumEvents, WithTransactionMetadata) {
    ConnectorOptions transactions = options();
    transactions.provide_transaction_metadata = true;
    transactions.skipped_operations = "none";
    expect_lines("transactions", transactions);
}

TEST(DebeziumEvents, WithColumnsFilteredMaskedAndDescribed) {
    ConnectorOptions columns = options();
    columns.key_converter.schemas_enable = true;
    columns.value_converter.schemas_enable = true;
    columns.value_converter.replace_null_with_default = false;
    columns.message_key_columns = "inventory.custom:grp,id;inventory.customers:balance";
    columns.mask_hash = {{"column.mask.hash.SHA-256.with.salt.pepper",
                          "SHA-256",
                          "pepper",
                          {"inventory.whole.[bc]"}}};
    columns.mask_hash_v2 = {{"column.mask.hash.v2.SHA-512/256.with.salt.pepper",
                             "SHA-512/256",
                             "pepper",
                             {"inventory.keyless.t", "inventory.types.(m|d|v|c)"}}};
    columns.mask_with_chars = {
        {"column.mask.with.4.chars", "4", {}, {"inventory.custom.(sec|num)"}}};
    columns.truncate_to_chars = {{"column.truncate.to.2.chars",
                                  "2",
                                  {},
                                  {"inventory.customers.(name|id|balance)", "inventory.whole.d",
                                   "inventory.types.(big|x|id)"}}};
    columns.column_propagate_source_type = {"inventory.we ird.*", "inventory.wide_key.*",
                                            "inventory.by_index.*", "inventory.uniques.*"};
    columns.datatype_propagate_source_type = {"inventory.types.text"};
    columns.skip_messages_without_change = true;
    columns.schema_name_adjustment_mode = NameAdjustment::kAvro;
    columns.field_name_adjustment_mode = NameAdjustment::kAvroUnicode;
    columns.skipped_operations = "d";
    columns.column_exclude_list = {"inventory.keyless.a"};
    columns.message_prefix_exclude_list = {"LO.*"};
    columns.extended_headers_enabled = false;
    columns.types.binary_handling_mode = BinaryHandling::kHex;
    expect_lines("columns", columns);
}

TEST(DebeziumEvents, WithoutTombstonesAndSomeTables) {
    ConnectorOptions plain = options();
    plain.key_converter.schemas_enable = true;
    plain.tombstones_on_delete = false;
    plain.table_exclude_list = {"inventory\\.(custom|we ird)"};
    plain.types.time_precision_mode = TimePrecision::kConnect;
    plain.types.decimal_handling_mode = DecimalHandling::kString;
    plain.schema_name_adjustment_mode = NameAdjustment::kAvroUnicode;
    expect_lines("plain", plain);
}

TEST(DebeziumEvents, WithKeysInHeaders) {
    ConnectorOptions keys = options();
    keys.table_include_list = {"INVENTORY\\..*"};
    keys.types.time_precision_mode = TimePrecision::kConnect;
    expect_lines("keys", keys);
}

}  // namespace
}  // namespace holdfast::relay::debezium
