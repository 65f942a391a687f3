#include "core/order_draft.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/json_writer.hpp"
#include "core/timestamp.hpp"

namespace holdfast::core {
namespace {

// Without a row of its own: an order of this saga is its own saga.
constexpr std::string_view kReserveFirst = "reserve_first";

// The step that refuses an order for its price or its coupons.
constexpr std::string_view kPriceStep = "PRICE";

std::string lines_json(const Refusal& refusal) {
    return refusal.over_limit.empty() ? short_lines_json(refusal.lines)
                                      : limited_lines_json(refusal.over_limit);
}

}  // namespace

std::string_view order_status_name(OrderStatus status) {
    return status == OrderStatus::kPending ? "PENDING" : "FAILED";
}

OrderDraft::OrderDraft(const OrderRequest& request, const PlacingRules& rules)
    : request_(request),
      rules_(rules),
      trace_id_(request.options.trace_id.empty() ? rules.trace_id
                                                 : std::string_view{request.options.trace_id}),
      headers_(rules.traceparent.empty() ? std::string{} : headers_json(rules.traceparent)),
      saga_(request.options.saga.empty() ? rules.saga : std::string_view{request.options.saga}) {
    if (saga_ == kReserveFirst) {
        saga_ = {};
    }
}

void OrderDraft::choose_saga(OrderStore& store) {
    if (!saga_.empty()) {
        plan_ = store.find_saga(saga_);
        if (!plan_) {
            throw Error(sqlstate::kInvalidOption,
                        "saga \"" + std::string(saga_) + "\" does not exist", {},
                        "register_saga() makes one; the table saga_definition lists them.");
        }
    }
}

// ---- Prices and stock

void OrderDraft::price(const std::vector<ProductState>& products) {
    check_known(products);
    price_.currency = products.front().currency;
    price_.lines.reserve(products.size());
    for (std::size_t i = 0; i < products.size(); ++i) {
        const ProductState& product = products[i];
        const std::int64_t quantity = request_.lines[i].quantity;
        if (product.currency != price_.currency) {
            throw Error(sqlstate::kCurrencyMismatch, "products of one order must have one currency",
                        "Product " + std::to_string(products.front().product_id) + " is sold in " +
                            price_.currency + ", product " + std::to_string(product.product_id) +
                            " in " + product.currency + ".");
        }
        std::int64_t amount = 0;
        if (__builtin_mul_overflow(quantity, product.unit_price, &amount) ||
            __builtin_add_overflow(price_.original_total_amount, amount,
                                   &price_.original_total_amount)) {
            throw Error(sqlstate::kOverflow, "the order's amount is out of range");
        }
        price_.lines.push_back({product.product_id, quantity, product.unit_price});
        if (product.waiting_room != 0) {
            if (waiting_room_ != 0 && waiting_room_ != product.waiting_room) {
                throw Error(sqlstate::kSeveralRooms,
                            "products of one order must have one waiting room");
            }
            waiting_room_ = product.waiting_room;
        }
        if (product.max_per_order != 0) {
            order_limits_.push_back({request_.lines[i], product.max_per_order});
        }
        if (product.max_per_user != 0) {
            user_limits_.push_back({request_.lines[i], product.max_per_user});
        }
    }
}

void OrderDraft::apply_price_function(OrderStore& store, bool alone) {
    if (rules_.price_function.empty()) {
        return;
    }
    apply_price_answer(store.call_price_function(rules_.price_function,
                                                 price_question_json(request_, price_), alone),
                       rules_.price_function, price_);
}

std::vector<CouponClaim> OrderDraft::coupon_claims() const {
    std::vector<CouponClaim> claims;
    claims.reserve(request_.options.coupons.size());
    for (const std::string& code : request_.options.coupons) {
        claims.push_back({code, request_.user_id});
    }
    std::sort(claims.begin(), claims.end());
    return claims;
}

std::optional<Refusal> OrderDraft::apply_coupons(const std::vector<CouponState>& found) {
    std::optional<CouponProblem> problem =
        core::apply_coupons(request_.options.coupons, found, price_);
    return problem ? std::optional<Refusal>{coupon_refusal(std::move(*problem))} : std::nullopt;
}

std::optional<Refusal> OrderDraft::coupon_shortage(const std::vector<CouponState>& found) const {
    std::optional<CouponProblem> problem = check_uses(request_.options.coupons, found);
    return problem ? std::optional<Refusal>{coupon_refusal(std::move(*problem))} : std::nullopt;
}

Refusal OrderDraft::coupon_refusal(CouponProblem problem) {
    return {.step = std::string(kPriceStep),
            .reason = problem.reason,
            .message = std::move(problem.message),
            .coupon = std::move(problem.code)};
}

std::optional<Refusal> OrderDraft::price_change() const {
    const std::optional<std::int64_t>& expected = request_.options.expected_total_amount;
    const std::int64_t final_amount = price_.final_total_amount();
    if (!expected || *expected == final_amount) {
        return std::nullopt;
    }
    return Refusal{.step = std::string(kPriceStep),
                   .reason = "PRICE_CHANGED",
                   .message = "the order costs " + std::to_string(final_amount) + " " +
                              price_.currency + ", " + std::to_string(*expected) + " expected",
                   .changed_total_amount = final_amount};
}

void OrderDraft::check_known(const std::vector<ProductState>& products) const {
    auto found = products.begin();
    for (const Line& line : request_.lines) {
        if (found == products.end() || found->product_id != line.product_id) {
            throw Error(sqlstate::kUnknownProduct,
                        "product " + std::to_string(line.product_id) + " does not exist");
        }
        if (found->stock_mode != "row") {
            throw Error(sqlstate::kNotSupported,
                        "stock mode \"" + found->stock_mode + "\" of product " +
                            std::to_string(line.product_id) + " is not supported");
        }
        ++found;
    }
}

std::optional<Refusal> OrderDraft::shortage(const std::vector<ProductState>& products) const {
    std::vector<ShortLine> lines;
    if (stock_taking() == StockTaking::kElsewhere) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < products.size(); ++i) {
        const Line& line = request_.lines[i];
        if (products[i].available < line.quantity) {
            lines.push_back({line.product_id, line.quantity,
                             products[i].available > 0 ? products[i].available : 0});
        }
    }
    if (lines.empty()) {
        return std::nullopt;
    }
    std::string message = "product " + std::to_string(lines.front().product_id) + " has " +
                          std::to_string(lines.front().available) + " available, " +
                          std::to_string(lines.front().requested) + " requested";
    if (lines.size() > 1) {
        message += ", and " + std::to_string(lines.size() - 1) + " more";
    }
    return Refusal{"RESERVE", "OUT_OF_STOCK", std::move(message), std::move(lines)};
}

// ---- Limits and waiting room

std::optional<Refusal> OrderDraft::over_order_limit() const {
    std::vector<LimitedLine> lines;
    for (const auto& [line, most] : order_limits_) {
        if (line.quantity > most) {
            lines.push_back({line.product_id, line.quantity, most, "ORDER", 0});
        }
    }
    return limit_refusal(std::move(lines));
}

std::vector<UserLimit> OrderDraft::user_limits() const {
    std::vector<UserLimit> limits;
    limits.reserve(user_limits_.size());
    for (const auto& [line, most] : user_limits_) {
        limits.push_back({line.product_id, request_.user_id});
    }
    return limits;
}

std::optional<Refusal> OrderDraft::over_user_limit(std::span<const std::int64_t> taken) const {
    std::vector<LimitedLine> lines;
    for (std::size_t i = 0; i < user_limits_.size(); ++i) {
        const auto& [line, most] = user_limits_[i];
        // What was taken may be more than a limit that was lowered since.
        if (taken[i] >= most || line.quantity > most - taken[i]) {
            lines.push_back({line.product_id, line.quantity, most, "USER", taken[i]});
        }
    }
    return limit_refusal(std::move(lines));
}

std::optional<Refusal> OrderDraft::limit_refusal(std::vector<LimitedLine> lines) {
    if (lines.empty()) {
        return std::nullopt;
    }
    const LimitedLine& first = lines.front();
    std::string message = "product " + std::to_string(first.product_id) + " has a limit of " +
                          std::to_string(first.limit) + " per " +
                          (first.per == "USER" ? "user, " + std::to_string(first.taken) + " taken, "
                                               : std::string{"order, "}) +
                          std::to_string(first.requested) + " requested";
    if (lines.size() > 1) {
        message += ", and " + std::to_string(lines.size() - 1) + " more";
    }
    return Refusal{"RESERVE", "LIMIT_EXCEEDED", std::move(message), {}, std::move(lines)};
}

Admission OrderDraft::admission() const {
    return {waiting_room_, request_.user_id, request_.options.admission_token,
            request_.options.trace_id};
}

void OrderDraft::check_admission(OrderStore& store, bool lock) const {
    if (const std::optional<std::string> problem = store.check_admission(admission(), lock)) {
        throw Error(sqlstate::kNotAdmitted, *problem);
    }
}

void OrderDraft::use_admission(OrderStore& store, std::int64_t order_id) const {
    if (const std::optional<std::string> problem = store.use_admission(admission(), order_id)) {
        throw Error(sqlstate::kNotAdmitted, *problem);
    }
}

std::int64_t OrderDraft::take_order_id(OrderStore& store) const {
    return request_.options.order_id ? *request_.options.order_id : store.next_order_id();
}

Instant OrderDraft::expires_at(Instant now) const {
    const std::int64_t hold_seconds =
        request_.options.hold_seconds.value_or(rules_.default_hold_seconds);
    return Instant{now.unix_micros + hold_seconds * 1'000'000};
}

// ---- Answers

std::string OrderDraft::accepted_detail(Instant now) const {
    JsonWriter json;
    json.begin_object();
    if (price_.discount_amount != 0) {
        json.field("originalTotalAmount", price_.original_total_amount);
        json.field("discountAmount", price_.discount_amount);
    }
    json.field("finalTotalAmount", price_.final_total_amount());
    json.field("currency", price_.currency);
    json.field("expiresAt", Rfc3339{expires_at(now)}.view());
    json.end_object();
    return json.finish();
}

std::string OrderDraft::refused_detail(const Refusal& refusal) const {
    JsonWriter json;
    json.begin_object();
    json.field("reason", refusal.reason);
    if (!refusal.coupon.empty()) {
        json.field("coupon", refusal.coupon);
    }
    if (refusal.changed_total_amount) {
        json.field("finalTotalAmount", *refusal.changed_total_amount);
        json.field("currency", price_.currency);
    }
    if (refusal.step == kPriceStep) {
        json.field("message", refusal.message);
    }
    json.key("lines");
    json.raw(lines_json(refusal));
    json.end_object();
    return json.finish();
}

// The kept detail, which is an object with at least one member, and how this call was made durable.
OrderAnswer OrderDraft::answer(OrderStatus status, std::optional<std::int64_t> order_id,
                               std::string_view detail) const {
    std::string text = "{\"durability\":\"";
    text += rules_.durability;
    text += "\",";
    text += detail.substr(1);
    return {status, order_id, std::move(text)};
}

KeptAnswer OrderDraft::kept_answer(OrderStore& store, OrderStatus status,
                                   std::optional<std::int64_t> order_id,
                                   std::string_view detail) const {
    return {store.sha256(canonical_form(request_)), order_id,
            std::string(order_status_name(status)), std::string(detail)};
}

std::optional<OrderAnswer> OrderDraft::replay(OrderStore& store) const {
    if (!request_.idempotency_key) {
        return std::nullopt;
    }
    const std::optional<KeptAnswer> kept =
        store.find_answer(request_.user_id, *request_.idempotency_key);
    if (!kept) {
        return std::nullopt;
    }
    if (kept->request_hash != store.sha256(canonical_form(request_))) {
        throw Error(sqlstate::kKeyReused, "idempotency key \"" + *request_.idempotency_key +
                                              "\" was used with another request");
    }
    const OrderStatus status = kept->status == order_status_name(OrderStatus::kPending)
                                   ? OrderStatus::kPending
                                   : OrderStatus::kFailed;
    OrderAnswer first = answer(status, kept->order_id, kept->detail);
    first.detail.insert(1, "\"replayed\":true,");
    return first;
}

OrderAnswer OrderDraft::first_answer(OrderStore& store) const {
    if (std::optional<OrderAnswer> first = replay(store)) {
        return *std::move(first);
    }
    // Its retention ended between two statements; the caller's retry finds the key free.
    throw Error(sqlstate::kSerializationFailure, "the idempotency key was removed concurrently");
}

// ---- Rows

void OrderDraft::write_accepted(OrderStore& store, std::int64_t id, Instant now) const {
    OrderRow order = order_row(id, OrderStatus::kPending, now);
    order.expires_at = expires_at(now);
    order.saga = saga_;
    order.coupons = price_.coupons;
    order.reserved = stock_taking() == StockTaking::kFirst;
    const std::int64_t final_amount = price_.final_total_amount();
    const EventHead created = event_head(store, now);
    const OutboxRow created_row = row(
        created, "order-created", id, "OrderCreated",
        order_created_v1(created, {id, request_.user_id, price_.lines, price_.original_total_amount,
                                   price_.discount_amount, final_amount, price_.currency,
                                   order.status, saga_, price_.coupons}));
    if (order.reserved) {
        const EventHead reserved = event_head(store, now);
        const OutboxRow events[] = {
            created_row,
            row(reserved, "inventory-reserved", id, "InventoryReserved",
                inventory_reserved_v1(reserved, {id, request_.user_id, price_.lines, final_amount,
                                                 price_.currency, *order.expires_at}))};
        store.insert_order(order, events);
    } else {
        store.insert_order(order, {&created_row, 1});
    }
    if (!user_limits_.empty()) {
        std::vector<Line> counted;
        counted.reserve(user_limits_.size());
        for (const auto& [line, most] : user_limits_) {
            counted.push_back(line);
        }
        store.add_taken(id, request_.user_id, counted, now);
    }
    if (plan_) {
        store.start_saga(id, saga_, plan_->version);
    }
}

void OrderDraft::write_refused(OrderStore& store, std::int64_t id, const Refusal& refusal,
                               Instant now) const {
    OrderRow order = order_row(id, OrderStatus::kFailed, now);
    order.failure_step = refusal.step;
    order.failure_reason = refusal.reason;
    order.failure_message = refusal.message;
    const EventHead head = event_head(store, now);
    const OutboxRow events[] = {
        row(head, "order-failed", id, "OrderFailed",
            order_failed_v1(
                head, {id, refusal.step, refusal.reason, refusal.message, lines_json(refusal)})),
    };
    store.insert_order(order, events);
}

void OrderDraft::write_stock_event(OrderStore& store, std::int64_t id, std::int64_t product_id,
                                   const StockState& stock, Instant now) const {
    const EventHead head = event_head(store, now);
    store.insert_event(
        row(head, "inventory-updated", product_id, "InventoryUpdated",
            inventory_updated_v1(head, {product_id, stock.on_hand, stock.reserved, stock.available,
                                        stock.version, "RESERVE", id})));
}

OutboxRow OrderDraft::row(const EventHead& head, std::string_view topic, std::int64_t key,
                          std::string_view type, std::string payload) const {
    return {head.id, topic, key, type, std::move(payload), headers_, head.occurred_at};
}

OrderRow OrderDraft::order_row(std::int64_t id, OrderStatus status, Instant now) const {
    return {
        .order_id = id,
        .user_id = request_.user_id,
        .status = order_status_name(status),
        .currency = price_.currency,
        .original_total_amount = price_.original_total_amount,
        .discount_amount = price_.discount_amount,
        .final_total_amount = price_.final_total_amount(),
        .failure_step = {},
        .failure_reason = {},
        .failure_message = {},
        .trace_id = trace_id_,
        .traceparent = rules_.traceparent,
        .idempotency_key = request_.idempotency_key,
        .created_at = now,
        .saga = {},
        .expires_at = {},
        .reserved = false,
        .lines = price_.lines,
        .coupons = {},
    };
}

}  // namespace holdfast::core
