#include "capture/resume_point.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/errors.hpp"

namespace holdfast::relay::capture {
namespace {

constexpr std::string_view kCommit = "lsn_commit";
constexpr std::string_view kXid = "txId";
constexpr std::string_view kLsn = "lsn";
constexpr std::string_view kEvents = "lsn_events_processed";

template <typename Integer>
std::optional<Integer> parse_integer(std::string_view text) {
    Integer value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

/// A position that is there: 0 is none.
std::optional<Lsn> parse_lsn(std::string_view text) {
    const auto lsn = Lsn::parse(text);
    return lsn && *lsn != Lsn{} ? lsn : std::nullopt;
}

}  // namespace

std::optional<ResumePosition> ResumePosition::parse(std::string_view text) {
    ResumePosition position;
    bool has_events = false;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos) {
            return std::nullopt;
        }
        const std::string_view name = word.substr(0, equals);
        const std::string_view value = word.substr(equals + 1);
        bool good = false;
        if (name == kCommit && !position.lsn_commit) {
            position.lsn_commit = parse_lsn(value);
            good = position.lsn_commit.has_value();
        } else if (name == kLsn && !position.lsn) {
            position.lsn = parse_lsn(value);
            good = position.lsn.has_value();
        } else if (name == kXid && !position.xid) {
            const auto xid = parse_integer<std::uint32_t>(value);
            good = xid.has_value();
            position.xid = Xid{xid.value_or(0)};
        } else if (name == kEvents && !has_events) {
            const auto events = parse_integer<std::uint64_t>(value);
            good = has_events = events.has_value();
            position.events = events.value_or(0);
        }
        if (!good) {
            return std::nullopt;
        }
        text.remove_prefix(word.size());
        if (text.size() == 1) {
            return std::nullopt;  // a space at the end
        }
        text.remove_prefix(std::min<std::size_t>(text.size(), 1));
    }
    const bool middle = position.xid && position.lsn && has_events;
    const bool end = !position.xid && !has_events && (position.lsn_commit || position.lsn) &&
                     !(position.lsn_commit && position.lsn);
    return middle || end ? std::optional(position) : std::nullopt;
}

std::string ResumePosition::to_string() const {
    std::string text;
    const auto add = [&text](std::string_view name, const std::string& value) {
        text += (text.empty() ? "" : " ") + std::string(name) + "=" + value;
    };
    if (lsn_commit) {
        add(kCommit, lsn_commit->to_string());
    }
    if (xid) {
        add(kXid, std::to_string(xid->value));
    }
    if (lsn) {
        add(kLsn, lsn->to_string());
    }
    if (xid) {
        add(kEvents, std::to_string(events));
    }
    return text;
}

Lsn ResumePoint::start(Lsn confirmed) {
    phase_ = Phase::kNone;
    pending_ = false;
    seen_ = 0;
    if (!position_) {
        return confirmed;
    }
    if (!position_->xid) {
        const Lsn end = position_->lsn_commit ? *position_->lsn_commit : *position_->lsn;
        pending_ = confirmed <= end;
        return std::max(confirmed, end);
    }
    // The slot is confirmed up to lsn_commit at most (without one, up to a change that was sent)
    // until the transaction's own end is, because holds_confirmation() keeps it there.
    const Lsn before = position_->lsn_commit ? *position_->lsn_commit : *position_->lsn;
    if (confirmed > before) {
        return confirmed;
    }
    pending_ = true;
    phase_ = Phase::kAwaiting;
    return position_->lsn_commit ? std::max(confirmed, *position_->lsn_commit) : confirmed;
}

void ResumePoint::begin(Xid xid, Lsn final_lsn) {
    if (phase_ != Phase::kAwaiting) {
        return;
    }
    if (xid != *position_->xid) {
        contradicted("the first transaction is " + std::to_string(xid.value) + ", which ends at " +
                     final_lsn.to_string());
    }
    if (final_lsn <= *position_->lsn) {
        contradicted("transaction " + std::to_string(xid.value) + " ends at " +
                     final_lsn.to_string() + " already");
    }
    phase_ = Phase::kInside;
    seen_ = 0;
}

bool ResumePoint::sent_inside(Lsn lsn) {
    if (lsn < *position_->lsn) {
        return true;
    }
    if (lsn == *position_->lsn) {
        return ++seen_ <= position_->events;
    }
    require_all_seen();
    return false;
}

void ResumePoint::commit() {
    if (phase_ == Phase::kInside) {
        require_all_seen();
        phase_ = Phase::kNone;
    }
}

void ResumePoint::lone_message(Lsn lsn) {
    if (phase_ == Phase::kAwaiting) {
        contradicted("a message outside of transactions comes first, at " + lsn.to_string());
    }
}

std::optional<Lsn> ResumePoint::last_commit() const {
    if (!position_) {
        return std::nullopt;
    }
    // A connector that starts again without lsn_commit takes lsn_proc, the change, for it.
    return position_->xid && !position_->lsn_commit ? position_->lsn : position_->lsn_commit;
}

void ResumePoint::require_all_seen() const {
    if (seen_ < position_->events) {
        contradicted("transaction " + std::to_string(position_->xid->value) + " has " +
                     std::to_string(seen_) + " changes at " + position_->lsn->to_string());
    }
}

void ResumePoint::contradicted(const std::string& how) const {
    throw FatalError(
        ExitCode::kConfig,
        "[capture] resume_after (" + position_->to_string() +
            ") is not a position of this slot: " + how,
        "Nothing has been sent or confirmed. Take the slot over again with the connector's newest "
        "offset: `holdfast-relay import-debezium --take-over`. If the connector has run again "
        "since, "
        "let it stop first. Without resume_after the relay goes on from the slot's confirmed "
        "position, and repeats what the connector sent after it.");
}

}  // namespace holdfast::relay::capture
