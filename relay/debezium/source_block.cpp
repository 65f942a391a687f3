#include "debezium/source_block.hpp"

#include "debezium/json_text.hpp"

namespace holdfast::relay::debezium {

namespace {

constexpr std::string_view kNoOrigin = R"(,"xmin":null,"origin":null,"origin_lsn":null})";

/// An LSN as upstream's signed 64 bits.
void append_lsn(Lsn lsn, std::string& json) {
    append_json_int(static_cast<std::int64_t>(lsn.value), json);
}

/// An element of `sequence`, which is JSON in a JSON string.
void append_sequence_lsn(Lsn lsn, std::string& json) {
    if (lsn.value == 0) {
        json += "null";
        return;
    }
    json += "\\\"";
    append_lsn(lsn, json);
    json += "\\\"";
}

/// Down, also before 1970.
std::int64_t to_milliseconds(std::int64_t microseconds) {
    return (microseconds / 1000) - (microseconds % 1000 < 0 ? 1 : 0);
}

}  // namespace

ConnectSchema source_schema() {
    const auto required = [](std::string_view name, std::string_view type) {
        return ConnectField{std::string(name), {.type = std::string(type)}};
    };
    const auto optional = [](std::string_view name, std::string_view type) {
        return ConnectField{std::string(name), {.type = std::string(type), .optional = true}};
    };
    ConnectSchema snapshot{.type = "string", .optional = true, .name = "io.debezium.data.Enum"};
    snapshot.version = 1;
    snapshot.parameters = {
        {"allowed",
         "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"}};
    snapshot.default_json = "\"false\"";
    ConnectSchema source{.type = "struct", .name = "io.debezium.connector.postgresql.Source"};
    source.version = 1;
    source.fields = {required("version", "string"),  required("connector", "string"),
                     required("name", "string"),     required("ts_ms", "int64"),
                     {"snapshot", snapshot},         required("db", "string"),
                     optional("sequence", "string"), optional("ts_us", "int64"),
                     optional("ts_ns", "int64"),     required("schema", "string"),
                     required("table", "string"),    optional("txId", "int64"),
                     optional("lsn", "int64"),       optional("xmin", "int64"),
                     optional("origin", "string"),   optional("origin_lsn", "int64")};
    return source;
}

SourceBlock::SourceBlock(const ConnectorOptions& options)
    : streaming_(options.value_converter.replace_null_with_default ? "\"false\"" : "null"),
      origin_(kNoOrigin) {
    before_time_ = "{\"version\":\"";
    before_time_ += options.compat_version == CompatVersion::k36 ? "3.6.1.Final" : "3.7.0.Final";
    before_time_ += "\",\"connector\":\"postgresql\",\"name\":";
    append_json_string(options.topic_prefix, before_time_);
    before_time_ += ",\"ts_ms\":";
    database_ = ",\"db\":";
    append_json_string(options.database_name, database_);
    database_ += ",\"sequence\":\"[";
}

std::string SourceBlock::table_members(std::string_view schema, std::string_view table) {
    std::string json = ",\"schema\":";
    append_json_string(schema, json);
    json += ",\"table\":";
    append_json_string(table, json);
    json += ",\"txId\":";
    return json;
}

void SourceBlock::set_origin(const pgoutput::Origin& origin) {
    origin_ = ",\"xmin\":null,\"origin\":";
    append_json_string(origin.name, origin_);
    origin_ += ",\"origin_lsn\":";
    append_lsn(origin.commit_lsn, origin_);
    origin_ += '}';
}

void SourceBlock::clear_origin() {
    origin_ = kNoOrigin;
}

void SourceBlock::append(std::string_view table_members, const SourcePosition& position,
                         std::string& json) const {
    json += before_time_;
    append_json_int(to_milliseconds(position.time_us), json);
    json += ",\"snapshot\":";
    json += position.snapshot;
    json += database_;
    append_sequence_lsn(last_commit_, json);
    json += ',';
    append_sequence_lsn(position.sequence_lsn, json);
    json += "]\",\"ts_us\":";
    append_json_int(position.time_us, json);
    json += ",\"ts_ns\":";
    append_json_int(position.time_us * 1000, json);
    json += table_members;
    if (position.xid) {
        append_json_int(position.xid->value, json);
    } else {
        json += "null";
    }
    json += ",\"lsn\":";
    if (position.lsn.value != 0) {
        append_lsn(position.lsn, json);
    } else {
        json += "null";
    }
    json += origin_;
}

}  // namespace holdfast::relay::debezium
