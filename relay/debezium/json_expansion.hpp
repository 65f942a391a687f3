// table.expand.json.payload: a payload that is JSON text becomes the JSON value itself.
//
// Lossless: the text without white space between its tokens, nothing else changed.  As Debezium
// does it: a schema is inferred first, and what has none is lost (null members, empty arrays), what
// contradicts it is not expanded at all (arrays of several types or sizes of numbers), and objects
// in an array get every member that any of them has.
//
// Source: Debezium's JsonSchemaData; docs/message-format.md, "Expansion".
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "debezium/connect_schema.hpp"

namespace holdfast::relay::debezium {

struct JsonExpansionOptions {
    bool infer_schema = false;       ///< as Debezium does it
    bool keep_null_members = false;  ///< table.json.payload.null.behavior = optional_bytes
    bool keep_empty_arrays = false;  ///< table.json.payload.empty.array.behavior
    std::string name = "payload";    ///< of the inferred schema: the payload's column
};

/// Not thread-safe.
class JsonExpansion {
 public:
    explicit JsonExpansion(JsonExpansionOptions options);
    ~JsonExpansion();
    JsonExpansion(const JsonExpansion&) = delete;
    JsonExpansion& operator=(const JsonExpansion&) = delete;

    /// Appends the expanded value to `json` and returns nullptr; or leaves it alone and returns why
    /// the payload stays a string.  Only a text that begins with { or [ is expanded.
    const char* expand(std::string_view text, std::string& json);

    /// Of the value that was expanded last, when a schema is inferred.
    [[nodiscard]] const ConnectSchema& schema() const { return schema_; }

 private:
    struct Parser;

    const char* compact(std::string_view text, std::string& json);
    const char* infer(std::string_view text, std::string& json);

    JsonExpansionOptions options_;
    std::unique_ptr<Parser> parser_;
    ConnectSchema schema_;
};

}  // namespace holdfast::relay::debezium
