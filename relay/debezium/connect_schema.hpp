// The schema of a Kafka Connect value, and its JSON as Connect's JsonConverter writes it in front
// of a payload (`"schema": {...}`).  Plain data; made once per table, never per event.
//
// Source: apache/kafka connect/json JsonConverter.asJsonSchema; docs/message-format.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::relay::debezium {

struct ConnectSchema;

/// A template, so that it can stand in ConnectSchema, which it holds.
template <typename Schema>
struct NamedSchema {
    std::string name;
    Schema schema;
};
using ConnectField = NamedSchema<ConnectSchema>;

struct ConnectSchema {
    /// boolean int8 int16 int32 int64 float double bytes string array map struct
    std::string type;
    bool optional = false;
    std::string name{};  ///< semantic type, as "io.debezium.time.Date"; "" = none
    std::optional<std::int32_t> version{};
    std::string doc{};                                              ///< "" = none
    std::vector<std::pair<std::string, std::string>> parameters{};  ///< in this order
    std::optional<std::string> default_json{};                      ///< the default, already JSON

    std::vector<ConnectField> fields{};  ///< of a struct
    std::vector<ConnectSchema> items{};  ///< of an array: one; of a map: key and value

    /// Appends the JSON object.  Members: type, items | keys, values | fields, optional, name,
    /// version, doc, parameters, default, field.  `field` is the name within a struct, "" = none.
    void write(std::string& json, std::string_view field = {}) const;
};

}  // namespace holdfast::relay::debezium
