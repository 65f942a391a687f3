// What an order costs: what a price function of the user's is asked and may answer, and what
// coupons take off.  Knows nothing of stock and writes nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/events.hpp"
#include "core/order_request.hpp"
#include "core/order_store.hpp"

namespace holdfast::core {

// An order's amounts, in minor units.  discount_amount is that of lines, order and coupons
// together, and never more than original_total_amount.
struct OrderPrice {
    std::vector<PricedLine> lines;
    std::string currency;
    std::int64_t original_total_amount = 0;
    std::int64_t discount_amount = 0;
    std::vector<AppliedCoupon> coupons;

    std::int64_t final_total_amount() const { return original_total_amount - discount_amount; }
};

// {"userId","currency","lines":[{"productId","quantity","unitPrice"}],"originalTotalAmount",
// "coupons":[".."],"context":{..}}: `listed` has the list prices.
std::string price_question_json(const OrderRequest& request, const OrderPrice& listed);

// Changes `price` as the answer says: {"lines":[{"productId","quantity","unitPrice",
// "discountAmount"}],"discountAmount","currency"}, all optional but productId; a line that it does
// not name keeps its list price.  `function` is named in errors.
// Error: HF035 for an answer that is anything else, or makes no price: an unknown product or
// currency, a negative number, a discount above what it is taken off, an amount out of range.
void apply_price_answer(std::string_view answer, std::string_view function, OrderPrice& price);

// Why a coupon cannot be used.
struct CouponProblem {
    std::string code;
    const char*
        reason;  // COUPON_UNKNOWN, COUPON_NOT_VALID, COUPON_NOT_APPLICABLE, COUPON_EXHAUSTED
    std::string message;
};

// Takes off what the coupons are worth, one after the other in the order of `codes`, from what the
// order costs without them.  `found` are those that exist.  After a problem `price` is as it was.
std::optional<CouponProblem> apply_coupons(std::span<const std::string> codes,
                                           std::span<const CouponState> found, OrderPrice& price);

// Whether the coupons may still be used: they exist, are valid and not used up.
std::optional<CouponProblem> check_uses(std::span<const std::string> codes,
                                        std::span<const CouponState> found);

}  // namespace holdfast::core
