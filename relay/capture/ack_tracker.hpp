// Decides how far the replication slot may be confirmed.  The rule: the confirmed LSN is the *end*
// LSN of the newest transaction such that it and all transactions before it are acknowledged,
// record by record.  Acknowledgements may come in any order.
//
// Knows neither Kafka nor PostgreSQL, and no time.  Every call is O(1), amortised, and allocates
// only when more transactions are outstanding than ever before.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/lsn.hpp"
#include "capture/ring.hpp"

namespace holdfast::relay::capture {

/// Transactions come one after the other, as PostgreSQL commits them:
///
///     open()  add()*  ( commit(end_lsn) | abandon() )
///
/// and each add() is answered by one ack() at any time afterwards, or never, in which case neither
/// its transaction nor any later one is confirmed.  Calls out of this order throw FatalError: going
/// on with a wrong count could confirm what was not delivered.
class AckTracker {
 public:
    /// Names the transaction of a record; several records share one.
    using Ticket = std::uint64_t;

    /// A transaction begins.
    void open();

    /// Of the open transaction.
    [[nodiscard]] Ticket ticket() const;

    /// The open transaction has one more record.
    Ticket add();

    /// The open transaction ends at `end_lsn`: the end of its commit record, not its start, which
    /// would make PostgreSQL send the transaction again.  Returns whether it had records and all
    /// of them are acknowledged already.
    bool commit(Lsn end_lsn);

    /// The stream broke before the open transaction ended.  It will never be confirmed by itself:
    /// it comes again.  Does nothing when no transaction is open.
    void abandon();

    /// A record is in Kafka.  Returns whether it was the last one of a transaction that has ended.
    bool ack(Ticket ticket);

    /// The server has nothing for us before `lsn`.  Taken only when nothing is outstanding;
    /// otherwise without effect, as the LSN may lie behind records that Kafka does not have yet.
    void keepalive(Lsn lsn);

    /// What may be reported to PostgreSQL as flushed.  Never goes back.
    [[nodiscard]] Lsn confirmed() const noexcept { return confirmed_; }

    /// Records that are not acknowledged.
    [[nodiscard]] std::uint64_t unacknowledged() const noexcept { return unacknowledged_; }
    [[nodiscard]] bool is_open() const noexcept { return open_; }
    /// Nothing is open and nothing unacknowledged.
    [[nodiscard]] bool idle() const noexcept { return !open_ && transactions_.empty(); }

 private:
    struct Transaction {
        std::uint64_t unacknowledged = 0;
        Lsn end;  ///< 0 while open and when abandoned: confirms nothing
    };

    void confirm_from_front() noexcept;

    /// In commit order; the last one may be open.  The front always waits for something.
    Ring<Transaction> transactions_;
    Lsn confirmed_;
    std::uint64_t unacknowledged_ = 0;
    bool open_ = false;
    bool had_records_ = false;  ///< the open transaction has had any
};

}  // namespace holdfast::relay::capture
