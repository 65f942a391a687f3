// The events that C++ writes: one function per event and version, each returning the payload's
// JSON. Fields and their order are part of the contract with consumers (docs/events/): a change
// that is not an addition at the end needs a new version and a new function.
//
// Every payload begins with eventId, eventType, schemaVersion, occurredAt and, when there is one,
// traceId.  Money is in minor units.  Text must be valid UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/timestamp.hpp"
#include "core/uuid.hpp"

namespace holdfast::core {

struct EventHead {
    Uuid id;
    Instant occurred_at;
    std::string_view trace_id;  // empty: the payload has no traceId
};

struct PricedLine {
    std::int64_t product_id;
    std::int64_t quantity;
    std::int64_t unit_price;
    std::int64_t discount_amount = 0;  // of the whole line
};

// A coupon that the order names and what it takes off.
struct AppliedCoupon {
    std::string code;
    std::int64_t discount_amount;
};

struct ShortLine {
    std::int64_t product_id;
    std::int64_t requested;
    std::int64_t available;
};

// A line of an order that takes more than its product's limit.
struct LimitedLine {
    std::int64_t product_id;
    std::int64_t requested;
    std::int64_t limit;
    std::string_view per;  // ORDER or USER
    std::int64_t taken;    // by earlier orders of the user
};

struct OrderCreated {
    std::int64_t order_id;
    std::int64_t user_id;
    std::span<const PricedLine> lines;
    std::int64_t original_total_amount;
    std::int64_t discount_amount;
    std::int64_t final_total_amount;
    std::string_view currency;
    std::string_view status;
    std::string_view saga = {};  // left out when empty
    std::span<const AppliedCoupon> coupons = {};
};

struct InventoryReserved {
    std::int64_t order_id;
    std::int64_t user_id;
    std::span<const PricedLine> lines;  // productId and quantity are written
    std::int64_t amount;
    std::string_view currency;
    Instant expires_at;
};

struct InventoryUpdated {
    std::int64_t product_id;
    std::int64_t on_hand;
    std::int64_t reserved;
    std::int64_t available;
    std::int64_t version;
    std::string_view cause;
    std::optional<std::int64_t> order_id;
};

struct OrderFailed {
    std::int64_t order_id;
    std::string_view failed_step;
    std::string_view reason;
    std::string_view message;
    std::string_view lines_json;  // a JSON array, copied as it is
};

std::string order_created_v1(const EventHead& head, const OrderCreated& event);
std::string inventory_reserved_v1(const EventHead& head, const InventoryReserved& event);
std::string inventory_updated_v1(const EventHead& head, const InventoryUpdated& event);
std::string order_failed_v1(const EventHead& head, const OrderFailed& event);

// [{"productId":..,"requested":..,"available":..}, ...]: the lines of an order-failed event of step
// RESERVE and of a refusal's answer.
std::string short_lines_json(std::span<const ShortLine> lines);
// The same of reason LIMIT_EXCEEDED:
// [{"productId":..,"requested":..,"limit":..,"per":"USER","taken":..}, ...].
std::string limited_lines_json(std::span<const LimitedLine> lines);

// The outbox row's headers, {"traceparent":"..."}.  Precondition: traceparent is not empty.
std::string headers_json(std::string_view traceparent);

}  // namespace holdfast::core
