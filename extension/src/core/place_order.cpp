#include "core/place_order.hpp"

#include <utility>

#include "core/error.hpp"
#include "core/json_writer.hpp"

namespace holdfast::core {
namespace {

struct Refusal {
    std::string step;
    std::string reason;
    std::string message;
    std::vector<ShortLine> lines;
};

// One call of place_order.
class Placing : private LiveObject {
 public:
    Placing(OrderStore& store, const OrderRequest& request, const PlacingRules& rules)
        : store_(store),
          request_(request),
          rules_(rules),
          trace_id_(request.options.trace_id.empty() ? rules.trace_id
                                                     : std::string_view{request.options.trace_id}),
          headers_(rules.traceparent.empty() ? std::string{} : headers_json(rules.traceparent)) {}

    OrderAnswer run();

 private:
    OrderAnswer accept();
    OrderAnswer refuse(const Refusal& refusal);
    OrderAnswer answer(OrderStatus status, std::optional<std::int64_t> order_id,
                       std::string_view detail) const;

    void price(const std::vector<ProductState>& products);
    void check_known(const std::vector<ProductState>& products) const;
    std::optional<Refusal> shortage(const std::vector<ProductState>& products) const;

    bool keep_answer(OrderStatus status, std::optional<std::int64_t> order_id,
                     std::string_view detail);
    std::optional<OrderAnswer> replay();
    OrderAnswer first_answer();

    std::string accepted_detail(Instant expires_at) const;
    static std::string refused_detail(const Refusal& refusal);
    EventHead event_head() { return {store_.next_event_id(now_), now_, trace_id_}; }
    std::int64_t order_id() {
        return request_.options.order_id ? *request_.options.order_id : store_.next_order_id();
    }
    OutboxRow row(const EventHead& head, std::string_view topic, std::int64_t key,
                  std::string_view type, std::string payload) const {
        return {head.id, topic, key, type, std::move(payload), headers_, now_};
    }
    OrderRow order_row(std::int64_t id, OrderStatus status) const;

    OrderStore& store_;
    const OrderRequest& request_;
    const PlacingRules& rules_;
    const std::string_view trace_id_;
    const std::string headers_;
    Instant now_{};
    std::vector<PricedLine> lines_;
    std::string currency_;
    std::int64_t total_amount_ = 0;
    bool answer_kept_ = false;
};

OrderAnswer Placing::run() {
    now_ = store_.now();
    std::optional<Tombstone> tombstone;
    if (request_.options.order_id) {
        tombstone = store_.find_tombstone(*request_.options.order_id);
    }
    const std::vector<ProductState> products = store_.read_products(request_.lines);
    try {
        check_known(products);
        price(products);
    } catch (const Error&) {
        // The request may have been good when it came first; then its answer stands.
        if (std::optional<OrderAnswer> first = replay()) {
            return *std::move(first);
        }
        throw;
    }
    if (tombstone) {
        return refuse({std::move(tombstone->step),
                       std::move(tombstone->reason),
                       std::move(tombstone->message),
                       {}});
    }
    if (std::optional<Refusal> refusal = shortage(products)) {
        return refuse(*refusal);
    }
    return accept();
}

OrderAnswer Placing::accept() {
    const std::int64_t id = order_id();
    const std::int64_t hold_seconds =
        request_.options.hold_seconds.value_or(rules_.default_hold_seconds);
    const Instant expires_at{now_.unix_micros + hold_seconds * 1'000'000};
    const std::string detail = accepted_detail(expires_at);
    if (!keep_answer(OrderStatus::kPending, id, detail)) {
        return first_answer();
    }
    if (rules_.stock_lock == StockLock::kFirst) {
        if (std::optional<Refusal> refusal = shortage(store_.lock_products(request_.lines))) {
            return refuse(*refusal);
        }
    }

    OrderRow order = order_row(id, OrderStatus::kPending);
    order.expires_at = expires_at;
    const EventHead created = event_head();
    const EventHead reserved = event_head();
    const OutboxRow events[] = {
        row(created, "order-created", id, "OrderCreated",
            order_created_v1(created, {id, request_.user_id, lines_, total_amount_, 0,
                                       total_amount_, currency_, order.status})),
        row(reserved, "inventory-reserved", id, "InventoryReserved",
            inventory_reserved_v1(
                reserved, {id, request_.user_id, lines_, total_amount_, currency_, expires_at})),
    };
    store_.insert_order(order, events);

    for (const Line& line : request_.lines) {
        const std::optional<StockState> stock = store_.reserve(line);
        if (!stock) {
            if (rules_.stock_lock == StockLock::kFirst) {
                throw Error(sqlstate::kStockChanged, "stock of product " +
                                                         std::to_string(line.product_id) +
                                                         " changed under its lock");
            }
            return {OrderStatus::kLostRace, {}, "{}"};
        }
        if (rules_.inventory_events) {
            // Under the row's lock, so that versions, ids and times rise together.
            now_ = store_.now();
            const EventHead head = event_head();
            store_.insert_event(
                row(head, "inventory-updated", line.product_id, "InventoryUpdated",
                    inventory_updated_v1(head, {line.product_id, stock->on_hand, stock->reserved,
                                                stock->available, stock->version, "RESERVE", id})));
        }
    }
    return answer(OrderStatus::kPending, id, detail);
}

OrderAnswer Placing::refuse(const Refusal& refusal) {
    // An id that the caller brought is known to others, who shall find what became of it.
    const bool record = rules_.record_refusals || request_.options.order_id.has_value();
    const std::optional<std::int64_t> id =
        record ? std::optional<std::int64_t>{order_id()} : std::nullopt;
    const std::string detail = refused_detail(refusal);
    if (!keep_answer(OrderStatus::kFailed, id, detail)) {
        return first_answer();
    }
    if (id) {
        OrderRow order = order_row(*id, OrderStatus::kFailed);
        order.failure_step = refusal.step;
        order.failure_reason = refusal.reason;
        order.failure_message = refusal.message;
        const EventHead head = event_head();
        const OutboxRow events[] = {
            row(head, "order-failed", *id, "OrderFailed",
                order_failed_v1(head, {*id, refusal.step, refusal.reason, refusal.message,
                                       short_lines_json(refusal.lines)})),
        };
        store_.insert_order(order, events);
    }
    return answer(OrderStatus::kFailed, id, detail);
}

void Placing::check_known(const std::vector<ProductState>& products) const {
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

// Freezes prices and the currency; the lines and products correspond one to one.
void Placing::price(const std::vector<ProductState>& products) {
    currency_ = products.front().currency;
    lines_.reserve(products.size());
    for (std::size_t i = 0; i < products.size(); ++i) {
        const ProductState& product = products[i];
        const std::int64_t quantity = request_.lines[i].quantity;
        if (product.currency != currency_) {
            throw Error(sqlstate::kCurrencyMismatch, "products of one order must have one currency",
                        "Product " + std::to_string(products.front().product_id) + " is sold in " +
                            currency_ + ", product " + std::to_string(product.product_id) + " in " +
                            product.currency + ".");
        }
        std::int64_t amount = 0;
        if (__builtin_mul_overflow(quantity, product.unit_price, &amount) ||
            __builtin_add_overflow(total_amount_, amount, &total_amount_)) {
            throw Error(sqlstate::kOverflow, "the order's amount is out of range");
        }
        lines_.push_back({product.product_id, quantity, product.unit_price});
    }
}

std::optional<Refusal> Placing::shortage(const std::vector<ProductState>& products) const {
    std::vector<ShortLine> lines;
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

// False: the key has an answer already.
bool Placing::keep_answer(OrderStatus status, std::optional<std::int64_t> order_id,
                          std::string_view detail) {
    if (!request_.idempotency_key) {
        return true;
    }
    const KeptAnswer kept{store_.sha256(canonical_form(request_)), order_id,
                          std::string(order_status_name(status)), std::string(detail)};
    if (answer_kept_) {
        store_.change_answer(request_.user_id, *request_.idempotency_key, kept);
        return true;
    }
    answer_kept_ = store_.claim_key(request_.user_id, *request_.idempotency_key, kept);
    return answer_kept_;
}

std::optional<OrderAnswer> Placing::replay() {
    if (!request_.idempotency_key) {
        return std::nullopt;
    }
    const std::optional<KeptAnswer> kept =
        store_.find_answer(request_.user_id, *request_.idempotency_key);
    if (!kept) {
        return std::nullopt;
    }
    if (kept->request_hash != store_.sha256(canonical_form(request_))) {
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

// After the key was found taken.
OrderAnswer Placing::first_answer() {
    if (std::optional<OrderAnswer> first = replay()) {
        return *std::move(first);
    }
    // Its retention ended between two statements; the caller's retry finds the key free.
    throw Error(sqlstate::kSerializationFailure, "the idempotency key was removed concurrently");
}

// The kept detail, which is an object with at least one member, and how this call was made durable.
OrderAnswer Placing::answer(OrderStatus status, std::optional<std::int64_t> order_id,
                            std::string_view detail) const {
    std::string text = "{\"durability\":\"";
    text += rules_.durability;
    text += "\",";
    text += detail.substr(1);
    return {status, order_id, std::move(text)};
}

std::string Placing::accepted_detail(Instant expires_at) const {
    JsonWriter json;
    json.begin_object();
    json.field("finalTotalAmount", total_amount_);
    json.field("currency", currency_);
    json.field("expiresAt", Rfc3339{expires_at}.view());
    json.end_object();
    return json.finish();
}

std::string Placing::refused_detail(const Refusal& refusal) {
    JsonWriter json;
    json.begin_object();
    json.field("reason", refusal.reason);
    json.key("lines");
    json.raw(short_lines_json(refusal.lines));
    json.end_object();
    return json.finish();
}

OrderRow Placing::order_row(std::int64_t id, OrderStatus status) const {
    return {
        .order_id = id,
        .user_id = request_.user_id,
        .status = order_status_name(status),
        .currency = currency_,
        .total_amount = total_amount_,
        .failure_step = {},
        .failure_reason = {},
        .failure_message = {},
        .trace_id = trace_id_,
        .traceparent = rules_.traceparent,
        .idempotency_key = request_.idempotency_key,
        .created_at = now_,
        .expires_at = {},
        .lines = lines_,
    };
}

}  // namespace

std::string_view order_status_name(OrderStatus status) {
    switch (status) {
        case OrderStatus::kPending:
            return "PENDING";
        case OrderStatus::kFailed:
            return "FAILED";
        case OrderStatus::kLostRace:
            return "LOST_RACE";
    }
    return "";
}

OrderAnswer place_order(OrderStore& store, const OrderRequest& request, const PlacingRules& rules) {
    return Placing(store, request, rules).run();
}

}  // namespace holdfast::core
