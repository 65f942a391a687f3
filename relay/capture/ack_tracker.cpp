#include "capture/ack_tracker.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/errors.hpp"

namespace holdfast::relay::capture {

namespace {

[[noreturn, gnu::cold]] void out_of_order(const char* what) {
    throw FatalError(ExitCode::kInternal, std::string("acknowledgements: ") + what);
}

}  // namespace

void AckTracker::open() {
    if (open_) {
        out_of_order("a transaction begins inside of another");
    }
    transactions_.push_back() = Transaction{};
    open_ = true;
}

AckTracker::Ticket AckTracker::ticket() const {
    if (!open_) {
        out_of_order("a record outside of a transaction");
    }
    return transactions_.end_number() - 1;
}

AckTracker::Ticket AckTracker::add() {
    const Ticket ticket = this->ticket();
    ++transactions_.back().unacknowledged;
    ++unacknowledged_;
    had_records_ = true;
    return ticket;
}

bool AckTracker::commit(Lsn end_lsn) {
    if (!open_) {
        out_of_order("a commit outside of a transaction");
    }
    open_ = false;
    const bool had_records = std::exchange(had_records_, false);
    Transaction& ended = transactions_.back();
    ended.end = end_lsn;
    const bool complete = had_records && ended.unacknowledged == 0;
    if (!had_records && transactions_.size() > 1) {
        // What lets the one before be confirmed lets this one be confirmed too.  So any number of
        // empty transactions behind an unacknowledged record takes no memory.
        Transaction& before = transactions_[transactions_.end_number() - 2];
        if (before.end != Lsn{}) {
            before.end = std::max(before.end, end_lsn);
            transactions_.pop_back();
        }
    }
    confirm_from_front();
    return complete;
}

void AckTracker::abandon() {
    if (open_) {
        open_ = false;
        had_records_ = false;
        confirm_from_front();
    }
}

bool AckTracker::ack(Ticket ticket) {
    if (!transactions_.contains(ticket) || transactions_[ticket].unacknowledged == 0) {
        out_of_order("a record was acknowledged that is not outstanding");
    }
    --unacknowledged_;
    const bool ended = !(open_ && ticket == transactions_.end_number() - 1);
    const bool complete =
        --transactions_[ticket].unacknowledged == 0 && ended && transactions_[ticket].end != Lsn{};
    if (ticket == transactions_.first_number()) {
        confirm_from_front();
    }
    return complete;
}

void AckTracker::keepalive(Lsn lsn) {
    if (idle()) {
        confirmed_ = std::max(confirmed_, lsn);
    }
}

void AckTracker::confirm_from_front() noexcept {
    const std::size_t still_open = open_ ? 1 : 0;
    while (transactions_.size() > still_open && transactions_.front().unacknowledged == 0) {
        confirmed_ = std::max(confirmed_, transactions_.front().end);
        transactions_.pop_front();
    }
}

}  // namespace holdfast::relay::capture
