#include "core/place_order.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace holdfast::core {
namespace {

// One call of place_order.
class Placing : private LiveObject {
 public:
    Placing(OrderStore& store, const OrderRequest& request, const PlacingRules& rules,
            StockLock stock_lock)
        : store_(store),
          request_(request),
          rules_(rules),
          stock_lock_(stock_lock),
          draft_(request, rules),
          claims_(draft_.coupon_claims()) {}

    std::optional<OrderAnswer> run();

 private:
    std::optional<OrderAnswer> accept();
    bool take_stock(std::int64_t order_id);
    bool take_coupons();
    OrderAnswer refuse(const Refusal& refusal);
    void admit(bool lock);
    bool keep_answer(OrderStatus status, std::optional<std::int64_t> order_id,
                     std::string_view detail);

    OrderStore& store_;
    const OrderRequest& request_;
    const PlacingRules& rules_;
    const StockLock stock_lock_;
    OrderDraft draft_;
    const std::vector<CouponClaim> claims_;
    Instant now_{};
    bool answer_kept_ = false;
    bool admitted_ = false;
};

std::optional<OrderAnswer> Placing::run() {
    now_ = store_.now();
    std::optional<Tombstone> tombstone;
    if (request_.options.order_id) {
        tombstone = store_.find_tombstone(*request_.options.order_id);
    }
    const std::vector<ProductState> products = store_.read_products(request_.lines);
    try {
        draft_.choose_saga(store_);
        draft_.price(products);
        if (!rules_.price_function.empty()) {
            // The function is the user's, and may answer otherwise than it did the first time.
            if (std::optional<OrderAnswer> first = draft_.replay(store_)) {
                return first;
            }
            draft_.apply_price_function(store_, false);
        }
    } catch (const Error&) {
        // The request may have been good when it came first; then its answer stands.
        if (std::optional<OrderAnswer> first = draft_.replay(store_)) {
            return first;
        }
        throw;
    }
    if (tombstone) {
        return refuse({std::move(tombstone->step), std::move(tombstone->reason),
                       std::move(tombstone->message)});
    }
    if (std::optional<Refusal> refusal = draft_.over_order_limit()) {
        return refuse(*refusal);
    }
    std::optional<Refusal> refusal;
    if (!claims_.empty()) {
        refusal = draft_.apply_coupons(store_.read_coupons(claims_));
    }
    if (!refusal) {
        refusal = draft_.price_change();
    }
    if (!refusal) {
        refusal = draft_.shortage(products);
    }
    return refusal ? refuse(*refusal) : accept();
}

std::optional<OrderAnswer> Placing::accept() {
    const std::int64_t id = draft_.take_order_id(store_);
    const std::string detail = draft_.accepted_detail(now_);
    if (!keep_answer(OrderStatus::kPending, id, detail)) {
        return draft_.first_answer(store_);
    }
    admit(true);
    if (const std::vector<UserLimit> limits = draft_.user_limits(); !limits.empty()) {
        if (std::optional<Refusal> refusal = draft_.over_user_limit(store_.lock_limits(limits))) {
            return refuse(*refusal);
        }
    }
    const bool takes_stock = draft_.stock_taking() == StockTaking::kFirst;
    if (stock_lock_ == StockLock::kFirst) {
        if (takes_stock) {
            if (std::optional<Refusal> refusal =
                    draft_.shortage(store_.lock_products(request_.lines))) {
                return refuse(*refusal);
            }
        }
        if (!claims_.empty()) {
            if (std::optional<Refusal> refusal =
                    draft_.coupon_shortage(store_.lock_coupons(claims_))) {
                return refuse(*refusal);
            }
        }
    }
    if (draft_.needs_admission()) {
        draft_.use_admission(store_, id);
    }
    draft_.write_accepted(store_, id, now_);
    if ((takes_stock && !take_stock(id)) || !take_coupons()) {
        return std::nullopt;
    }
    return draft_.answer(OrderStatus::kPending, id, detail);
}

// False: there is less than there was at the look.
bool Placing::take_stock(std::int64_t order_id) {
    for (const Line& line : request_.lines) {
        const std::optional<StockState> stock = store_.reserve(line, 1);
        if (!stock) {
            if (stock_lock_ == StockLock::kFirst) {
                throw Error(sqlstate::kStockChanged, "stock of product " +
                                                         std::to_string(line.product_id) +
                                                         " changed under its lock");
            }
            return false;
        }
        if (rules_.inventory_events) {
            // Under the row's lock, so that versions, ids and times rise together.
            draft_.write_stock_event(store_, order_id, line.product_id, *stock, store_.now());
        }
    }
    return true;
}

// After the stock: a coupon is in the orders of all products, so its row is the hotter one.
// False: one was used up between the look and now.
bool Placing::take_coupons() {
    const bool taken =
        std::all_of(claims_.begin(), claims_.end(),
                    [this](const CouponClaim& c) { return store_.take_coupon_of_user(c, 1); }) &&
        std::all_of(claims_.begin(), claims_.end(),
                    [this](const CouponClaim& c) { return store_.take_coupon(c.code, 1); });
    if (!taken && stock_lock_ == StockLock::kFirst) {
        throw Error(sqlstate::kStockChanged, "a coupon's uses changed under their lock");
    }
    return taken;
}

OrderAnswer Placing::refuse(const Refusal& refusal) {
    const std::optional<std::int64_t> id =
        draft_.records_refusal() ? std::optional<std::int64_t>{draft_.take_order_id(store_)}
                                 : std::nullopt;
    const std::string detail = draft_.refused_detail(refusal);
    if (!keep_answer(OrderStatus::kFailed, id, detail)) {
        return draft_.first_answer(store_);
    }
    admit(false);
    if (id) {
        draft_.write_refused(store_, *id, refusal, now_);
    }
    return draft_.answer(OrderStatus::kFailed, id, detail);
}

// After the key: a repetition has its answer, whatever became of the token since.  A refused order
// needs a token too, and keeps it.
void Placing::admit(bool lock) {
    if (draft_.needs_admission() && !admitted_) {
        draft_.check_admission(store_, lock);
        admitted_ = true;
    }
}

// False: the key has an answer already.
bool Placing::keep_answer(OrderStatus status, std::optional<std::int64_t> order_id,
                          std::string_view detail) {
    if (!request_.idempotency_key) {
        return true;
    }
    const KeptAnswer kept = draft_.kept_answer(store_, status, order_id, detail);
    if (answer_kept_) {
        store_.change_answer(request_.user_id, *request_.idempotency_key, kept);
        return true;
    }
    answer_kept_ = store_.claim_key(request_.user_id, *request_.idempotency_key, kept);
    return answer_kept_;
}

}  // namespace

std::optional<OrderAnswer> place_order(OrderStore& store, const OrderRequest& request,
                                       const PlacingRules& rules, StockLock stock_lock) {
    return Placing(store, request, rules, stock_lock).run();
}

}  // namespace holdfast::core
