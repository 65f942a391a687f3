// One bound table: its topic, its schemas, and the JSON of its rows and keys.  What does not change
// from event to event is made when the table is bound.
//
// Source: docs/message-format.md, "Change events"; Debezium, TableSchemaBuilder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/lsn.hpp"
#include "debezium/column_encoding.hpp"
#include "debezium/column_mapper.hpp"
#include "debezium/connector_options.hpp"
#include "debezium/key_columns.hpp"
#include "debezium/payload_frame.hpp"
#include "debezium/table_description.hpp"
#include "debezium/table_filter.hpp"
#include "pgoutput/messages.hpp"

namespace holdfast::relay::debezium {

/// What the options say of all tables.
struct TableRules {
    TableFilter filter;
    ColumnMapper mapper;
    KeyColumns key_columns;
};

/// Not thread-safe.
class TableEncoder {
 public:
    /// `topic_name` is the sanitised name of the topic.  Throws FatalError(kConfig) when two
    /// columns become one field, or a key column that message.key.columns names is not there;
    /// (kInternal) when a type is not described.
    TableEncoder(const pgoutput::Relation& relation, const TableDescription& table,
                 const ConnectorOptions& options, const TableRules& rules,
                 std::string_view topic_name);

    /// JSON of a row, and what tells a default from the null that it stands for.
    struct Text {
        std::string json;
        std::string nulls;  ///< positions of the nulls, as raw bytes

        void clear() {
            json.clear();
            nulls.clear();
        }
        bool operator==(const Text&) const = default;
    };

    /// Appends the row as the schema `Value` has it.  Values that `row` leaves out because they are
    /// TOASTed and unchanged come from `old_row`, if that is not empty.  Throws FatalError
    /// (kMalformedEvent) naming column and LSN when a value cannot be converted and that is to
    /// fail, or its column takes no null.
    void append_row(pgoutput::Tuple row, pgoutput::Tuple old_row, Lsn lsn, Text& text);
    /// Appends the payload of the key, of which there has to be one.
    void append_key(pgoutput::Tuple row, pgoutput::Tuple old_row, Lsn lsn, Text& text);

    [[nodiscard]] bool has_key() const noexcept { return !key_.empty(); }
    [[nodiscard]] const ConnectSchema& key_schema() const noexcept { return key_schema_; }
    [[nodiscard]] const PayloadFrame& key_frame() const noexcept { return key_frame_; }
    [[nodiscard]] const PayloadFrame& value_frame() const noexcept { return value_frame_; }
    /// For SourceBlock::append().
    [[nodiscard]] const std::string& source_members() const noexcept { return source_members_; }
    /// "schema.table"
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// Columns that are not in the events because of their type, separated by commas.
    [[nodiscard]] const std::string& left_out() const noexcept { return left_out_; }
    /// Key columns that old rows do not carry, being outside of the replica identity.
    [[nodiscard]] const std::string& outside_identity() const noexcept { return outside_identity_; }

    /// Numbers that the owner keeps here.
    std::uint32_t topic = 0;
    std::size_t collection = 0;

 private:
    struct Column {
        std::size_t position = 0;  ///< in a tuple
        std::string member;        ///< `{"name":` or `,"name":`
        std::unique_ptr<ValueEncoder> encoder;
        std::unique_ptr<ValueMapping> mapping;
        std::string null;                        ///< JSON of a null
        std::optional<std::string> unavailable;  ///< JSON of a TOASTed value that is not there
        /// JSON of a value that cannot be converted; nullopt = a null cannot stand here.
        std::optional<std::string> unset;
        bool warned = false;
    };
    enum class Part { kKey, kValue };

    /// nullopt = Debezium leaves columns of this type out.  Adds the field to `schema`.
    std::optional<Column> make_column(const ColumnDescription& column, std::size_t position,
                                      const TableDescription& table, const TypeOptions& types,
                                      const ConverterOptions& converter, const ColumnMapper* mapper,
                                      ConnectSchema& schema) const;
    void append(std::vector<Column>& columns, Part part, pgoutput::Tuple row,
                pgoutput::Tuple old_row, Lsn lsn, Text& text);
    void append_value(Column& column, Part part, const pgoutput::Value& value, Lsn lsn, Text& text);
    void append_unset(Column& column, Part part, std::string_view why, Lsn lsn, Text& text);

    std::string schema_name_;
    std::string table_name_;
    std::string name_;
    std::string source_members_;
    std::string left_out_;
    std::string outside_identity_;
    std::size_t column_count_ = 0;  ///< of a tuple
    NameAdjustment field_names_;
    ConversionFailure on_failure_;
    std::vector<Column> value_;
    std::vector<Column> key_;
    ConnectSchema key_schema_;
    PayloadFrame key_frame_;
    PayloadFrame value_frame_;
};

}  // namespace holdfast::relay::debezium
