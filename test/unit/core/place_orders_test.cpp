#include "core/place_orders.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/fake_store.hpp"

namespace holdfast::core {
namespace {

using Steps = std::vector<std::string>;

class PlaceOrders : public testing::Test {
 protected:
    PlaceOrders() {
        store.stock[1] = {.on_hand = 10, .version = 7, .price = 100};
        store.stock[2] = {.on_hand = 5, .price = 7};
    }

    static OrderRequest order(std::int64_t user, std::vector<Line> lines,
                              const std::string& key = {}) {
        OrderRequest request;
        request.user_id = user;
        request.lines = std::move(lines);
        if (!key.empty()) {
            request.idempotency_key = key;
        }
        return request;
    }
    /// Each outcome as "PENDING 101", "FAILED 102" or the SQLSTATE of a fault.
    Steps place(const std::vector<BatchRequest>& requests) {
        Steps texts;
        for (const BatchOutcome& outcome : place_orders(store, requests, rules)) {
            if (const Fault* fault = std::get_if<Fault>(&outcome)) {
                texts.push_back(fault->sqlstate);
                continue;
            }
            const auto& answer = std::get<OrderAnswer>(outcome);
            details.push_back(answer.detail);
            texts.push_back(std::string(order_status_name(answer.status)) + " " +
                            std::to_string(answer.order_id.value_or(0)));
        }
        return texts;
    }
    Steps stock_events() const {
        Steps found;
        for (const FakeStore::Event& event : store.events) {
            if (event.topic == "inventory-updated") {
                const auto begin = event.payload.find("\"productId\"");
                found.push_back(event.payload.substr(begin));
            }
        }
        return found;
    }

    FakeStore store;
    std::vector<std::string> details;
    PlacingRules rules{.default_hold_seconds = 900,
                       .record_refusals = true,
                       .inventory_events = true,
                       .trace_id = {},
                       .traceparent = {},
                       .durability = "tx"};
};

TEST_F(PlaceOrders, FirstComeFirstServed) {
    EXPECT_EQ(
        place({order(1, {{1, 6}}), order(2, {{1, 5}}), order(3, {{1, 4}}), order(4, {{1, 1}})}),
        (Steps{"PENDING 101", "FAILED 102", "PENDING 103", "FAILED 104"}));
    EXPECT_EQ(store.stock[1].reserved, 10);
    EXPECT_NE(details[1].find(R"("available":4)"), std::string::npos);
    EXPECT_EQ(store.order_states, (Steps{"PENDING", "FAILED", "PENDING", "FAILED"}));
}

TEST_F(PlaceOrders, UpdatesEachStockRowOnceAndLast) {
    place({order(1, {{2, 1}}), order(2, {{1, 1}, {2, 2}}), order(3, {{1, 2}})});
    EXPECT_EQ(store.log, (Steps{"read", "lock", "order", "order", "order", "reserve 1", "event",
                                "event", "reserve 2", "event", "event"}));
}

TEST_F(PlaceOrders, StockEventsAreThoseOfOrdersPlacedOneAfterTheOther) {
    place({order(1, {{1, 2}}), order(2, {{1, 3}})});
    EXPECT_EQ(store.stock[1].version, 9);
    EXPECT_EQ(
        stock_events(),
        (Steps{
            R"("productId":1,"onHand":10,"reserved":2,"available":8,"version":8,"cause":"RESERVE","orderId":101})",
            R"("productId":1,"onHand":10,"reserved":5,"available":5,"version":9,"cause":"RESERVE","orderId":102})"}));
}

TEST_F(PlaceOrders, AFaultConcernsItsOwnOrderOnly) {
    OrderRequest with_id = order(3, {{1, 1}});
    with_id.options.order_id = 55;
    EXPECT_EQ(place({order(1, {{1, 1}}), Fault{"HF001", "bad"}, order(2, {{9, 1}}), with_id,
                     order(4, {{2, 1}})}),
              (Steps{"PENDING 101", "HF001", "HF002", "HF009", "PENDING 102"}));
}

TEST_F(PlaceOrders, ABatchOfFaultsTouchesNothing) {
    EXPECT_EQ(place({Fault{"HF001", "bad"}}), Steps{"HF001"});
    EXPECT_EQ(place({order(1, {{9, 1}})}), Steps{"HF002"});
    EXPECT_EQ(store.log, Steps{"read"});
    EXPECT_TRUE(place({}).empty());
}

TEST_F(PlaceOrders, ClaimsKeysInOneOrderBeforeItLocksStock) {
    EXPECT_EQ(place({order(2, {{1, 1}}, "b"), order(1, {{1, 1}}, "z"), order(2, {{1, 1}}, "a")}),
              (Steps{"PENDING 103", "PENDING 101", "PENDING 102"}));
    EXPECT_EQ((Steps{store.log.begin(), store.log.begin() + 5}),
              (Steps{"read", "claim", "claim", "claim", "lock"}));
}

TEST_F(PlaceOrders, TheSameKeyTwiceInABatchIsOneOrder) {
    EXPECT_EQ(place({order(1, {{1, 4}}, "k"), order(1, {{1, 4}}, "k"), order(1, {{1, 5}}, "k")}),
              (Steps{"PENDING 101", "PENDING 101", "HF006"}));
    EXPECT_EQ(store.stock[1].reserved, 4);
    EXPECT_NE(details[1].find("\"replayed\":true"), std::string::npos);
}

TEST_F(PlaceOrders, ARefusalIsKeptUnderItsKey) {
    EXPECT_EQ(place({order(1, {{1, 11}}, "k")}), Steps{"FAILED 101"});
    store.stock[1].on_hand = 100;
    EXPECT_EQ(place({order(1, {{1, 11}}, "k")}), Steps{"FAILED 101"});
    EXPECT_EQ(store.order_states, Steps{"FAILED"});
}

TEST_F(PlaceOrders, AKeysAnswerStandsThoughItsProductIsGone) {
    place({order(1, {{1, 1}}, "k")});
    store.stock.erase(1);
    EXPECT_EQ(place({order(1, {{1, 1}}, "k"), order(1, {{1, 1}})}),
              (Steps{"PENDING 101", "HF002"}));
}

TEST_F(PlaceOrders, RefusalsNeedNoRecord) {
    rules.record_refusals = false;
    EXPECT_EQ(place({order(1, {{1, 11}})}), Steps{"FAILED 0"});
    EXPECT_TRUE(store.order_states.empty());
}

TEST_F(PlaceOrders, OrdersOfDifferentSagasShareABatch) {
    store.sagas["pay_first"] = {1, StockTaking::kLater};
    OrderRequest later = order(1, {{1, 10}});
    later.options.saga = "pay_first";
    OrderRequest unknown = order(1, {{1, 1}});
    unknown.options.saga = "nosuch";
    EXPECT_EQ(place({later, order(2, {{1, 10}}), unknown}),
              (Steps{"PENDING 101", "PENDING 102", "HF009"}));
    EXPECT_EQ(store.stock[1].reserved, 10);
}

TEST_F(PlaceOrders, NoObjectIsLeftAfterAnError) {
    const std::int64_t before = LiveObject::count();
    store.taken_in_between = 100;  // between look and lock: refused, no error
    {
        const std::vector<BatchRequest> requests{order(1, {{1, 1}}), order(2, {{9, 1}})};
        place_orders(store, requests, rules);
    }
    EXPECT_EQ(LiveObject::count(), before);
}

TEST_F(PlaceOrders, CountsTowardsLimitsWithinTheBatch) {
    store.stock[1].per_user = 3;
    EXPECT_EQ(
        place({order(1, {{1, 2}}), order(2, {{1, 3}}), order(1, {{1, 2}}), order(1, {{1, 1}})}),
        (Steps{"PENDING 101", "PENDING 102", "FAILED 103", "PENDING 104"}));
    EXPECT_NE(details[2].find(R"("limit":3,"per":"USER","taken":2)"), std::string::npos);
    EXPECT_EQ((Steps{store.log.begin(), store.log.begin() + 3}),
              (Steps{"read", "lock limits", "lock"}));
    EXPECT_EQ((store.taken[{1, 1}]), 3);
}

TEST_F(PlaceOrders, WhoIsNotAdmittedIsAFaultAndLeavesItsKeyFree) {
    store.stock[1].room = 7;
    store.tokens = {{"a", 7}, {"b", 7}};
    const auto with_token = [](OrderRequest request, const std::string& token) {
        request.options.admission_token = token;
        return request;
    };
    EXPECT_EQ(
        place({with_token(order(1, {{1, 1}}, "k"), "a"), order(2, {{1, 1}}, "k"),
               with_token(order(2, {{1, 1}}, "k"), "b"), order(3, {{2, 1}}),
               with_token(order(1, {{1, 1}}, "l"), "a"), with_token(order(1, {{1, 1}}, "l"), "a"),
               order(1, {{1, 1}}, "k")}),
        (Steps{"PENDING 101", "HF030", "HF030", "PENDING 107", "HF030", "HF030", "PENDING 101"}));
    EXPECT_EQ(store.answers.size(), 1U);
    EXPECT_EQ(store.stock[1].reserved, 1);
}

CouponState coupon(std::int64_t amount, std::optional<std::int64_t> uses_left = {}) {
    return {.code = {},
            .user_id = 0,
            .currency = "KRW",
            .amount = amount,
            .basis_points = 0,
            .max_discount = {},
            .minimum_amount = 0,
            .is_valid = true,
            .uses_left = uses_left,
            .user_uses_left = {}};
}

OrderRequest with(OrderRequest request, std::vector<std::string> coupons) {
    request.options.coupons = std::move(coupons);
    return request;
}

TEST_F(PlaceOrders, CountsCouponsWithinTheBatch) {
    store.coupons["TWO"] = coupon(1, 2);
    EXPECT_EQ(place({with(order(1, {{1, 1}}), {"TWO"}), with(order(2, {{1, 99}}), {"TWO"}),
                     with(order(2, {{1, 1}}), {"TWO"}), with(order(3, {{1, 1}}), {"TWO"}),
                     with(order(3, {{1, 1}}), {"NOPE"}), order(3, {{1, 1}})}),
              (Steps{"PENDING 101", "FAILED 102", "PENDING 103", "FAILED 104", "FAILED 105",
                     "PENDING 106"}));
    EXPECT_NE(details[3].find("COUPON_EXHAUSTED"), std::string::npos);
    EXPECT_NE(details[4].find("COUPON_UNKNOWN"), std::string::npos);
    EXPECT_EQ(store.stock[1].reserved, 3);
    EXPECT_EQ(store.coupons["TWO"].uses_left, 0);
}

TEST_F(PlaceOrders, CountsTheUsesOfEachUserWithinTheBatch) {
    store.coupons["A"] = coupon(1);
    store.uses_per_user = 1;
    EXPECT_EQ(place({with(order(1, {{1, 1}}), {"A"}), with(order(2, {{1, 1}}), {"A"}),
                     with(order(1, {{1, 1}}), {"A"})}),
              (Steps{"PENDING 101", "PENDING 102", "FAILED 103"}));
}

TEST_F(PlaceOrders, LocksAndUpdatesEachCouponOnceAfterTheStock) {
    store.coupons["A"] = coupon(1);
    store.coupons["B"] = coupon(1);
    rules.inventory_events = false;
    place({with(order(2, {{1, 1}}), {"B", "A"}), with(order(1, {{1, 1}}), {"A"})});
    EXPECT_EQ(store.log,
              (Steps{"read", "coupons", "lock", "lock coupons", "order", "order", "reserve 1",
                     "use A of 1", "use A of 2", "use B of 2", "use A 2", "use B 1"}));
}

TEST_F(PlaceOrders, OnePricesErrorIsNobodyElses) {
    rules.price_function = "shop.price";
    store.price_answer = R"({"discountAmount":50})";
    EXPECT_EQ(place({order(1, {{1, 1}}), order(2, {{2, 1}}), order(3, {{1, 2}})}),
              (Steps{"PENDING 101", "HF035", "PENDING 102"}));
    EXPECT_EQ(store.log[1], "ask shop.price alone");
}

TEST_F(PlaceOrders, APriceThatChangedIsOneOrdersRefusal) {
    OrderRequest changed = order(1, {{1, 1}});
    changed.options.expected_total_amount = 99;
    EXPECT_EQ(place({changed, order(2, {{1, 1}})}), (Steps{"FAILED 101", "PENDING 102"}));
    EXPECT_NE(details[0].find("PRICE_CHANGED"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::core
