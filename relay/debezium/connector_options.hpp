// The options of Debezium's PostgreSQL connector that change a message, by their names.
//
// Source: Debezium documentation, "Debezium connector for PostgreSQL", connector properties.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::relay::debezium {

/// Which release's messages: what changed between them is docs/message-format.md, "Versions".
enum class CompatVersion { k36, k37 };

enum class DecimalHandling { kPrecise, kDouble, kString };
enum class TimePrecision {
    kAdaptive,
    kAdaptiveTimeMicroseconds,
    kConnect,
    kIsostring,
    kMicroseconds,
    kNanoseconds,
    kStructured,  ///< since 3.7
};
enum class IntervalHandling { kNumeric, kString };
enum class HstoreHandling { kJson, kMap };
enum class BinaryHandling { kBytes, kBase64, kBase64UrlSafe, kHex };
/// event.converting.failure.handling.mode
enum class ConversionFailure { kWarn, kSkip, kFail };
/// schema.name.adjustment.mode, field.name.adjustment.mode
enum class NameAdjustment { kNone, kAvro, kAvroUnicode };

/// What decides how a type's values look.
struct TypeOptions {
    CompatVersion compat_version = CompatVersion::k37;
    DecimalHandling decimal_handling_mode = DecimalHandling::kPrecise;
    TimePrecision time_precision_mode = TimePrecision::kAdaptive;
    IntervalHandling interval_handling_mode = IntervalHandling::kNumeric;
    HstoreHandling hstore_handling_mode = HstoreHandling::kJson;
    BinaryHandling binary_handling_mode = BinaryHandling::kBytes;
    int money_fraction_digits = 2;
    bool include_unknown_datatypes = false;
    /// unavailable.value.placeholder, the bytes that are meant (a `hex:` prefix is resolved).
    std::string unavailable_value_placeholder = "__debezium_unavailable_value";
    /// value.converter.decimal.format = NUMERIC: Decimal as a JSON number.  (The key's converter
    /// has its own; its columns are encoded with it.)
    bool decimal_format_numeric = false;
};

/// One of Connect's converters.
enum class Converter { kJson, kString, kByteArray, kBinaryData, kSimpleHeader };

/// key.converter / value.converter / header.converter with their own options.
struct ConverterOptions {
    Converter converter = Converter::kJson;
    bool schemas_enable = true;             ///< ….schemas.enable
    bool replace_null_with_default = true;  ///< ….replace.null.with.default
    bool decimal_format_numeric = false;    ///< ….decimal.format = NUMERIC
    /// BinaryDataConverter's delegate.converter.type for what is not bytes.
    Converter delegate = Converter::kJson;
    bool delegate_schemas_enable = true;
};

/// A property whose name carries an argument: column.mask.with.10.chars =
/// "inventory.customers.name".
struct ColumnRule {
    std::string property;  ///< whole name, for messages
    std::string argument;  ///< "10" of column.mask.with.10.chars; "SHA-256 salt" parts follow
    std::string salt;      ///< of column.mask.hash.*.with.salt.*
    std::vector<std::string> columns;  ///< anchored expressions over schema.table.column
};

struct ConnectorOptions {
    std::string topic_prefix;   ///< topic.prefix; "" = no change events
    std::string database_name;  ///< what source.db says

    CompatVersion compat_version = CompatVersion::k37;
    TypeOptions types;
    ConverterOptions key_converter;
    ConverterOptions value_converter;
    ConverterOptions header_converter{.converter = Converter::kSimpleHeader};

    // Which tables, columns and operations.  Lists are anchored, case-insensitive expressions.
    std::vector<std::string> schema_include_list;
    std::vector<std::string> schema_exclude_list;
    std::vector<std::string> table_include_list;
    std::vector<std::string> table_exclude_list;
    std::vector<std::string> column_include_list;
    std::vector<std::string> column_exclude_list;
    std::string message_key_columns;  ///< "schema.table:c1,c2;..."
    std::vector<std::string> message_prefix_include_list;
    std::vector<std::string> message_prefix_exclude_list;
    std::string skipped_operations = "t";  ///< c,u,d,t in any combination, or "none"
    bool skip_messages_without_change = false;

    // What is done to columns.
    std::vector<ColumnRule> mask_with_chars;    ///< column.mask.with.N.chars
    std::vector<ColumnRule> mask_hash;          ///< column.mask.hash.ALG.with.salt.S
    std::vector<ColumnRule> mask_hash_v2;       ///< column.mask.hash.v2.ALG.with.salt.S
    std::vector<ColumnRule> truncate_to_chars;  ///< column.truncate.to.N.chars
    std::vector<std::string> column_propagate_source_type;
    std::vector<std::string> datatype_propagate_source_type;

    // Shape of events.
    bool tombstones_on_delete = true;
    bool extended_headers_enabled = true;
    bool provide_transaction_metadata = false;
    ConversionFailure event_converting_failure_handling_mode = ConversionFailure::kWarn;
    NameAdjustment schema_name_adjustment_mode = NameAdjustment::kNone;
    NameAdjustment field_name_adjustment_mode = NameAdjustment::kNone;

    // Topics.
    std::string topic_delimiter = ".";
    std::string topic_transaction = "transaction";
    std::string topic_heartbeat_prefix = "__debezium-heartbeat";
    std::string topic_heartbeat_name;  ///< "" = prefix and topic.prefix
};

}  // namespace holdfast::relay::debezium
