#include "debezium/message_events.hpp"

#include <algorithm>
#include <utility>

#include "base/errors.hpp"
#include "debezium/json_text.hpp"
#include "debezium/name_adjuster.hpp"
#include "debezium/source_block.hpp"
#include "debezium/transaction_metadata.hpp"

namespace holdfast::relay::debezium {

namespace {

ConnectSchema make_struct(std::string_view name, const ConnectorOptions& options) {
    ConnectSchema schema{
        .type = "struct",
        .name = adjust_schema_name("io.debezium.connector.postgresql." + std::string(name),
                                   options.schema_name_adjustment_mode)};
    schema.version = 1;
    return schema;
}

const ConnectSchema& optional_string() {
    static const ConnectSchema schema{.type = "string", .optional = true};
    return schema;
}

ConnectSchema key_schema(const ConnectorOptions& options) {
    ConnectSchema schema = make_struct("MessageKey", options);
    schema.fields = {{"prefix", optional_string()}};
    return schema;
}

ConnectSchema value_schema(const ConnectorOptions& options) {
    const bool is_bytes = options.types.binary_handling_mode == BinaryHandling::kBytes;
    ConnectSchema message = make_struct("Message", options);
    message.fields = {{"prefix", optional_string()},
                      {"content", {.type = is_bytes ? "bytes" : "string", .optional = true}}};
    ConnectSchema schema = make_struct("MessageValue", options);
    schema.fields = {{"op", {.type = "string"}},
                     {"ts_ms", {.type = "int64", .optional = true}},
                     {"source", source_schema()},
                     {"transaction", transaction_block_schema()},
                     {"message", message}};
    return schema;
}

}  // namespace

MessageEvents::MessageEvents(const ConnectorOptions& options)
    : include_(options.message_prefix_include_list),
      exclude_(options.message_prefix_exclude_list),
      binary_(options.types.binary_handling_mode),
      source_members_(SourceBlock::table_members({}, {})),
      key_frame_(make_payload_frame(key_schema(options), options.key_converter)),
      value_frame_(make_payload_frame(value_schema(options), options.value_converter)) {}

bool MessageEvents::included(std::string_view prefix) {
    // std::regex recurses once per character, and a prefix may be of any length.
    constexpr std::size_t kMaxLength = 1024;
    constexpr std::size_t kMaxAnswers = 1000;
    if (include_.empty() && exclude_.empty()) {
        return true;
    }
    prefix_ = prefix;
    if (const auto known = answers_.find(prefix_); known != answers_.end()) {
        return known->second;
    }
    if (prefix.size() > kMaxLength) {
        throw FatalError(ExitCode::kMalformedEvent,
                         "a logical message has a prefix of " + std::to_string(prefix.size()) +
                             " bytes, which is too long for message.prefix.include.list and "
                             "message.prefix.exclude.list (1024)",
                         "Use shorter prefixes, or neither list.");
    }
    if (answers_.size() == kMaxAnswers) {
        answers_.clear();
    }
    const bool answer = include_.empty() ? !exclude_.matches(prefix) : include_.matches(prefix);
    answers_.emplace(prefix_, answer);
    return answer;
}

void MessageEvents::append_key(const pgoutput::LogicalMessage& message, std::string& json) const {
    json += key_frame_.prefix;
    json += "{\"prefix\":";
    append_json_string(message.prefix, json);
    json += '}';
    json += key_frame_.suffix;
}

void MessageEvents::append_before_source(std::int64_t now_ms, std::string& json) const {
    json += value_frame_.prefix;
    json += "{\"op\":\"m\",\"ts_ms\":";
    append_json_int(now_ms, json);
    json += ",\"source\":";
}

void MessageEvents::append_after_transaction(const pgoutput::LogicalMessage& message,
                                             std::string& json) const {
    json += ",\"message\":{\"prefix\":";
    append_json_string(message.prefix, json);
    json += ",\"content\":\"";
    append_content(message.content, json);
    json += "\"}}";
    json += value_frame_.suffix;
}

void MessageEvents::append_content(std::string_view content, std::string& json) const {
    if (binary_ == BinaryHandling::kHex) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        for (const char c : content) {
            const auto byte = static_cast<unsigned char>(c);
            json += kDigits[byte >> 4U];
            json += kDigits[byte & 0xFU];
        }
        return;
    }
    const std::size_t start = json.size();
    append_base64(content, json);
    if (binary_ == BinaryHandling::kBase64UrlSafe) {
        std::replace(json.begin() + static_cast<std::ptrdiff_t>(start), json.end(), '+', '-');
        std::replace(json.begin() + static_cast<std::ptrdiff_t>(start), json.end(), '/', '_');
    }
}

}  // namespace holdfast::relay::debezium
