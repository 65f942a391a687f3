#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/order_store.hpp"

namespace holdfast::core {

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
        std::int32_t room = 0;
        std::int64_t per_order = 0;
        std::int64_t per_user = 0;
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
    std::map<std::string, SagaPlan> sagas;
    std::map<std::string, std::int32_t> tokens;  // good for an order of that room, once
    std::map<UserLimit, std::int64_t> taken;
    // By code; the uses of users by code and user.
    std::map<std::string, CouponState> coupons;
    std::map<CouponClaim, std::int64_t> user_uses;
    std::optional<std::int64_t> uses_per_user;
    // What the price function answers; empty: it raises HF001.
    std::string price_answer;
    std::vector<std::string> log;
    std::vector<Event> events;
    std::vector<std::string> order_states;
    // Another buyer, who comes between the look and the update.
    std::int64_t taken_in_between = 0;
    std::int64_t used_in_between = 0;

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
    std::string call_price_function(std::string_view name, std::string_view question,
                                    bool alone) override {
        log.push_back("ask " + std::string(name) + (alone ? " alone" : ""));
        price_question = question;
        if (price_answer.empty()) {
            throw Error(sqlstate::kInvalidRequest, "raised by the function");
        }
        return price_answer;
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
    void release_key(std::int64_t user, std::string_view key) override {
        log.emplace_back("release");
        answers.erase(std::to_string(user) + "/" + std::string(key));
    }
    std::optional<std::string> check_admission(const Admission& admission, bool lock) override {
        log.emplace_back(lock ? "lock token" : "check token");
        return problem(admission);
    }
    std::optional<std::string> use_admission(const Admission& admission,
                                             std::int64_t order_id) override {
        log.push_back("use token " + std::to_string(order_id));
        auto why = problem(admission);
        tokens.erase(std::string(admission.token));
        return why;
    }
    std::vector<std::int64_t> lock_limits(std::span<const UserLimit> limits) override {
        log.emplace_back("lock limits");
        std::vector<std::int64_t> counts;
        for (const UserLimit& limit : limits) {
            counts.push_back(taken[limit]);
        }
        return counts;
    }
    void add_taken(std::int64_t, std::int64_t user, std::span<const Line> lines, Instant) override {
        log.emplace_back("count");
        for (const Line& line : lines) {
            taken[{line.product_id, user}] += line.quantity;
        }
    }
    void insert_order(const OrderRow& order, std::span<const OutboxRow> rows) override {
        log.emplace_back("order");
        order_states.emplace_back(order.status);
        std::for_each(rows.begin(), rows.end(), [this](const OutboxRow& row) { keep(row); });
        reserved_order = order.reserved;
        order_saga = order.saga;
        failure = std::string(order.failure_step) + "/" + std::string(order.failure_reason);
        amounts = {order.original_total_amount, order.discount_amount, order.final_total_amount};
        coupons_of_order.assign(order.coupons.begin(), order.coupons.end());
    }
    void insert_event(const OutboxRow& event) override {
        log.emplace_back("event");
        keep(event);
    }
    std::optional<SagaPlan> find_saga(std::string_view name) override {
        const auto found = sagas.find(std::string(name));
        return found == sagas.end() ? std::nullopt : std::optional(found->second);
    }
    void start_saga(std::int64_t, std::string_view name, std::int32_t version) override {
        log.emplace_back("saga " + std::string(name) + " " + std::to_string(version));
    }
    std::optional<StockState> reserve(const Line& line, std::int64_t changes) override {
        log.emplace_back("reserve " + std::to_string(line.product_id));
        Stock& row = stock.at(line.product_id);
        if (row.on_hand - row.reserved < line.quantity) {
            return std::nullopt;
        }
        row.reserved += line.quantity;
        row.version += changes;
        return StockState{row.on_hand, row.reserved, row.on_hand - row.reserved, row.version};
    }

    std::vector<CouponState> read_coupons(std::span<const CouponClaim> claims) override {
        log.emplace_back("coupons");
        auto found = look(claims);
        for (auto& [code, coupon] : coupons) {
            if (coupon.uses_left) {
                *coupon.uses_left -= used_in_between;
            }
        }
        return found;
    }
    std::vector<CouponState> lock_coupons(std::span<const CouponClaim> claims) override {
        log.emplace_back("lock coupons");
        return look(claims);
    }
    bool take_coupon_of_user(const CouponClaim& claim, std::int64_t uses) override {
        log.push_back("use " + claim.code + " of " + std::to_string(claim.user_id));
        user_uses[claim] += uses;
        return !uses_per_user || user_uses[claim] <= *uses_per_user;
    }
    bool take_coupon(std::string_view code, std::int64_t uses) override {
        log.push_back("use " + std::string(code) + " " + std::to_string(uses));
        std::optional<std::int64_t>& left = coupons.at(std::string(code)).uses_left;
        if (left && *left < uses) {
            return false;
        }
        if (left) {
            *left -= uses;
        }
        return true;
    }

    std::vector<std::string> topics() const {
        std::vector<std::string> names;
        for (const Event& event : events) {
            names.push_back(event.topic);
        }
        return names;
    }

    bool reserved_order = false;
    std::string order_saga;
    std::string failure;
    std::string price_question;
    std::array<std::int64_t, 3> amounts{};  // original, discount, final
    std::vector<AppliedCoupon> coupons_of_order;

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
                                    row.currency, row.mode, row.room, row.per_order, row.per_user});
            }
        }
        return products;
    }

    std::optional<std::string> problem(const Admission& admission) const {
        const auto token = tokens.find(std::string(admission.token));
        return token != tokens.end() && token->second == admission.room
                   ? std::nullopt
                   : std::optional<std::string>("no token");
    }
    std::vector<CouponState> look(std::span<const CouponClaim> claims) const {
        std::vector<CouponState> found;
        for (const CouponClaim& claim : claims) {
            if (const auto coupon = coupons.find(claim.code); coupon != coupons.end()) {
                found.push_back(coupon->second);
                found.back().code = claim.code;
                found.back().user_id = claim.user_id;
                if (uses_per_user) {
                    const auto used = user_uses.find(claim);
                    found.back().user_uses_left =
                        *uses_per_user - (used == user_uses.end() ? 0 : used->second);
                }
            }
        }
        return found;
    }

    int event_count_ = 0;
    std::int64_t last_order_id_ = 100;
};

}  // namespace holdfast::core
