// Placing an order: the decisions and their order.
//
// The order of steps is the point of this file.  Everything that needs no lock comes first: the
// unlocked look at the stock, and all inserts.  The conditional update of the stock comes last, so
// that a hot product's row is locked for one short update and its event, and not for the whole
// order.  The counters of the coupons come after it, since they are shared by all products.
#pragma once

#include <cstdint>
#include <optional>

#include "core/order_draft.hpp"
#include "core/order_request.hpp"
#include "core/order_store.hpp"

namespace holdfast::core {

// When stock rows are locked.  kFirst is for a transaction that cannot be undone and tried again.
enum class StockLock : std::uint8_t { kLast, kFirst };

// Nothing (StockLock::kLast only): stock or a coupon that was seen was gone when it was to be
// taken.  The transaction holds a half-placed order: roll it back and place again with
// StockLock::kFirst. Errors: those of OrderDraft::price, apply_price_function and replay, HF009
// order id, HF030 not admitted.  After an error, too, the transaction must be undone.
std::optional<OrderAnswer> place_order(OrderStore& store, const OrderRequest& request,
                                       const PlacingRules& rules, StockLock stock_lock);

}  // namespace holdfast::core
