// The conformance suite's cases without Java and without a server: what Debezium 3.7.0.Final wrote
// for the frames of test/conformance/golden/CASE.json, byte for byte.  What may differ, and which
// cases do, is listed in docs/message-format.md.
//
// Source of the format: test/conformance/suite/golden.py.
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/settings.hpp"
#include "base/errors.hpp"
#include "base/log.hpp"
#include "capture/partitioner.hpp"
#include "capture/translator.hpp"
#include "config/config.hpp"
#include "config/loader.hpp"
#include "pgoutput/decoder.hpp"

namespace holdfast::relay::capture {
namespace {

using Json = rapidjson::Value;
/// The records of each topic and partition, as text.
using Lines = std::map<std::pair<std::string, std::int32_t>, std::vector<std::string>>;

constexpr std::string_view kRunId = "9a5b1f0c-run";
constexpr std::string_view kJsonConverter = "org.apache.kafka.connect.json.JsonConverter";

std::string read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw std::runtime_error("cannot read " + path.string());
    }
    return {std::istreambuf_iterator<char>(file), {}};
}

std::filesystem::path golden_directory() {
    return std::filesystem::path(HOLDFAST_SOURCE_DIR) / "test/conformance/golden";
}

std::vector<std::string> case_names() {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(golden_directory())) {
        names.push_back(file.path().stem().string());
    }
    std::ranges::sort(names);
    return names;
}

/// The cases that the page lists as differing: the names in backquotes of a row's first cell.
std::set<std::string> differing_cases() {
    const std::string page =
        read(std::filesystem::path(HOLDFAST_SOURCE_DIR) / "docs/message-format.md");
    const std::size_t begin = page.find("<!-- differing cases -->");
    const std::size_t end = page.find("<!-- /differing cases -->");
    if (begin == std::string::npos || end == std::string::npos) {
        throw std::runtime_error("docs/message-format.md has no table of differing cases");
    }
    std::set<std::string> names;
    for (std::size_t row = page.find("\n| `", begin); row < end;
         row = page.find("\n| `", row + 1)) {
        std::string_view cell = std::string_view(page).substr(row + 2);
        cell = cell.substr(0, cell.find('|'));
        while (cell.find('`') != std::string_view::npos) {
            cell.remove_prefix(cell.find('`') + 1);
            names.emplace(cell.substr(0, cell.find('`')));
            cell.remove_prefix(cell.find('`') + 1);
        }
    }
    return names;
}

std::string text(const Json& value) {
    return {value.GetString(), value.GetStringLength()};
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

// ---- The configuration that stands for a connector's properties

std::string toml_string(std::string_view value) {
    std::string quoted = "\"";
    for (const char c : value) {
        quoted += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
    }
    return quoted + "\"";
}

std::string toml(const std::map<std::string, std::string>& table) {
    std::string lines;
    for (const auto& [key, value] : table) {
        lines += toml_string(key) + " = " + toml_string(value) + "\n";
    }
    return lines;
}

/// As HoldfastRelay.config() of test/conformance/suite/readers.py: a connector has one set of
/// converters, where an outbox has its own and change events are JSON.
config::Config configuration(const Json& golden) {
    std::map<std::string, std::string> connector{{"snapshot.mode", "no_data"}};
    std::map<std::string, std::string> outbox{
        {"table.field.event.headers", ""},
        {"table.fields.additional.placement", ""},
        {"route.topic.replacement", "outbox.event.${routedByValue}"},
        {"extended.headers.enabled", "true"},
        {"table.json.payload.compatibility", "debezium"},
        {"key.converter", std::string(kJsonConverter)},
        {"value.converter", std::string(kJsonConverter)}};
    constexpr std::string_view kTransform = "transforms.outbox.";
    for (const auto& option : golden["options"].GetObject()) {
        const std::string name = text(option.name);
        if (name.starts_with(kTransform)) {
            outbox[name.substr(kTransform.size())] = text(option.value);
            continue;
        }
        connector[name] = text(option.value);
        if (name.find(".converter") != std::string::npos || name == "extended.headers.enabled") {
            outbox[name] = text(option.value);
        }
    }
    for (const std::string side : {"key.converter", "value.converter"}) {
        if (connector.contains(side) && connector[side] != kJsonConverter) {
            std::erase_if(connector,
                          [&side](const auto& entry) { return entry.first.starts_with(side); });
        }
    }
    std::string file = "[postgres]\n[kafka]\n\"bootstrap.servers\" = \"127.0.0.1:1\"\n";
    file += "[connector]\n" + toml(connector);
    for (const auto& table : golden["outbox"].GetArray()) {
        outbox["table"] = text(table);
        file += "[[outbox]]\n" + toml(outbox);
    }
    return config::parse(file, "golden.toml", config::Privacy::kOwnerOnly, {});
}

// ---- The catalogue

std::vector<std::string> strings(const Json& array) {
    std::vector<std::string> values;
    for (const auto& value : array.GetArray()) {
        values.push_back(text(value));
    }
    return values;
}

debezium::TableDescription description(const Json& golden) {
    debezium::TableDescription table{.schema = text(golden["schema"]),
                                     .name = text(golden["name"]),
                                     .columns = {},
                                     .key_columns = strings(golden["key"]),
                                     .types = {}};
    for (const auto& column : golden["columns"].GetArray()) {
        table.columns.push_back({.name = text(column["name"]),
                                 .type = {column["type"].GetUint()},
                                 .modifier = column["modifier"].GetInt(),
                                 .not_null = column["not_null"].GetBool(),
                                 .generated = column["generated"].GetBool(),
                                 .identity = column["identity"].GetBool()});
        if (column["default"].IsString()) {
            table.columns.back().default_expression = text(column["default"]);
        }
    }
    for (const auto& member : golden["types"].GetObject()) {
        const Json& type = member.value;
        const auto oid = static_cast<std::uint32_t>(std::stoul(text(member.name)));
        table.types[oid] = {.id = {oid},
                            .schema = text(type["schema"]),
                            .name = text(type["name"]),
                            .kind = *type["kind"].GetString(),
                            .category = *type["category"].GetString(),
                            .element = {type["element"].GetUint()},
                            .base = {type["base"].GetUint()},
                            .base_modifier = type["base_modifier"].GetInt(),
                            .not_null = type["not_null"].GetBool(),
                            .labels = strings(type["labels"])};
    }
    return table;
}

/// What the catalogue said when the reader saw the frames up to a position.
class GoldenCatalog final : public TableCatalog {
 public:
    explicit GoldenCatalog(const Json& catalogs) : catalogs_(catalogs) {}

    void go_to(Lsn lsn) { lsn_ = lsn; }

    debezium::TableDescription describe(const pgoutput::Relation& relation) override {
        const std::string name = std::string(relation.schema) + "." + std::string(relation.name);
        for (const auto& entry : catalogs_.GetArray()) {
            if (lsn_.value <= entry[0].GetUint64()) {
                const auto found = entry[1].FindMember(name.c_str());
                return found == entry[1].MemberEnd() ? debezium::TableDescription{}
                                                     : description(found->value);
            }
        }
        throw std::runtime_error("no catalogue holds up to " + lsn_.to_string());
    }

 private:
    const Json& catalogs_;
    Lsn lsn_;
};

// ---- Records as text

/// The record as the files blank it (comparison.py), with clocks that stand at 0.
std::string line(std::string_view key, std::string value, const std::string& headers) {
    const auto blank = [&value](std::string_view clock, std::string_view blanked) {
        const std::size_t found = value.rfind(clock);
        if (found != std::string::npos) {
            value.replace(found, clock.size(), blanked);
        }
    };
    blank(R"(,"ts_ms":0,"ts_us":0,"ts_ns":0})", "}");
    blank(R"("op":"m","ts_ms":0,)", R"("op":"m","ts_ms": 0,)");
    if (key.find("\"serverName\"") != std::string_view::npos) {
        blank(R"({"ts_ms":0})", R"({"ts_ms": 0})");
    }
    return std::string(key) + "\n  " + value + "\n  " + headers;
}

std::string written(const Json& value, const Json& schemas) {
    if (value.IsNull()) {
        return "(null)";
    }
    if (value.IsString()) {
        return text(value);
    }
    if (value.IsObject()) {
        return from_hex(text(value["hex"]));
    }
    return R"({"schema":)" + text(schemas[value[0].GetUint()]) + R"(,"payload":)" + text(value[1]) +
           "}";
}

Lines golden_lines(const Json& golden) {
    Lines lines;
    for (const auto& record : golden["records"].GetArray()) {
        std::string headers;
        for (const auto& header : record[4].GetArray()) {
            headers += text(header[0]) + "=" + written(header[1], golden["schemas"]) + " ";
        }
        lines[{text(record[0]), record[1].GetInt()}].push_back(line(
            written(record[2], golden["schemas"]), written(record[3], golden["schemas"]), headers));
    }
    return lines;
}

/// How many partitions each topic had: as few as put every key where it was.
std::map<std::string, std::int32_t> partition_counts(const Json& golden) {
    constexpr std::int32_t kMost = 7;
    std::map<std::string, std::vector<std::pair<std::string, std::int32_t>>> keys;
    for (const auto& record : golden["records"].GetArray()) {
        keys[text(record[0])].emplace_back(written(record[2], golden["schemas"]),
                                           record[1].GetInt());
    }
    std::map<std::string, std::int32_t> counts;
    for (const auto& [topic, placed] : keys) {
        std::int32_t& count = counts.emplace(topic, 1).first->second;
        const auto fits = [&count](const auto& key) {
            return key.second == partition_of_key(key.first, count);
        };
        while (count < kMost && !std::ranges::all_of(placed, fits)) {
            ++count;
        }
    }
    return counts;
}

class RecordLines {
 public:
    explicit RecordLines(const Json& golden) : counts_(partition_counts(golden)) {}

    void add(const debezium::TopicNames& topics, debezium::Records records) {
        for (const debezium::Record& record : records) {
            const std::string& topic = topics[record.topic];
            const auto count = counts_.find(topic);
            std::string headers;
            for (const debezium::Header& header : record.headers) {
                headers += std::string(header.name) + "=";
                headers += header.value && header.value->find(kRunId) != std::string_view::npos
                               ? "<run>"
                               : header.value.value_or("(null)");
                headers += ' ';
            }
            const std::int32_t partition = record.partition.value_or(
                record.key && count != counts_.end() ? partition_of_key(*record.key, count->second)
                                                     : 0);
            lines_[{topic, partition}].push_back(line(record.key.value_or("(null)"),
                                                      std::string(record.value.value_or("(null)")),
                                                      headers));
        }
    }
    [[nodiscard]] const Lines& lines() const { return lines_; }

 private:
    std::map<std::string, std::int32_t> counts_;
    Lines lines_;
};

// ---- The stream

/// What the translator makes of a case's frames.  Ends where it halts, and says why.
struct Outcome {
    Lines lines;
    std::string halt;  ///< "" = it went through
};

Outcome replay(const Json& golden) {
    RecordLines records(golden);
    try {
        const config::Config configured = configuration(golden);
        GoldenCatalog catalog(golden["catalog"]);
        Translator translator(
            adapters::translator_options(configured, text(golden["database"]), std::string(kRunId)),
            &catalog);
        translator.attach(Lsn{});
        pgoutput::Decoder decoder;
        for (const auto& entry : golden["frames"].GetArray()) {
            const debezium::Frame frame{.lsn = {entry[0].GetUint64()}, .now_us = 0};
            catalog.go_to(frame.lsn);
            if (entry[1].IsNull()) {
                // A transaction of another case, of which nothing but the end counts.
                translator.translate(pgoutput::Begin{}, frame, {});
                translator.translate(
                    pgoutput::Commit{.commit_lsn = {}, .end_lsn = frame.lsn, .commit_time = {}},
                    frame, {});
                continue;
            }
            const std::string bytes = from_hex(text(entry[1]));
            records.add(translator.topics(),
                        translator.translate(decoder.decode(bytes), frame, {}));
        }
        if (golden["options"].HasMember("heartbeat.interval.ms")) {
            records.add(translator.topics(), translator.heartbeat(0));
        }
        return {records.lines(), ""};
    } catch (const Error& error) {
        return {records.lines(), error.what()};
    }
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, RecordsAreDebeziums) {
    rapidjson::Document golden;
    const std::string file = read(golden_directory() / (GetParam() + ".json"));
    golden.Parse(file.data(), file.size());
    ASSERT_FALSE(golden.HasParseError())
        << rapidjson::GetParseError_En(golden.GetParseError()) << " at " << golden.GetErrorOffset();
    if (golden["options"].HasMember("snapshot.mode")) {
        GTEST_SKIP() << "rows of a snapshot are no frames";
    }
    log::set_level(log::Level::kError);
    const Outcome outcome = replay(golden);
    log::set_level(log::Level::kInfo);
    const bool is_halt = golden.HasMember("halts");
    const Lines expected = golden_lines(golden);
    if (differing_cases().contains(GetParam())) {
        EXPECT_TRUE(outcome.lines != expected || outcome.halt.empty() == is_halt)
            << "docs/message-format.md says that this case differs";
        return;
    }
    EXPECT_EQ(!outcome.halt.empty(), is_halt) << outcome.halt;
    EXPECT_EQ(outcome.lines, expected);
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(case_names()),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace holdfast::relay::capture
