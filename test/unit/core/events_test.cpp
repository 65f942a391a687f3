#include "core/events.hpp"

#include <gtest/gtest.h>

namespace holdfast::core {
namespace {

const EventHead kHead{{0x01, 0x8f, 0x00, 0x11, 0x22, 0x33, 0x74, 0x44, 0x85, 0x55, 0x66, 0x77, 0x88,
                       0x99, 0xaa, 0xbb},
                      {1772357400000123},
                      {}};
const EventHead kTracedHead{kHead.id, kHead.occurred_at, "trace-1"};
const char* const kHeadJson = R"({"eventId":"018f0011-2233-7444-8555-66778899aabb","eventType":")";
const char* const kTimeJson = R"(","schemaVersion":1,"occurredAt":"2026-03-01T09:30:00.000123Z",)";

std::string expected(const char* type, const char* rest) {
    return std::string(kHeadJson) + type + kTimeJson + rest;
}

TEST(Events, OrderCreatedHasItsFieldsInOrder) {
    const PricedLine lines[] = {{1, 3, 10000}, {2, 1, 25000}};
    EXPECT_EQ(order_created_v1(kHead, {7, 42, lines, 55000, 5000, 50000, "KRW", "PENDING"}),
              expected("OrderCreated",
                       R"("orderId":7,"userId":42,"lines":[)"
                       R"({"productId":1,"quantity":3,"unitPrice":10000},)"
                       R"({"productId":2,"quantity":1,"unitPrice":25000}],)"
                       R"("originalTotalAmount":55000,"discountAmount":5000,)"
                       R"("finalTotalAmount":50000,"currency":"KRW","status":"PENDING"})"));
}

TEST(Events, OrderCreatedNamesDiscountsAndCouponsOnlyWhenThereAreSome) {
    const PricedLine lines[] = {{1, 3, 100, 20}, {2, 1, 7}};
    const AppliedCoupon coupons[] = {{"TEN", 10}, {"quo\"te", 5}};
    EXPECT_EQ(order_created_v1(kHead, {7, 42, lines, 307, 35, 272, "KRW", "PENDING", {}, coupons}),
              expected("OrderCreated",
                       R"("orderId":7,"userId":42,"lines":[)"
                       R"({"productId":1,"quantity":3,"unitPrice":100,"discountAmount":20},)"
                       R"({"productId":2,"quantity":1,"unitPrice":7}],)"
                       R"("originalTotalAmount":307,"discountAmount":35,)"
                       R"("finalTotalAmount":272,"currency":"KRW","status":"PENDING",)"
                       R"("coupons":[{"code":"TEN","discountAmount":10},)"
                       R"({"code":"quo\"te","discountAmount":5}]})"));
}

TEST(Events, InventoryReservedHasItsFieldsInOrder) {
    const PricedLine lines[] = {{1, 3, 10000}};
    EXPECT_EQ(inventory_reserved_v1(kHead, {7, 42, lines, 30000, "KRW", {1772358300000123}}),
              expected("InventoryReserved",
                       R"("orderId":7,"userId":42,"lines":[{"productId":1,"quantity":3}],)"
                       R"("amount":30000,"currency":"KRW",)"
                       R"("expiresAt":"2026-03-01T09:45:00.000123Z"})"));
}

TEST(Events, InventoryUpdatedNamesItsOrderOnlyWhenThereIsOne) {
    EXPECT_EQ(inventory_updated_v1(kHead, {1, 100, 3, 97, 4, "RESERVE", 7}),
              expected("InventoryUpdated",
                       R"("productId":1,"onHand":100,"reserved":3,"available":97,"version":4,)"
                       R"("cause":"RESERVE","orderId":7})"));
    EXPECT_EQ(inventory_updated_v1(kHead, {1, 100, 3, 97, 4, "RESTOCK", {}}),
              expected("InventoryUpdated",
                       R"("productId":1,"onHand":100,"reserved":3,"available":97,"version":4,)"
                       R"("cause":"RESTOCK"})"));
}

TEST(Events, OrderFailedHasItsFieldsInOrder) {
    const ShortLine lines[] = {{1, 3, 2}};
    EXPECT_EQ(
        order_failed_v1(kHead, {7, "RESERVE", "OUT_OF_STOCK", "text", short_lines_json(lines)}),
        expected("OrderFailed",
                 R"("orderId":7,"failedStep":"RESERVE","reason":"OUT_OF_STOCK",)"
                 R"("message":"text","lines":[{"productId":1,"requested":3,"available":2}]})"));
}

TEST(Events, TraceIdComesAfterTheTime) {
    EXPECT_EQ(order_failed_v1(kTracedHead, {7, "PAYMENT", "r", "m", "[]"}),
              expected("OrderFailed",
                       R"("traceId":"trace-1","orderId":7,"failedStep":"PAYMENT","reason":"r",)"
                       R"("message":"m","lines":[]})"));
}

TEST(Events, TextIsEscaped) {
    EXPECT_EQ(order_failed_v1(kHead, {7, "S", "\"\\\n\x01", "\u00e9\u2028", "[]"}),
              expected("OrderFailed",
                       "\"orderId\":7,\"failedStep\":\"S\",\"reason\":\"\\\"\\\\\\n\\u0001\","
                       "\"message\":\"\u00e9\u2028\",\"lines\":[]}"));
}

TEST(Events, HeadersCarryTheTraceparent) {
    EXPECT_EQ(headers_json("00-a-b-01"), R"({"traceparent":"00-a-b-01"})");
}

}  // namespace
}  // namespace holdfast::core
