#include "capture/streamed_xids.hpp"

#include <algorithm>

namespace holdfast::relay::capture {
namespace {

/// Ids go round in a circle: what is up to a quarter of it ahead is in the future.
constexpr std::uint32_t kQuarter = 1U << 30U;

/// It has been visible for long, and would seem to be ahead when it is three times as old.
bool is_long_before(Xid xid, Xid newest) {
    const std::uint32_t age = newest.value - xid.value;
    return age >= kQuarter && age < 2 * kQuarter;
}

}  // namespace

bool TransactionHorizon::sees(Xid xid) const noexcept {
    const bool ahead = xid.value - xmax < kQuarter;
    return !ahead && std::ranges::find(in_progress, xid.value) == in_progress.end();
}

void StreamedXids::add(Xid xid) {
    xids_.push_back(xid);
    while (xids_.size() > kCapacity || is_long_before(xids_.front(), xid)) {
        xids_.pop_front();
    }
}

bool StreamedXids::all_seen_by(const TransactionHorizon& horizon) const noexcept {
    return std::ranges::all_of(xids_, [&](Xid xid) { return horizon.sees(xid); });
}

}  // namespace holdfast::relay::capture
