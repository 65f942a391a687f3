#include "core/events.hpp"

#include "core/json_writer.hpp"

namespace holdfast::core {
namespace {

void begin_event(JsonWriter& json, const EventHead& head, std::string_view type) {
    char id[36];
    format_uuid(head.id, id);
    json.begin_object();
    json.field("eventId", std::string_view{id, sizeof id});
    json.field("eventType", type);
    json.field("schemaVersion", 1);
    json.field("occurredAt", Rfc3339{head.occurred_at}.view());
    if (!head.trace_id.empty()) {
        json.field("traceId", head.trace_id);
    }
}

std::string end_event(JsonWriter& json) {
    json.end_object();
    return json.finish();
}

}  // namespace

std::string order_created_v1(const EventHead& head, const OrderCreated& event) {
    JsonWriter json;
    begin_event(json, head, "OrderCreated");
    json.field("orderId", event.order_id);
    json.field("userId", event.user_id);
    json.key("lines");
    json.begin_array();
    for (const PricedLine& line : event.lines) {
        json.begin_object();
        json.field("productId", line.product_id);
        json.field("quantity", line.quantity);
        json.field("unitPrice", line.unit_price);
        if (line.discount_amount != 0) {
            json.field("discountAmount", line.discount_amount);
        }
        json.end_object();
    }
    json.end_array();
    json.field("originalTotalAmount", event.original_total_amount);
    json.field("discountAmount", event.discount_amount);
    json.field("finalTotalAmount", event.final_total_amount);
    json.field("currency", event.currency);
    json.field("status", event.status);
    if (!event.saga.empty()) {
        json.field("saga", event.saga);
    }
    if (!event.coupons.empty()) {
        json.key("coupons");
        json.begin_array();
        for (const AppliedCoupon& coupon : event.coupons) {
            json.begin_object();
            json.field("code", coupon.code);
            json.field("discountAmount", coupon.discount_amount);
            json.end_object();
        }
        json.end_array();
    }
    return end_event(json);
}

std::string inventory_reserved_v1(const EventHead& head, const InventoryReserved& event) {
    JsonWriter json;
    begin_event(json, head, "InventoryReserved");
    json.field("orderId", event.order_id);
    json.field("userId", event.user_id);
    json.key("lines");
    json.begin_array();
    for (const PricedLine& line : event.lines) {
        json.begin_object();
        json.field("productId", line.product_id);
        json.field("quantity", line.quantity);
        json.end_object();
    }
    json.end_array();
    json.field("amount", event.amount);
    json.field("currency", event.currency);
    json.field("expiresAt", Rfc3339{event.expires_at}.view());
    return end_event(json);
}

std::string inventory_updated_v1(const EventHead& head, const InventoryUpdated& event) {
    JsonWriter json;
    begin_event(json, head, "InventoryUpdated");
    json.field("productId", event.product_id);
    json.field("onHand", event.on_hand);
    json.field("reserved", event.reserved);
    json.field("available", event.available);
    json.field("version", event.version);
    json.field("cause", event.cause);
    if (event.order_id.has_value()) {
        json.field("orderId", *event.order_id);
    }
    return end_event(json);
}

std::string order_failed_v1(const EventHead& head, const OrderFailed& event) {
    JsonWriter json;
    begin_event(json, head, "OrderFailed");
    json.field("orderId", event.order_id);
    json.field("failedStep", event.failed_step);
    json.field("reason", event.reason);
    json.field("message", event.message);
    json.key("lines");
    json.raw(event.lines_json);
    return end_event(json);
}

std::string short_lines_json(std::span<const ShortLine> lines) {
    JsonWriter json;
    json.begin_array();
    for (const ShortLine& line : lines) {
        json.begin_object();
        json.field("productId", line.product_id);
        json.field("requested", line.requested);
        json.field("available", line.available);
        json.end_object();
    }
    json.end_array();
    return json.finish();
}

std::string limited_lines_json(std::span<const LimitedLine> lines) {
    JsonWriter json;
    json.begin_array();
    for (const LimitedLine& line : lines) {
        json.begin_object();
        json.field("productId", line.product_id);
        json.field("requested", line.requested);
        json.field("limit", line.limit);
        json.field("per", line.per);
        json.field("taken", line.taken);
        json.end_object();
    }
    json.end_array();
    return json.finish();
}

std::string headers_json(std::string_view traceparent) {
    JsonWriter json;
    json.begin_object();
    json.field("traceparent", traceparent);
    json.end_object();
    return json.finish();
}

}  // namespace holdfast::core
