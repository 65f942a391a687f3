// core::OrderStore on this server: each call is one or few saved plans (order_sql.h).  Lives within
// one SPI frame of one call.
#pragma once

#include "core/live_object.hpp"
#include "core/order_store.hpp"

namespace holdfast::backend {

class SqlOrderStore final : public core::OrderStore, private core::LiveObject {
 public:
    core::Instant now() override;
    core::Uuid next_event_id(core::Instant at) override;
    std::int64_t next_order_id() override;
    core::Digest sha256(std::string_view bytes) override;
    std::optional<core::Tombstone> find_tombstone(std::int64_t order_id) override;
    std::string call_price_function(std::string_view name, std::string_view question,
                                    bool alone) override;
    std::vector<core::ProductState> read_products(std::span<const core::Line> lines) override;
    std::vector<core::ProductState> lock_products(std::span<const core::Line> lines) override;
    bool claim_key(std::int64_t user_id, std::string_view key,
                   const core::KeptAnswer& answer) override;
    std::optional<core::KeptAnswer> find_answer(std::int64_t user_id,
                                                std::string_view key) override;
    void change_answer(std::int64_t user_id, std::string_view key,
                       const core::KeptAnswer& answer) override;
    void release_key(std::int64_t user_id, std::string_view key) override;
    std::optional<std::string> check_admission(const core::Admission& admission,
                                               bool lock) override;
    std::optional<std::string> use_admission(const core::Admission& admission,
                                             std::int64_t order_id) override;
    std::vector<std::int64_t> lock_limits(std::span<const core::UserLimit> limits) override;
    void add_taken(std::int64_t order_id, std::int64_t user_id, std::span<const core::Line> lines,
                   core::Instant at) override;
    void insert_order(const core::OrderRow& order,
                      std::span<const core::OutboxRow> events) override;
    void insert_event(const core::OutboxRow& event) override;
    std::optional<core::SagaPlan> find_saga(std::string_view name) override;
    void start_saga(std::int64_t order_id, std::string_view name, std::int32_t version) override;
    std::optional<core::StockState> reserve(const core::Line& line, std::int64_t changes) override;
    std::vector<core::CouponState> read_coupons(std::span<const core::CouponClaim> claims) override;
    std::vector<core::CouponState> lock_coupons(std::span<const core::CouponClaim> claims) override;
    bool take_coupon_of_user(const core::CouponClaim& claim, std::int64_t uses) override;
    bool take_coupon(std::string_view code, std::int64_t uses) override;
};

}  // namespace holdfast::backend
