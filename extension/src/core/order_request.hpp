// What a caller of place_order asks for: parsing and validation.  Knows nothing of products, prices
// or stock; all functions throw core::Error and have no other effect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/live_object.hpp"

namespace holdfast::core {

// More lines than this in one order are refused: all of them are locked at once.
inline constexpr std::size_t kMaxLines = 1000;
inline constexpr std::size_t kMaxKeyBytes = 255;
inline constexpr std::size_t kMaxTraceIdBytes = 128;
inline constexpr std::size_t kMaxSagaNameBytes = 63;
inline constexpr std::int64_t kMaxHoldSeconds = std::int64_t{30} * 86400;
inline constexpr std::size_t kMaxCoupons = 10;
inline constexpr std::size_t kMaxCouponBytes = 64;
inline constexpr int kMaxContextDepth = 64;

struct Line {
    std::int64_t product_id;
    std::int64_t quantity;
    bool operator==(const Line&) const = default;
};

struct OrderOptions {
    std::optional<std::int64_t> order_id;
    std::optional<std::int64_t> hold_seconds;  // 1 to kMaxHoldSeconds
    std::string trace_id;                      // empty: none
    std::string saga;                          // empty: the session's
    std::string admission_token;               // a UUID; empty: none
    std::vector<std::string> coupons;          // at most kMaxCoupons, each once
    std::string pricing_context;               // a JSON object for the price function; empty: none
    std::optional<std::int64_t> expected_total_amount;
};

struct OrderRequest : private LiveObject {
    std::int64_t user_id = 0;
    std::vector<Line> lines;  // one per product, ascending; quantities positive
    std::optional<std::string> idempotency_key;
    OrderOptions options;
};

// [{"productId":1,"quantity":3}, ...] -> one line per product, quantities summed, in ascending
// order of product: the order in which every transaction locks stock. Errors: HF001 shape, HF003
// quantity not positive, HF004 number or sum out of range, HF005 null.
std::vector<Line> parse_lines(std::string_view json);

// {"orderId":..,"holdSeconds":..,"traceId":"..","saga":"..","admissionToken":"..","coupons":[".."],
// "pricingContext":{..},"expectedTotalAmount":..}, each optional; HF009 for everything else.
OrderOptions parse_options(std::string_view json);

// HF003 unless positive.
void check_quantity(std::int64_t quantity);

// HF001 unless it has 1 to kMaxKeyBytes bytes.
void check_idempotency_key(std::string_view key);

// The request in a form that is equal exactly for equal requests, to be hashed: version, user,
// lines and those options that change the outcome.  Trace id and admission token do not: a retry
// may carry others.
std::string canonical_form(const OrderRequest& request);

}  // namespace holdfast::core
