// Placing a batch of orders in one transaction: each succeeds or fails on its own, first come,
// first served.
//
// Stock rows are locked once, for the whole batch, and updated once, with the sum of what its
// orders take: a row that is updated hundreds of times in one transaction would be searched through
// all its versions each time.  The events are those of the orders placed one after the other.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/order_draft.hpp"
#include "core/order_request.hpp"
#include "core/order_store.hpp"

namespace holdfast::core {

// A request that is wrong in itself; the rest of its batch does not mind.
struct Fault {
    std::string sqlstate;
    std::string message;
};

using BatchRequest = std::variant<OrderRequest, Fault>;
using BatchOutcome = std::variant<OrderAnswer, Fault>;

// One outcome for each request, in their order.  Faults: those that came in; what
// OrderDraft::price, apply_price_function and replay throw; HF009 for a request with an order id of
// its own, which only place_order takes; HF030 for one that is not admitted.  Throws for what
// concerns the whole transaction, which must then be undone.
std::vector<BatchOutcome> place_orders(OrderStore& store, std::span<const BatchRequest> requests,
                                       const PlacingRules& rules);

}  // namespace holdfast::core
