#include "capture/streamed_xids.hpp"

#include <algorithm>

namespace holdfast::relay::capture {
namespace {

/// Ids go round in a circle: what is up to a quarter of it ahead is in the future.
constexpr std::uint32_t kQuarter = 1U << 30U;

}  // namespace

bool TransactionHorizon::sees(Xid xid) const noexcept {
    const bool ahead = xid.value - xmax < kQuarter;
    return !ahead && std::ranges::find(in_progress, xid.value) == in_progress.end();
}

void StreamedXids::add(Xid xid) {
    if (xids_.size() < kCapacity) {
        xids_.push_back(xid);
        return;
    }
    xids_[oldest_] = xid;
    oldest_ = (oldest_ + 1) % kCapacity;
}

bool StreamedXids::all_seen_by(const TransactionHorizon& horizon) const noexcept {
    return std::ranges::all_of(xids_, [&](Xid xid) { return horizon.sees(xid); });
}

}  // namespace holdfast::relay::capture
