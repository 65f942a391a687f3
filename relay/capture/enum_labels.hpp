// The labels of a table's enum columns, as they were when it was described.  ALTER TYPE ... ADD
// VALUE changes no table, so no Relation message tells of it: the first row that has the new label
// does.
//
// Source: Debezium, PostgresChangeRecordEmitter (since 3.7).
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "debezium/table_description.hpp"
#include "pgoutput/messages.hpp"

namespace holdfast::relay::capture {

/// Not thread-safe.
class EnumLabels {
 public:
    EnumLabels() = default;
    /// Columns whose type is an enum; a domain over one and arrays of them do not count, as
    /// upstream.
    EnumLabels(const pgoutput::Relation& relation, const debezium::TableDescription& table);

    /// Whether the row, which has the relation's columns, has a label that the description lacks.
    [[nodiscard]] bool lack(pgoutput::Tuple row) const;
    /// Takes the row's labels as known.  For those that the catalogue no longer has (they have
    /// another name since): it need not be asked for them with every row.
    void learn(pgoutput::Tuple row);

 private:
    struct Column {
        std::size_t position = 0;  ///< in a tuple
        std::set<std::string, std::less<>> labels;
    };
    std::vector<Column> columns_;
};

}  // namespace holdfast::relay::capture
