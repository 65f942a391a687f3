// Where a snapshot keeps how far it is, so that it goes on there after a crash.  Owned by the
// snapshot's module and fitted to PostgreSQL by an adapter.
//
// Thread rule: the snapshot's thread only.
#pragma once

#include <cstdint>
#include <optional>

#include "snapshot/table.hpp"

namespace holdfast::relay::snapshot {

class Ledger {
 public:
    virtual ~Ledger() = default;

    /// Kafka has all rows of the table up to `last_key` (nullopt = it has no key, or no rows),
    /// `rows_sent` in all.  Durable on return.  Throws RetryableError, FatalError.
    virtual void save(const Table& table, const std::optional<Key>& last_key,
                      std::int64_t rows_sent, bool completed) = 0;
};

}  // namespace holdfast::relay::snapshot
