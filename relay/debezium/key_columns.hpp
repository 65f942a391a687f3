// Which columns make up a record's key: those of message.key.columns that match, else those of the
// primary key or unique index.
//
// Source: Debezium, Key.CustomKeyMapper; connector properties, "message.key.columns".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "debezium/java_pattern.hpp"

namespace holdfast::relay::debezium {

class KeyColumns {
 public:
    /// `message_key_columns` is "schema.table:column,...;...", where table and column are anchored
    /// expressions.  Throws JavaPatternError.
    explicit KeyColumns(std::string_view message_key_columns);

    /// Positions in `columns`, in the order of the key; empty = the record has none.  Columns of
    /// `default_key` that are not there are left out.  Throws FatalError(kConfig) when the option
    /// names the table but a column that it has not.
    [[nodiscard]] std::vector<std::size_t> find(std::string_view schema, std::string_view table,
                                                std::span<const std::string> columns,
                                                std::span<const std::string> default_key) const;

 private:
    struct Rule {
        PatternList table;
        PatternList column;  ///< schema.table.column
        std::string text;    ///< of the column
    };
    std::vector<Rule> rules_;
};

}  // namespace holdfast::relay::debezium
