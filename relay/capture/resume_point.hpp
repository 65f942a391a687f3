// Where a stream goes on that another program has left, possibly in the middle of a transaction:
// which changes of that transaction it has sent already.  Taken from Debezium's stored offset by
// `import-debezium --take-over`, written into the configuration, and used up by itself: as soon as
// the slot is confirmed beyond it, it means nothing any more.
//
// Knows neither Kafka nor the protocol; the pipeline tells it what comes.  The rules, with the
// reasons, are in docs/migrating-from-debezium.md, "What is taken over".
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/lsn.hpp"

namespace holdfast::relay::capture {

/// The position that a ResumePoint starts from, in the words of Debezium's offsets.
struct ResumePosition {
    /// lsn_commit: everything that ended up to here has been sent.  nullopt = no commit was seen
    /// yet, and `lsn` alone counts.
    std::optional<Lsn> lsn_commit;
    /// lsn: the change that was handled last, or where a finished snapshot was taken.
    std::optional<Lsn> lsn;
    /// txId: the transaction that was left in its middle.  nullopt = it was at an end.
    std::optional<Xid> xid;
    /// lsn_events_processed: how many changes at `lsn` have been sent, where a COPY puts many at
    /// one.  0 = only the transaction's beginning was seen.
    std::uint64_t events = 0;

    bool operator==(const ResumePosition&) const = default;

    /// Reads what to_string() writes; nullopt for anything else.
    [[nodiscard]] static std::optional<ResumePosition> parse(std::string_view text);

    /// "lsn_commit=0/16B3748 txId=742 lsn=0/16B3800 lsn_events_processed=3"
    [[nodiscard]] std::string to_string() const;
};

/// Per stream: start() with what the slot has confirmed, then for each transaction
///
///     begin()  ( sent() for each change and transactional message )*  commit()
///
/// A stream that breaks is started again, and what was asked before is forgotten.
class ResumePoint {
 public:
    /// No resume point: nothing has been sent, everything may be confirmed.
    ResumePoint() = default;
    explicit ResumePoint(const ResumePosition& position) : position_(position) {}

    /// A stream begins.  `confirmed`: the later of what the slot has confirmed and what this
    /// process has.  Returns where to stream from: `confirmed` or later.
    [[nodiscard]] Lsn start(Lsn confirmed);

    /// A transaction begins.  Throws FatalError(kConfig) when the transaction that has to come
    /// first is another one: then the position is not one of this stream.
    void begin(Xid xid, Lsn final_lsn);

    /// Whether the next change of the transaction, at `lsn`, has been sent already.  Call it for
    /// each row change and transactional message in the order of the stream, and for a TRUNCATE
    /// once for each captured table.  A sent change makes no record, but counts wherever changes
    /// are counted (transaction metadata).
    [[nodiscard]] bool sent(Lsn lsn) { return phase_ == Phase::kInside && sent_inside(lsn); }

    /// Whether the change that was just found sent() is the last one that the position knows.  Its
    /// first record has been sent; of those behind it, a tombstone and the new row of a changed
    /// key, the position does not tell: the connector notes the same for each.
    [[nodiscard]] bool was_last() const noexcept {
        return phase_ == Phase::kInside && seen_ > 0 && seen_ == position_->events;
    }

    /// The transaction ends.  Throws FatalError(kConfig) when it had fewer changes than were sent.
    void commit();

    /// A message outside of transactions.  Throws as begin().
    void lone_message(Lsn lsn);

    /// While true, a keepalive must not confirm anything: the slot's confirmed position tells
    /// whether the transaction is still to come.
    [[nodiscard]] bool holds_confirmation() const noexcept { return phase_ == Phase::kAwaiting; }

    /// Whether the open transaction's beginning has been announced already (transaction metadata).
    [[nodiscard]] bool begin_sent() const noexcept { return phase_ == Phase::kInside; }

    /// What source.sequence starts with, until a commit is seen: Debezium's own rule after a
    /// restart.  nullopt = null.
    [[nodiscard]] std::optional<Lsn> last_commit() const;

    /// Whether there is a position, and the last start() was before its end.
    [[nodiscard]] bool pending() const noexcept { return pending_; }
    [[nodiscard]] const std::optional<ResumePosition>& position() const { return position_; }

 private:
    enum class Phase {
        kNone,      ///< nothing to leave out
        kAwaiting,  ///< the transaction is the next one
        kInside,    ///< it is open
    };

    [[nodiscard]] bool sent_inside(Lsn lsn);
    void require_all_seen() const;
    [[noreturn]] void contradicted(const std::string& how) const;

    std::optional<ResumePosition> position_;
    Phase phase_ = Phase::kNone;
    bool pending_ = false;
    std::uint64_t seen_ = 0;  ///< changes at the position's lsn
};

}  // namespace holdfast::relay::capture
