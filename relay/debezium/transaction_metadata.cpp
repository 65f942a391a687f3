#include "debezium/transaction_metadata.hpp"

#include <algorithm>

#include "debezium/json_text.hpp"
#include "debezium/types/java_hash.hpp"

namespace holdfast::relay::debezium {

namespace {

constexpr std::string_view kMessageCollection = "LOGICAL_DECODING_MESSAGE";

ConnectSchema scalar(std::string_view type) {
    return {.type = std::string(type)};
}

}  // namespace

ConnectSchema transaction_block_schema() {
    ConnectSchema schema{.type = "struct", .optional = true, .name = "event.block"};
    schema.version = 1;
    schema.fields = {{"id", scalar("string")},
                     {"total_order", scalar("int64")},
                     {"data_collection_order", scalar("int64")}};
    return schema;
}

ConnectSchema transaction_key_schema() {
    ConnectSchema schema{.type = "struct",
                         .name = "io.debezium.connector.common.TransactionMetadataKey"};
    schema.version = 1;
    schema.fields = {{"id", scalar("string")}};
    return schema;
}

ConnectSchema transaction_value_schema() {
    ConnectSchema collection{.type = "struct", .optional = true, .name = "event.collection"};
    collection.version = 1;
    collection.fields = {{"data_collection", scalar("string")}, {"event_count", scalar("int64")}};
    ConnectSchema collections{.type = "array", .optional = true};
    collections.items = {collection};
    ConnectSchema count = scalar("int64");
    count.optional = true;
    ConnectSchema schema{.type = "struct",
                         .name = "io.debezium.connector.common.TransactionMetadataValue"};
    schema.version = 1;
    schema.fields = {{"status", scalar("string")},
                     {"id", scalar("string")},
                     {"event_count", count},
                     {"data_collections", collections},
                     {"ts_ms", scalar("int64")}};
    return schema;
}

std::size_t JavaOrderedCounts::slot(std::string_view name) {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [name](const Entry& entry) { return entry.name == name; });
    if (found != entries_.end()) {
        return static_cast<std::size_t>(found - entries_.begin());
    }
    entries_.push_back({std::string(name), java_string_hash(name), 0});
    return entries_.size() - 1;
}

std::int64_t JavaOrderedCounts::add(std::size_t slot) {
    std::int64_t& count = entries_[slot].count;
    if (count == 0) {
        counted_.push_back(slot);
        buckets_ = java_map_buckets(buckets_, counted_.size());
    }
    return ++count;
}

void JavaOrderedCounts::clear() {
    for (const std::size_t slot : counted_) {
        entries_[slot].count = 0;
    }
    counted_.clear();
}

void JavaOrderedCounts::sort() {
    // Within a bucket HashMap appends, and splitting a bucket keeps the order.
    const auto bucket = [this](std::size_t slot) {
        return java_map_bucket(entries_[slot].hash, buckets_);
    };
    std::stable_sort(counted_.begin(), counted_.end(),
                     [&bucket](std::size_t a, std::size_t b) { return bucket(a) < bucket(b); });
}

TransactionMetadata::TransactionMetadata() : messages_(counts_.slot(kMessageCollection)) {}

void TransactionMetadata::begin(Xid xid) {
    in_progress_ = true;
    xid_ = xid;
    total_ = 0;
    counts_.clear();
}

void TransactionMetadata::append_id(Lsn lsn, std::string& json) const {
    json += "\"id\":\"";
    append_json_int(xid_.value, json);
    json += ':';
    append_json_int(static_cast<std::int64_t>(lsn.value), json);
    json += '"';
}

std::int64_t TransactionMetadata::count(std::size_t collection) {
    ++total_;
    return counts_.add(collection);
}

void TransactionMetadata::append_block(std::size_t collection, Lsn lsn, std::string& json) {
    const std::int64_t order = count(collection);
    json += '{';
    append_id(lsn, json);
    json += ",\"total_order\":";
    append_json_int(total_, json);
    json += ",\"data_collection_order\":";
    append_json_int(order, json);
    json += '}';
}

void TransactionMetadata::append_message_block(Lsn lsn, std::string& json) {
    count_message();
    json += '{';
    append_id(lsn, json);
    json += ",\"total_order\":";
    append_json_int(total_, json);
    json += ",\"data_collection_order\":1}";
}

void TransactionMetadata::append_key(Lsn lsn, std::string& json) const {
    json += '{';
    append_id(lsn, json);
    json += '}';
}

void TransactionMetadata::append_begin(Lsn lsn, std::int64_t time_ms, std::string& json) const {
    json += "{\"status\":\"BEGIN\",";
    append_id(lsn, json);
    json += ",\"event_count\":null,\"data_collections\":null,\"ts_ms\":";
    append_json_int(time_ms, json);
    json += '}';
}

void TransactionMetadata::append_end(Lsn lsn, std::int64_t time_ms, std::string& json) {
    json += "{\"status\":\"END\",";
    append_id(lsn, json);
    json += ",\"event_count\":";
    append_json_int(total_, json);
    json += ",\"data_collections\":[";
    bool first = true;
    counts_.for_each([&](const JavaOrderedCounts::Entry& entry) {
        json += first ? "{\"data_collection\":" : ",{\"data_collection\":";
        first = false;
        append_json_string(entry.name, json);
        json += ",\"event_count\":";
        append_json_int(entry.count, json);
        json += '}';
    });
    json += "],\"ts_ms\":";
    append_json_int(time_ms, json);
    json += '}';
}

}  // namespace holdfast::relay::debezium
