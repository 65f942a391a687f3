// A table that a snapshot reads, and how far it has got with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "debezium/table_description.hpp"
#include "pgoutput/messages.hpp"

namespace holdfast::relay::snapshot {

/// Text of each key column of a row, in the order of the key.
using Key = std::vector<std::string>;

struct Table {
    int ordinal = 0;  ///< in the ledger
    pgoutput::RelationId id;
    char replica_identity = 'd';  ///< pg_class.relreplident
    debezium::TableDescription description;
    std::vector<std::string> columns;  ///< of the rows that are read, in their order
    /// Which columns are the key that the table is read by; empty = it is read as a whole.
    std::vector<std::size_t> key;
    /// What a position in the key depends on, of each column: name, type and collation.
    std::vector<std::string> key_definition{};
    std::optional<Key> after;    ///< Kafka has the rows up to this one
    std::int64_t rows_sent = 0;  ///< how many these are
};

}  // namespace holdfast::relay::snapshot
