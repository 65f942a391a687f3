// A column of an outbox as a value of Kafka Connect, and what Connect's converters make of it.
//
// Without a description of its table (unit tests, fields of a logical message) a column is its
// text.
//
// Source: Connect's JsonConverter, StringConverter, SimpleHeaderConverter; docs/message-format.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "debezium/column_encoding.hpp"
#include "debezium/connect_schema.hpp"
#include "debezium/connector_options.hpp"
#include "debezium/table_description.hpp"
#include "pgoutput/messages.hpp"

namespace holdfast::relay::debezium {

/// Not thread-safe: the encoder may keep a buffer.
class ConnectColumn {
 public:
    /// nullopt = SQL NULL or JSON null.
    using Field = std::optional<std::string_view>;

    /// A required string.
    ConnectColumn();
    /// `table` may be null.  A column of a type that no change event has is an optional string.
    ConnectColumn(const pgoutput::Column& column, const TableDescription* table,
                  const TypeOptions& types);

    [[nodiscard]] const ConnectSchema& schema() const { return schema_; }
    /// A bytea, or a domain over one, unless binary.handling.mode makes a text of it.
    [[nodiscard]] bool is_bytes() const { return is_bytes_; }

    /// Appends the value as JsonConverter's payload.  Throws ConversionError.
    void append_json(Field field, bool replace_null_with_default, std::string& json);

    /// As SimpleHeaderConverter writes it, and StringConverter what is no struct, array or map;
    /// `buffer` holds it if it is not the field itself.  Throws ConversionError.
    [[nodiscard]] Field text(Field field, std::string& buffer);

 private:
    ConnectSchema schema_;
    std::unique_ptr<ValueEncoder> encoder_;  ///< null = the text itself
    std::string json_;                       ///< of text()
    bool is_bytes_ = false;
};

/// Appends what JsonConverter makes of a payload, or of a header: `{"schema":...,"payload":` before
/// it, if schemas are on, and `}` behind it.
void begin_json_envelope(const ConnectSchema& schema, bool schemas_enable, std::string& json);
void end_json_envelope(bool schemas_enable, std::string& json);

}  // namespace holdfast::relay::debezium
