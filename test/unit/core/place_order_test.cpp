#include "core/place_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace holdfast::core {
namespace {

// A server in memory that notes what was asked of it, in order.
class FakeStore final : public OrderStore {
 public:
    struct Stock {
        std::int64_t on_hand = 0;
        std::int64_t reserved = 0;
        std::int64_t version = 0;
        std::int64_t price = 0;
        std::string currency = "KRW";
        std::string mode = "row";
    };

    // An outbox row with nothing borrowed.
    struct Event {
        std::string topic;
        std::int64_t key;
        std::string payload;
        std::string headers;
    };

    std::map<std::int64_t, Stock> stock;
    std::map<std::string, KeptAnswer> answers;
    std::optional<Tombstone> tombstone;
    std::vector<std::string> log;
    std::vector<Event> events;
    std::vector<std::string> order_states;
    // Another buyer, who comes between the look and the update.
    std::int64_t taken_in_between = 0;

    Instant now() override { return {1772357400000000}; }
    Uuid next_event_id(Instant) override {
        Uuid id{};
        id[15] = static_cast<std::uint8_t>(++event_count_);
        return id;
    }
    std::int64_t next_order_id() override { return ++last_order_id_; }
    Digest sha256(std::string_view bytes) override {
        Digest digest{};
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            digest[i % digest.size()] = static_cast<std::uint8_t>(
                digest[i % digest.size()] * 31 + static_cast<std::uint8_t>(bytes[i]));
        }
        return digest;
    }
    std::optional<Tombstone> find_tombstone(std::int64_t) override {
        log.emplace_back("tombstone");
        return tombstone;
    }
    std::vector<ProductState> read_products(std::span<const Line> lines) override {
        log.emplace_back("read");
        auto products = look(lines);
        for (auto& [id, row] : stock) {
            row.reserved += taken_in_between;
        }
        return products;
    }
    std::vector<ProductState> lock_products(std::span<const Line> lines) override {
        log.emplace_back("lock");
        return look(lines);
    }
    bool claim_key(std::int64_t user, std::string_view key, const KeptAnswer& answer) override {
        log.emplace_back("claim");
        return answers.emplace(std::to_string(user) + "/" + std::string(key), answer).second;
    }
    std::optional<KeptAnswer> find_answer(std::int64_t user, std::string_view key) override {
        log.emplace_back("find");
        const auto found = answers.find(std::to_string(user) + "/" + std::string(key));
        return found == answers.end() ? std::nullopt : std::optional(found->second);
    }
    void change_answer(std::int64_t user, std::string_view key, const KeptAnswer& answer) override {
        log.emplace_back("change");
        answers[std::to_string(user) + "/" + std::string(key)] = answer;
    }
    void insert_order(const OrderRow& order, std::span<const OutboxRow> rows) override {
        log.emplace_back("order");
        order_states.emplace_back(order.status);
        std::for_each(rows.begin(), rows.end(), [this](const OutboxRow& row) { keep(row); });
        reserved_order = order.expires_at.has_value();
        failure = std::string(order.failure_step) + "/" + std::string(order.failure_reason);
    }
    void insert_event(const OutboxRow& event) override {
        log.emplace_back("event");
        keep(event);
    }
    std::optional<StockState> reserve(const Line& line) override {
        log.emplace_back("reserve " + std::to_string(line.product_id));
        Stock& row = stock.at(line.product_id);
        if (row.on_hand - row.reserved < line.quantity) {
            return std::nullopt;
        }
        row.reserved += line.quantity;
        return StockState{row.on_hand, row.reserved, row.on_hand - row.reserved, ++row.version};
    }

    std::vector<std::string> topics() const {
        std::vector<std::string> names;
        for (const Event& event : events) {
            names.push_back(event.topic);
        }
        return names;
    }

    bool reserved_order = false;
    std::string failure;

 private:
    void keep(const OutboxRow& row) {
        events.push_back({std::string(row.topic), row.key, row.payload, std::string(row.headers)});
    }
    std::vector<ProductState> look(std::span<const Line> lines) const {
        std::vector<ProductState> products;
        for (const Line& line : lines) {
            if (const auto found = stock.find(line.product_id); found != stock.end()) {
                const Stock& row = found->second;
                products.push_back({line.product_id, row.price, row.on_hand - row.reserved,
                                    row.currency, row.mode});
            }
        }
        return products;
    }

    int event_count_ = 0;
    std::int64_t last_order_id_ = 100;
};

class PlaceOrder : public testing::Test {
 protected:
    PlaceOrder() {
        store.stock[1] = {.on_hand = 10, .price = 100};
        store.stock[2] = {.on_hand = 5, .price = 7};
        request.user_id = 42;
        request.lines = {{1, 3}, {2, 5}};
    }

    OrderAnswer place() { return place_order(store, request, rules); }
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
                       .stock_lock = StockLock::kLast,
                       .trace_id = {},
                       .traceparent = {},
                       .durability = "elr"};
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
    EXPECT_EQ(place().status, OrderStatus::kLostRace);
}

TEST_F(PlaceOrder, LocksFirstWhereItCannotBeUndone) {
    rules.stock_lock = StockLock::kFirst;
    place();
    EXPECT_EQ(store.log,
              (Steps{"read", "lock", "order", "reserve 1", "event", "reserve 2", "event"}));
}

TEST_F(PlaceOrder, RefusesUnderTheLockWhatWasTakenInBetween) {
    rules.stock_lock = StockLock::kFirst;
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

TEST_F(PlaceOrder, NoObjectIsLeftAfterAnError) {
    const std::int64_t before = LiveObject::count();
    store.stock.erase(2);
    EXPECT_EQ(error(), "HF002");
    EXPECT_EQ(LiveObject::count(), before);
}

}  // namespace
}  // namespace holdfast::core
