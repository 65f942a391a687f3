// column.mask.*, column.truncate.to.*.chars and *.propagate.source.type: what is done to a column's
// values and schema.  The first rule that matches a column is the only one that counts, in this
// order: truncate, mask with characters, propagate by column, propagate by data type, hash, hash
// v2.  Keys are left alone.
//
// Source: Debezium, ColumnMappers, MaskStrings, TruncateColumn and
// PropagateSourceMetadataToSchemaParameter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "debezium/connect_schema.hpp"
#include "debezium/connector_options.hpp"
#include "debezium/java_pattern.hpp"
#include "debezium/source_type.hpp"

namespace holdfast::relay::debezium {

/// Changes the values of one column.  Not thread-safe (keeps a buffer).
class ValueMapping {
 public:
    virtual ~ValueMapping() = default;
    /// Rewrites the value that begins at `start` and ends with `json`.
    virtual void apply(std::string& json, std::size_t start) = 0;
};

class ColumnMapper {
 public:
    /// Throws JavaPatternError, and std::invalid_argument naming the property, as find_problems()
    /// of the options reports them.
    explicit ColumnMapper(const ConnectorOptions& options);

    /// Adds the parameters of the rule that matches to `schema`; what its values go through then,
    /// or nullptr when they stay as they are.
    std::unique_ptr<ValueMapping> map(std::string_view schema_name, std::string_view table,
                                      std::string_view column, const SourceType& type,
                                      ConnectSchema& schema) const;

 private:
    enum class Action { kTruncate, kMask, kPropagate, kPropagateByDatatype, kHash, kHashV2 };
    struct Rule {
        Action action;
        PatternList columns;
        std::int32_t count = 0;  ///< of characters
        std::string algorithm;   ///< OpenSSL's name
        std::string salt;
    };
    void add(const ColumnRule& rule, Action action);

    std::vector<Rule> rules_;
};

/// OpenSSL's name for a digest of java.security.MessageDigest; nullopt when there is none.
[[nodiscard]] std::optional<std::string> digest_name(std::string_view java_name);

}  // namespace holdfast::relay::debezium
