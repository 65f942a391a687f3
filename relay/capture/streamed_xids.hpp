// Which transactions the stream has sent, and whether a snapshot sees them all.  A commit can be
// streamed before it is visible: with synchronous replication for as long as the standby takes to
// answer.  A row that is read in between would be older than the event that was sent before it.
//
// Source: PostgreSQL manual, "Transaction ID and Snapshot Information Functions".
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/lsn.hpp"

namespace holdfast::relay::capture {

/// What pg_current_snapshot() says, without the epochs.
struct TransactionHorizon {
    std::uint32_t xmax = 0;                    ///< the first that had not ended, nor any after it
    std::vector<std::uint32_t> in_progress{};  ///< those before it that had not ended either

    /// Whether the transaction, which has committed, had ended for the snapshot.  Wrong for one
    /// that is more than three billion transactions old.
    [[nodiscard]] bool sees(Xid xid) const noexcept;
};

/// The last ones that were streamed, but for those a billion transactions ago.  Not thread-safe.
class StreamedXids {
 public:
    /// So many are remembered: far more than can wait for a standby, each in a connection of its
    /// own.
    static constexpr std::size_t kCapacity = 65'536;

    void add(Xid xid);

    [[nodiscard]] bool all_seen_by(const TransactionHorizon& horizon) const noexcept;

 private:
    std::deque<Xid> xids_;  ///< as they were committed
};

}  // namespace holdfast::relay::capture
