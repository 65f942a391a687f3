// From a column's type to how its values look in a message: the schema, the encoder for each value,
// and the JSON for the values that are not there.  Made once per column whenever a table's
// definition comes; the encoder runs for every value.
//
// Source: docs/message-format.md, "Types"; Debezium documentation, "Data type mappings".
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "debezium/connect_schema.hpp"
#include "debezium/connector_options.hpp"
#include "debezium/table_description.hpp"

namespace holdfast::relay::debezium {

/// A value that its type cannot be made of; says what is wrong, and holds nothing of the value.
class ConversionError : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

/// Not thread-safe (may keep a buffer).
class ValueEncoder {
 public:
    virtual ~ValueEncoder() = default;
    /// Appends the JSON of a value; `text` is PostgreSQL's text of it (DateStyle ISO, IntervalStyle
    /// postgres, bytea_output hex, UTF-8, TimeZone UTC).  Throws ConversionError, and leaves `json`
    /// as it was.
    virtual void encode(std::string_view text, std::string& json) = 0;
};

struct ColumnEncoding {
    /// Without `optional` and `default_json`: those are the column's, not the type's.  (But
    /// always_optional types come as optional.)
    ConnectSchema schema;
    std::unique_ptr<ValueEncoder> encoder;
    /// JSON for a null in a column that is NOT NULL and has no default ("fill rule").
    std::string fallback;
    /// JSON for a TOASTed value that the change does not carry; nullopt = the conversion fails.
    std::optional<std::string> unavailable;
};

/// The encoding of a type with a modifier, domains resolved; nullopt = Debezium leaves such a
/// column out.  `types` has the type and all that it is made of; throws FatalError(kInternal) if it
/// has not.
[[nodiscard]] std::optional<ColumnEncoding> make_column_encoding(pgoutput::TypeId type,
                                                                 std::int32_t modifier,
                                                                 const TypeDescriptions& types,
                                                                 const TypeOptions& options);

/// The schema's default, as JSON, from the catalogue's text of the default expression; nullopt =
/// none.  `encoding` is the column's.
[[nodiscard]] std::optional<std::string> make_column_default(const ColumnDescription& column,
                                                             const TypeDescriptions& types,
                                                             const TypeOptions& options,
                                                             ColumnEncoding& encoding);

}  // namespace holdfast::relay::debezium
