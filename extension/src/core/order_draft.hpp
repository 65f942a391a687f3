// One order on its way from a request to its rows: prices, what is short, and the rows, events and
// answers that follow.  Decides nothing about locks or about the order of steps: place_order.cpp
// and place_orders.cpp do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/events.hpp"
#include "core/live_object.hpp"
#include "core/order_request.hpp"
#include "core/order_store.hpp"
#include "core/pricing.hpp"

namespace holdfast::core {

struct PlacingRules {
    std::int64_t default_hold_seconds;
    bool record_refusals;
    bool inventory_events;
    std::string_view trace_id;     // the session's; empty: none
    std::string_view traceparent;  // the session's; empty: none
    std::string_view durability;   // shown in the answer
    std::string_view saga = {};    // the session's; empty: reserve_first
    // Name of the user's function that prices orders; empty: list price times quantity.
    std::string_view price_function = {};
};

enum class OrderStatus : std::uint8_t { kPending, kFailed };

std::string_view order_status_name(OrderStatus status);

struct OrderAnswer {
    OrderStatus status;
    std::optional<std::int64_t> order_id;  // none: refused without a record
    std::string detail;                    // a JSON object
};

struct Refusal {
    std::string step;
    std::string reason;
    std::string message;
    std::vector<ShortLine> lines = {};
    std::vector<LimitedLine> over_limit = {};  // instead of `lines`, when that is the reason
    std::string coupon = {};                   // the one that cannot be used
    // The order does not cost what the caller expected, but this.
    std::optional<std::int64_t> changed_total_amount = {};
};

class OrderDraft : private LiveObject {
 public:
    // Both must outlive the draft.
    OrderDraft(const OrderRequest& request, const PlacingRules& rules);

    const OrderRequest& request() const { return request_; }

    // Looks the order's saga up, unless it is reserve_first.  Error: HF009 unknown saga.
    void choose_saga(OrderStore& store);
    StockTaking stock_taking() const { return plan_ ? plan_->stock_taking : StockTaking::kFirst; }

    // Freezes prices and currency.  `products` are those of the request's lines that exist,
    // ascending. Errors: HF002 unknown product, HF004 amount out of range, HF010 currencies differ,
    // HF033 waiting rooms differ, 0A000 stock mode.
    void price(const std::vector<ProductState>& products);

    // Has the user's function price the order; nothing when there is none.  `alone` and errors as
    // OrderStore::call_price_function has them, and HF035 for an answer that is no price.
    void apply_price_function(OrderStore& store, bool alone);

    // What the order wants of coupons, ascending.
    std::vector<CouponClaim> coupon_claims() const;
    // Takes off what the coupons are worth.  `found` are those of the claims that exist.
    std::optional<Refusal> apply_coupons(const std::vector<CouponState>& found);
    // Coupons that were used up, or ended, since.
    std::optional<Refusal> coupon_shortage(const std::vector<CouponState>& found) const;

    // The order does not cost what the caller expected.
    std::optional<Refusal> price_change() const;

    // Products that have less than the request wants; of no interest when stock is taken elsewhere.
    std::optional<Refusal> shortage(const std::vector<ProductState>& products) const;

    // Products of which one order may take less than the request wants.
    std::optional<Refusal> over_order_limit() const;

    // The user's counts that the order adds to, ascending.
    std::vector<UserLimit> user_limits() const;
    // Products of which the user may take less than the request wants; `taken` is what each of
    // user_limits() is.
    std::optional<Refusal> over_user_limit(std::span<const std::int64_t> taken) const;

    // One of the products is sold only to those who have been admitted to its waiting room.
    bool needs_admission() const { return waiting_room_ != 0; }
    std::int32_t waiting_room() const { return waiting_room_; }
    // As OrderStore does it.  Precondition: needs_admission().  Error: HF030.
    void check_admission(OrderStore& store, bool lock) const;
    void use_admission(OrderStore& store, std::int64_t order_id) const;

    // A refused order is recorded when refusals are, and when its id is the caller's: others know
    // that id, and shall find what became of it.
    bool records_refusal() const {
        return rules_.record_refusals || request_.options.order_id.has_value();
    }
    std::int64_t take_order_id(OrderStore& store) const;
    Instant expires_at(Instant now) const;

    // The answers without `durability`, which differs from call to call.
    std::string accepted_detail(Instant now) const;
    std::string refused_detail(const Refusal& refusal) const;
    OrderAnswer answer(OrderStatus status, std::optional<std::int64_t> order_id,
                       std::string_view detail) const;

    // Writes the order with its lines, reservations, events and saga, the stock's own event aside.
    void write_accepted(OrderStore& store, std::int64_t id, Instant now) const;
    void write_refused(OrderStore& store, std::int64_t id, const Refusal& refusal,
                       Instant now) const;
    // inventory-updated; `stock` as it is after the order took its units.
    void write_stock_event(OrderStore& store, std::int64_t id, std::int64_t product_id,
                           const StockState& stock, Instant now) const;

    // What is kept under the request's idempotency key, if it has one.
    KeptAnswer kept_answer(OrderStore& store, OrderStatus status,
                           std::optional<std::int64_t> order_id, std::string_view detail) const;
    // The first answer to the request's key; nothing when the request has none or the key is free.
    // Error: HF006 when the key was used with another request.
    std::optional<OrderAnswer> replay(OrderStore& store) const;
    // The first answer, for a key that was found taken.
    OrderAnswer first_answer(OrderStore& store) const;

 private:
    struct LimitOfLine {
        Line line;
        std::int64_t most;
    };

    Admission admission() const;
    static std::optional<Refusal> limit_refusal(std::vector<LimitedLine> lines);
    static Refusal coupon_refusal(CouponProblem problem);
    void check_known(const std::vector<ProductState>& products) const;
    EventHead event_head(OrderStore& store, Instant now) const {
        return {store.next_event_id(now), now, trace_id_};
    }
    OutboxRow row(const EventHead& head, std::string_view topic, std::int64_t key,
                  std::string_view type, std::string payload) const;
    OrderRow order_row(std::int64_t id, OrderStatus status, Instant now) const;

    const OrderRequest& request_;
    const PlacingRules& rules_;
    const std::string_view trace_id_;
    const std::string headers_;
    std::string_view saga_;  // empty: reserve_first
    std::optional<SagaPlan> plan_;
    std::vector<LimitOfLine> order_limits_;
    std::vector<LimitOfLine> user_limits_;
    std::int32_t waiting_room_ = 0;
    OrderPrice price_;
};

}  // namespace holdfast::core
