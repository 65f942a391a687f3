#include "core/place_order.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/fake_store.hpp"

namespace holdfast::core {
namespace {

class PlaceOrder : public testing::Test {
 protected:
    PlaceOrder() {
        store.stock[1] = {.on_hand = 10, .price = 100};
        store.stock[2] = {.on_hand = 5, .price = 7};
        request.user_id = 42;
        request.lines = {{1, 3}, {2, 5}};
    }

    std::optional<OrderAnswer> try_to_place() {
        return place_order(store, request, rules, stock_lock);
    }
    OrderAnswer place() { return try_to_place().value(); }
    std::string error() {
        try {
            place();
        } catch (const Error& thrown) {
            return thrown.sqlstate();
        }
        return "none";
    }

    FakeStore store;
    OrderRequest request;
    PlacingRules rules{.default_hold_seconds = 900,
                       .record_refusals = true,
                       .inventory_events = true,
                       .trace_id = {},
                       .traceparent = {},
                       .durability = "elr"};
    StockLock stock_lock = StockLock::kLast;
};

using Steps = std::vector<std::string>;

TEST_F(PlaceOrder, TakesStockLastAndInAscendingOrder) {
    const OrderAnswer answer = place();
    EXPECT_EQ(answer.status, OrderStatus::kPending);
    EXPECT_EQ(answer.order_id, 101);
    EXPECT_EQ(answer.detail, R"({"durability":"elr","finalTotalAmount":335,"currency":"KRW",)"
                             R"("expiresAt":"2026-03-01T09:45:00.000000Z"})");
    EXPECT_EQ(store.log, (Steps{"read", "order", "reserve 1", "event", "reserve 2", "event"}));
    EXPECT_TRUE(store.reserved_order);
}

TEST_F(PlaceOrder, WritesEachEventOnce) {
    place();
    EXPECT_EQ(store.topics(), (Steps{"order-created", "inventory-reserved", "inventory-updated",
                                     "inventory-updated"}));
    EXPECT_EQ(store.events[0].key, 101);
    EXPECT_EQ(store.events[2].key, 1);
}

TEST_F(PlaceOrder, InventoryEventsCanBeOff) {
    rules.inventory_events = false;
    place();
    EXPECT_EQ(store.topics(), (Steps{"order-created", "inventory-reserved"}));
}

TEST_F(PlaceOrder, EventsCarryTraceAndHeaders) {
    rules.trace_id = "session";
    rules.traceparent = "00-x";
    request.options.trace_id = "call";
    place();
    for (const FakeStore::Event& event : store.events) {
        EXPECT_NE(event.payload.find(R"("traceId":"call")"), std::string::npos);
        EXPECT_EQ(event.headers, R"({"traceparent":"00-x"})");
    }
}

TEST_F(PlaceOrder, RefusesBeforeAnyWriteOfStock) {
    request.lines = {{1, 11}, {2, 6}};
    const OrderAnswer answer = place();
    EXPECT_EQ(answer.status, OrderStatus::kFailed);
    EXPECT_EQ(answer.order_id, 101);
    EXPECT_EQ(answer.detail, R"({"durability":"elr","reason":"OUT_OF_STOCK","lines":[)"
                             R"({"productId":1,"requested":11,"available":10},)"
                             R"({"productId":2,"requested":6,"available":5}]})");
    EXPECT_EQ(store.log, (Steps{"read", "order"}));
    EXPECT_EQ(store.topics(), Steps{"order-failed"});
    EXPECT_EQ(store.failure, "RESERVE/OUT_OF_STOCK");
    EXPECT_FALSE(store.reserved_order);
}

TEST_F(PlaceOrder, RefusesWithoutAnyWriteWhenRefusalsAreNotRecorded) {
    rules.record_refusals = false;
    request.lines = {{1, 11}};
    const OrderAnswer answer = place();
    EXPECT_EQ(answer.status, OrderStatus::kFailed);
    EXPECT_FALSE(answer.order_id.has_value());
    EXPECT_EQ(store.log, Steps{"read"});
}

TEST_F(PlaceOrder, ARefusalUnderTheCallersIdIsAlwaysRecorded) {
    rules.record_refusals = false;
    request.options.order_id = 55;
    request.lines = {{1, 11}};
    EXPECT_EQ(place().order_id, 55);
    EXPECT_EQ(store.order_states, Steps{"FAILED"});
}

TEST_F(PlaceOrder, NegativeAvailabilityIsShownAsNone) {
    store.stock[1].reserved = 12;
    request.lines = {{1, 1}};
    EXPECT_NE(place().detail.find(R"("available":0)"), std::string::npos);
}

TEST_F(PlaceOrder, AsksToBeUndoneWhenTheStockIsGoneAtTheUpdate) {
    store.taken_in_between = 8;
    EXPECT_FALSE(try_to_place().has_value());
}

TEST_F(PlaceOrder, LocksFirstWhereItCannotBeUndone) {
    stock_lock = StockLock::kFirst;
    place();
    EXPECT_EQ(store.log,
              (Steps{"read", "lock", "order", "reserve 1", "event", "reserve 2", "event"}));
}

TEST_F(PlaceOrder, RefusesUnderTheLockWhatWasTakenInBetween) {
    stock_lock = StockLock::kFirst;
    store.taken_in_between = 8;
    request.idempotency_key = "k";
    EXPECT_EQ(place().status, OrderStatus::kFailed);
    EXPECT_EQ(store.log, (Steps{"read", "claim", "lock", "change", "order"}));
    EXPECT_EQ(store.answers.at("42/k").status, "FAILED");
}

TEST_F(PlaceOrder, ReplaysTheFirstAnswer) {
    request.idempotency_key = "k";
    const OrderAnswer first = place();
    store.stock[1].on_hand = 0;  // would be refused now
    const OrderAnswer second = place();
    EXPECT_EQ(second.status, OrderStatus::kPending);
    EXPECT_EQ(second.order_id, first.order_id);
    EXPECT_EQ(second.detail, "{\"replayed\":true," + first.detail.substr(1));
    EXPECT_EQ(store.order_states, Steps{"PENDING"});
}

TEST_F(PlaceOrder, ReplaysEvenWhenTheProductIsGone) {
    request.idempotency_key = "k";
    const OrderAnswer first = place();
    store.stock.erase(1);
    EXPECT_EQ(place().order_id, first.order_id);
}

TEST_F(PlaceOrder, ReplaysARefusalThatLeftNoOrder) {
    rules.record_refusals = false;
    request.idempotency_key = "k";
    request.lines = {{1, 11}};
    place();
    store.stock[1].on_hand = 100;
    const OrderAnswer second = place();
    EXPECT_EQ(second.status, OrderStatus::kFailed);
    EXPECT_FALSE(second.order_id.has_value());
}

TEST_F(PlaceOrder, AKeyOfAnotherRequestIsAnError) {
    request.idempotency_key = "k";
    place();
    request.lines = {{1, 4}};
    EXPECT_EQ(error(), "HF006");
}

TEST_F(PlaceOrder, ATombstoneRefuses) {
    request.options.order_id = 55;
    store.tombstone = Tombstone{"PAYMENT", "DECLINED", "no money"};
    const OrderAnswer answer = place();
    EXPECT_EQ(answer.status, OrderStatus::kFailed);
    EXPECT_EQ(store.failure, "PAYMENT/DECLINED");
    EXPECT_EQ(store.stock[1].reserved, 0);
    EXPECT_EQ(store.topics(), Steps{"order-failed"});
}

TEST_F(PlaceOrder, BadProductsAreErrors) {
    store.stock[1].currency = "EUR";
    EXPECT_EQ(error(), "HF010");
    store.stock[1].mode = "hot";
    EXPECT_EQ(error(), "0A000");
    store.stock.erase(2);
    store.stock[1].mode = "row";
    EXPECT_EQ(error(), "HF002");
}

TEST_F(PlaceOrder, AnAmountOutOfRangeIsAnError) {
    store.stock[1].price = INT64_MAX;
    EXPECT_EQ(error(), "HF004");
    store.stock[1].price = INT64_MAX / 3;
    EXPECT_EQ(error(), "HF004");
}

TEST_F(PlaceOrder, ASagaThatPaysFirstTakesNoStock) {
    store.sagas["pay_first"] = {1, StockTaking::kLater};
    request.options.saga = "pay_first";
    EXPECT_EQ(place().status, OrderStatus::kPending);
    EXPECT_EQ(store.log, (Steps{"read", "order", "saga pay_first 1"}));
    EXPECT_FALSE(store.reserved_order);
    EXPECT_EQ(store.order_saga, "pay_first");
    EXPECT_EQ(store.topics(), Steps{"order-created"});
    EXPECT_NE(store.events[0].payload.find(R"("saga":"pay_first")"), std::string::npos);
    EXPECT_EQ(store.stock[1].reserved, 0);
}

TEST_F(PlaceOrder, ASagaThatPaysFirstRefusesWhatIsSoldOutAlready) {
    store.sagas["pay_first"] = {1, StockTaking::kLater};
    rules.saga = "pay_first";
    store.stock[1].on_hand = 0;
    EXPECT_EQ(place().status, OrderStatus::kFailed);
    EXPECT_EQ(store.topics(), Steps{"order-failed"});
    EXPECT_EQ(store.order_saga, "") << "a refused order has no saga to follow";
}

TEST_F(PlaceOrder, ASagaWithStockElsewhereDoesNotAskForIt) {
    store.sagas["remote"] = {2, StockTaking::kElsewhere};
    rules.saga = "remote";
    store.stock[1].on_hand = 0;
    EXPECT_EQ(place().status, OrderStatus::kPending);
    EXPECT_EQ(store.log, (Steps{"read", "order", "saga remote 2"}));
}

TEST_F(PlaceOrder, ASagaThatReservesFirstStartsWhenTheOrderIsWritten) {
    store.sagas["shipping"] = {3, StockTaking::kFirst};
    request.options.saga = "shipping";
    place();
    EXPECT_EQ(store.log, (Steps{"read", "order", "saga shipping 3", "reserve 1", "event",
                                "reserve 2", "event"}));
    EXPECT_TRUE(store.reserved_order);
}

TEST_F(PlaceOrder, AnOptionGoesBeforeTheSessionsSaga) {
    rules.saga = "pay_first";
    request.options.saga = "reserve_first";
    place();
    EXPECT_EQ(store.order_saga, "");
    EXPECT_TRUE(store.reserved_order);
}

TEST_F(PlaceOrder, AnUnknownSagaIsAnError) {
    rules.saga = "nosuch";
    EXPECT_EQ(error(), "HF009");
}

TEST_F(PlaceOrder, NoObjectIsLeftAfterAnError) {
    const std::int64_t before = LiveObject::count();
    store.stock.erase(2);
    EXPECT_EQ(error(), "HF002");
    EXPECT_EQ(LiveObject::count(), before);
}

TEST_F(PlaceOrder, AsksForNothingWhenThereIsNeitherRoomNorLimit) {
    request.idempotency_key = "k";
    request.options.admission_token = "t";
    place();
    EXPECT_EQ(store.log,
              (Steps{"read", "claim", "order", "reserve 1", "event", "reserve 2", "event"}));
}

TEST_F(PlaceOrder, LocksTheTokenAfterTheKeyAndBeforeTheStock) {
    store.stock[2].room = 7;
    store.stock[1].per_user = 3;
    store.tokens = {{"t", 7}};
    request.idempotency_key = "k";
    request.options.admission_token = "t";
    stock_lock = StockLock::kFirst;
    EXPECT_EQ(place().status, OrderStatus::kPending);
    EXPECT_EQ(store.log,
              (Steps{"read", "claim", "lock token", "lock limits", "lock", "use token 101", "order",
                     "count", "reserve 1", "event", "reserve 2", "event"}));
    EXPECT_EQ((store.taken[{1, 42}]), 3);
}

TEST_F(PlaceOrder, NobodyWithoutATokenIsLetIn) {
    store.stock[1].room = 7;
    EXPECT_EQ(error(), "HF030");
    store.tokens = {{"t", 8}};
    request.options.admission_token = "t";
    EXPECT_EQ(error(), "HF030");
    request.lines = {{1, 11}};  // nor told what there is
    EXPECT_EQ(error(), "HF030");
    store.stock[2].room = 8;
    request.lines = {{1, 1}, {2, 1}};
    EXPECT_EQ(error(), "HF033");
}

TEST_F(PlaceOrder, ARefusalKeepsTheToken) {
    store.stock[1].room = 7;
    store.tokens = {{"t", 7}};
    request.options.admission_token = "t";
    request.lines = {{1, 11}};
    EXPECT_EQ(place().status, OrderStatus::kFailed);
    EXPECT_EQ(store.log, (Steps{"read", "check token", "order"}));
    EXPECT_EQ(store.tokens.size(), 1U);
}

TEST_F(PlaceOrder, ARepetitionNeedsNoToken) {
    store.stock[1].room = 7;
    store.tokens = {{"t", 7}};
    request.idempotency_key = "k";
    request.options.admission_token = "t";
    place();
    EXPECT_TRUE(store.tokens.empty());
    EXPECT_NE(place().detail.find("\"replayed\":true"), std::string::npos);
}

TEST_F(PlaceOrder, RefusesMoreThanALimit) {
    store.stock[1].per_order = 2;
    EXPECT_EQ(place().detail,
              R"({"durability":"elr","reason":"LIMIT_EXCEEDED","lines":[)"
              R"({"productId":1,"requested":3,"limit":2,"per":"ORDER","taken":0}]})");
    EXPECT_EQ(store.failure, "RESERVE/LIMIT_EXCEEDED");
    store.stock[1].per_order = 3;
    store.stock[1].per_user = 4;
    store.taken[{1, 42}] = 2;
    EXPECT_EQ(place().detail,
              R"({"durability":"elr","reason":"LIMIT_EXCEEDED","lines":[)"
              R"({"productId":1,"requested":3,"limit":4,"per":"USER","taken":2}]})");
    store.taken[{1, 42}] = 1;
    EXPECT_EQ(place().status, OrderStatus::kPending);
    // A limit that was lowered, and quantities beyond all sums.
    store.stock[1].per_user = 1;
    store.stock[1].per_order = 0;
    request.lines = {{1, 90'000'000'000'000'000}};
    store.stock[1].on_hand = INT64_MAX;
    EXPECT_EQ(place().status, OrderStatus::kFailed);
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

TEST_F(PlaceOrder, WithoutAPriceFunctionAndCouponsNothingIsAsked) {
    place();
    EXPECT_EQ(store.log, (Steps{"read", "order", "reserve 1", "event", "reserve 2", "event"}));
    EXPECT_EQ(store.amounts, (std::array<std::int64_t, 3>{335, 0, 335}));
}

TEST_F(PlaceOrder, ThePriceFunctionIsAskedBeforeAnythingIsWritten) {
    rules.price_function = "shop.price";
    store.price_answer = R"({"discountAmount":35})";
    EXPECT_NE(place().detail.find(R"("originalTotalAmount":335,"discountAmount":35,)"
                                  R"("finalTotalAmount":300)"),
              std::string::npos);
    EXPECT_EQ(store.log, (Steps{"read", "ask shop.price", "order", "reserve 1", "event",
                                "reserve 2", "event"}));
    EXPECT_EQ(store.amounts, (std::array<std::int64_t, 3>{335, 35, 300}));
    EXPECT_NE(store.events[1].payload.find(R"("amount":300)"), std::string::npos);
}

TEST_F(PlaceOrder, ARepetitionDoesNotAskThePriceFunctionAgain) {
    rules.price_function = "shop.price";
    store.price_answer = "{}";
    request.idempotency_key = "key";
    const OrderAnswer first = place();
    store.log.clear();
    store.price_answer = {};
    EXPECT_EQ(place().order_id, first.order_id);
    EXPECT_EQ(store.log, (Steps{"read", "find"}));
}

TEST_F(PlaceOrder, ABadAnswerOfThePriceFunctionEndsIt) {
    rules.price_function = "shop.price";
    store.price_answer = R"({"discountAmount":336})";
    EXPECT_EQ(error(), "HF035");
    EXPECT_TRUE(store.order_states.empty());
}

TEST_F(PlaceOrder, APriceThatIsNotTheExpectedOneIsARefusal) {
    request.options.expected_total_amount = 334;
    const OrderAnswer answer = place();
    EXPECT_EQ(answer.status, OrderStatus::kFailed);
    EXPECT_EQ(answer.detail,
              R"({"durability":"elr","reason":"PRICE_CHANGED","finalTotalAmount":335,)"
              R"("currency":"KRW","message":"the order costs 335 KRW, 334 expected","lines":[]})");
    EXPECT_EQ(store.failure, "PRICE/PRICE_CHANGED");
    EXPECT_EQ(store.log, (Steps{"read", "order"}));
    request.options.expected_total_amount = 335;
    EXPECT_EQ(place().status, OrderStatus::kPending);
}

TEST_F(PlaceOrder, TakesCouponsAfterTheStockUsersFirst) {
    store.coupons["B"] = coupon(5, 1);
    store.coupons["A"] = coupon(30);
    request.options.coupons = {"B", "A"};
    place();
    EXPECT_EQ(store.log, (Steps{"read", "coupons", "order", "reserve 1", "event", "reserve 2",
                                "event", "use A of 42", "use B of 42", "use A 1", "use B 1"}));
    EXPECT_EQ(store.amounts, (std::array<std::int64_t, 3>{335, 35, 300}));
    ASSERT_EQ(store.coupons_of_order.size(), 2U);
    EXPECT_EQ(store.coupons_of_order[0].code, "B");
    EXPECT_NE(store.events[0].payload.find(R"("coupons":[{"code":"B","discountAmount":5},)"
                                           R"({"code":"A","discountAmount":30}]})"),
              std::string::npos);
}

TEST_F(PlaceOrder, ACouponThatCannotBeUsedIsARefusalThatTakesNothing) {
    store.coupons["A"] = coupon(30, 0);
    request.options.coupons = {"A"};
    EXPECT_EQ(place().detail, R"({"durability":"elr","reason":"COUPON_EXHAUSTED","coupon":"A",)"
                              R"("message":"coupon \"A\" is used up","lines":[]})");
    EXPECT_EQ(store.log, (Steps{"read", "coupons", "order"}));
    EXPECT_EQ(store.failure, "PRICE/COUPON_EXHAUSTED");
    EXPECT_TRUE(store.coupons_of_order.empty());
}

TEST_F(PlaceOrder, ACouponUsedUpInBetweenIsTriedAgainWithLocks) {
    store.coupons["A"] = coupon(30, 1);
    store.used_in_between = 1;
    request.options.coupons = {"A"};
    EXPECT_FALSE(try_to_place());

    // As a rollback leaves it.
    store.stock[1].reserved = 0;
    store.stock[2].reserved = 0;
    store.coupons["A"] = coupon(30, 1);
    store.log.clear();
    stock_lock = StockLock::kFirst;
    const OrderAnswer answer = place();
    EXPECT_EQ(answer.status, OrderStatus::kFailed);
    EXPECT_EQ(store.log, (Steps{"read", "coupons", "lock", "lock coupons", "order"}));
    EXPECT_EQ(store.failure, "PRICE/COUPON_EXHAUSTED");
}

}  // namespace
}  // namespace holdfast::core
