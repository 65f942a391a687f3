// provide.transaction.metadata: how many events a transaction has, of which tables, and where each
// event stands in it.
//
// Source: Debezium, TransactionContext, TransactionMonitor and AbstractTransactionStructMaker;
// docs/message-format.md, "Change events".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/lsn.hpp"
#include "debezium/connect_schema.hpp"

namespace holdfast::relay::debezium {

/// `event.block`, the envelope's field `transaction`.
[[nodiscard]] ConnectSchema transaction_block_schema();
[[nodiscard]] ConnectSchema transaction_key_schema();
[[nodiscard]] ConnectSchema transaction_value_schema();

/// Counts per name, in the order in which a java.util.HashMap of the names that have one is
/// iterated.  The table of a HashMap grows and never shrinks, so the order depends on the largest
/// transaction so far; clear() keeps that.
class JavaOrderedCounts {
 public:
    /// Number of a name, for add().  Linear in the number of names: callers keep it.
    std::size_t slot(std::string_view name);
    /// Adds one; the new count.
    std::int64_t add(std::size_t slot);
    void clear();

    struct Entry {
        std::string name;
        std::uint32_t hash = 0;  ///< of the name
        std::int64_t count = 0;
    };
    /// Calls `visit(entry)` for each that is not 0.  Sorts, so ask at the end.
    template <typename Visit>
    void for_each(Visit visit) {
        sort();
        for (const std::size_t slot : counted_) {
            visit(entries_[slot]);
        }
    }

 private:
    void sort();

    std::vector<Entry> entries_;
    std::vector<std::size_t> counted_;  ///< slots whose count is not 0, by their first one
    std::size_t buckets_ = 16;
};

/// Not thread-safe.
class TransactionMetadata {
 public:
    TransactionMetadata();

    void begin(Xid xid);
    /// Number of the data collection "schema.table", for count() and append_block().
    std::size_t collection(std::string_view name) { return counts_.slot(name); }
    /// Counts an event of a data collection; its place among them.
    std::int64_t count(std::size_t collection);
    void count_message() { count(messages_); }
    /// Counts an event of a data collection and appends its block.
    void append_block(std::size_t collection, Lsn lsn, std::string& json);
    /// The same for a logical message, which is alone in its data collection every time.
    void append_message_block(Lsn lsn, std::string& json);
    void end() noexcept { in_progress_ = false; }
    [[nodiscard]] bool in_progress() const noexcept { return in_progress_; }

    /// `{"id":"<xid>:<lsn>"}`
    void append_key(Lsn lsn, std::string& json) const;
    void append_begin(Lsn lsn, std::int64_t time_ms, std::string& json) const;
    void append_end(Lsn lsn, std::int64_t time_ms, std::string& json);

 private:
    void append_id(Lsn lsn, std::string& json) const;

    bool in_progress_ = false;
    Xid xid_;
    std::int64_t total_ = 0;
    JavaOrderedCounts counts_;
    std::size_t messages_ = 0;  ///< slot of the logical messages
};

}  // namespace holdfast::relay::debezium
