#include "backend/order_store.hpp"

#include <algorithm>
#include <cstring>

#include "backend/clock.hpp"
#include "backend/guard.hpp"
#include "backend/order_sql.h"
#include "backend/price_function.h"
#include "core/error.hpp"

namespace holdfast::backend {
namespace {

RawBytes bytes(std::string_view text) {
    return {text.data(), text.size()};
}

std::string text(RawBytes raw) {
    return {raw.data, raw.size};
}

SqlAnswer sql_answer(const core::KeptAnswer& answer) {
    return {.found = true,
            .request_hash = {reinterpret_cast<const char*>(answer.request_hash.data()),
                             answer.request_hash.size()},
            .has_order_id = answer.order_id.has_value(),
            .order_id = answer.order_id.value_or(0),
            .status = bytes(answer.status),
            .detail = bytes(answer.detail)};
}

SqlEvent sql_event(const core::OutboxRow& event) {
    return {.id = event.id.data(),
            .topic = bytes(event.topic),
            .key = event.key,
            .type = bytes(event.type),
            .payload = bytes(event.payload),
            .headers = bytes(event.headers),
            .created_at = to_timestamptz(event.created_at)};
}

std::vector<core::ProductState> products_of(std::span<const core::Line> lines, bool lock) {
    std::vector<int64> ids(lines.size());
    std::transform(lines.begin(), lines.end(), ids.begin(),
                   [](const core::Line& line) { return int64{line.product_id}; });
    std::vector<SqlProduct> rows(lines.size());
    const int found = call_backend<order_sql_read_products>(
        static_cast<const int64*>(ids.data()), static_cast<int>(ids.size()), lock, rows.data());
    std::vector<core::ProductState> products;
    products.reserve(rows.size());
    for (int i = 0; i < found; ++i) {
        const SqlProduct& row = rows[static_cast<std::size_t>(i)];
        products.push_back({row.product_id, row.unit_price, row.available, text(row.currency),
                            text(row.stock_mode), row.waiting_room, row.max_per_order,
                            row.max_per_user});
    }
    return products;
}

SqlAdmission sql_admission(const core::Admission& admission) {
    return {.room = admission.room,
            .user_id = admission.user_id,
            .token = bytes(admission.token),
            .trace_id = bytes(admission.trace_id)};
}

std::optional<std::string> problem(RawBytes raw) {
    return raw.size == 0 ? std::nullopt : std::optional{text(raw)};
}

std::optional<std::int64_t> limit(bool is_set, int64 value) {
    return is_set ? std::optional<std::int64_t>{value} : std::nullopt;
}

std::vector<core::CouponState> coupons_of(std::span<const core::CouponClaim> claims, bool lock) {
    std::vector<RawBytes> codes;
    std::vector<int64> users;
    for (const core::CouponClaim& claim : claims) {
        codes.push_back(bytes(claim.code));
        users.push_back(claim.user_id);
    }
    std::vector<SqlCoupon> rows(claims.size());
    const int found = call_backend<order_sql_read_coupons>(
        static_cast<const RawBytes*>(codes.data()), static_cast<const int64*>(users.data()),
        static_cast<int>(claims.size()), lock, rows.data());
    std::vector<core::CouponState> coupons;
    coupons.reserve(rows.size());
    for (int i = 0; i < found; ++i) {
        const SqlCoupon& row = rows[static_cast<std::size_t>(i)];
        coupons.push_back({.code = text(row.code),
                           .user_id = row.user_id,
                           .currency = text(row.currency),
                           .amount = row.amount,
                           .basis_points = row.basis_points,
                           .max_discount = limit(row.has_max_discount, row.max_discount),
                           .minimum_amount = row.minimum_amount,
                           .is_valid = row.is_valid,
                           .uses_left = limit(row.has_uses_left, row.uses_left),
                           .user_uses_left = limit(row.has_user_uses_left, row.user_uses_left)});
    }
    return coupons;
}

bool is_unique_violation(const BackendError& error) {
    return error.data() != nullptr && error.data()->sqlerrcode == ERRCODE_UNIQUE_VIOLATION;
}

}  // namespace

core::Instant SqlOrderStore::now() {
    return backend::now();
}

core::Uuid SqlOrderStore::next_event_id(core::Instant at) {
    return backend::next_event_id(at);
}

std::int64_t SqlOrderStore::next_order_id() {
    return call_backend<order_sql_next_order_id>();
}

core::Digest SqlOrderStore::sha256(std::string_view input) {
    core::Digest digest;
    call_backend<raw_sha256>(input.data(), Size{input.size()},
                             static_cast<unsigned char*>(digest.data()));
    return digest;
}

std::optional<core::Tombstone> SqlOrderStore::find_tombstone(std::int64_t order_id) {
    if (!call_backend<order_sql_is_issued>(int64{order_id})) {
        throw core::Error(core::sqlstate::kInvalidOption,
                          "order id " + std::to_string(order_id) + " was never issued", {},
                          "Take one from next_order_id().");
    }
    const SqlTombstone found = call_backend<order_sql_find_tombstone>(int64{order_id});
    if (!found.found) {
        return std::nullopt;
    }
    return core::Tombstone{text(found.step), text(found.reason), text(found.message)};
}

std::string SqlOrderStore::call_price_function(std::string_view name, std::string_view question,
                                               bool alone) {
    const std::string function(name);
    const PriceFunctionResult result =
        call_backend<price_function_call>(function.c_str(), bytes(question), alone);
    if (result.failed) {
        throw core::Error(result.sqlstate, text(result.message), text(result.detail),
                          text(result.hint));
    }
    return text(result.answer);
}

std::vector<core::ProductState> SqlOrderStore::read_products(std::span<const core::Line> lines) {
    return products_of(lines, false);
}

std::vector<core::ProductState> SqlOrderStore::lock_products(std::span<const core::Line> lines) {
    return products_of(lines, true);
}

bool SqlOrderStore::claim_key(std::int64_t user_id, std::string_view key,
                              const core::KeptAnswer& answer) {
    const SqlAnswer row = sql_answer(answer);
    return call_backend<order_sql_claim_key>(int64{user_id}, bytes(key), &row);
}

std::optional<core::KeptAnswer> SqlOrderStore::find_answer(std::int64_t user_id,
                                                           std::string_view key) {
    const SqlAnswer row = call_backend<order_sql_find_answer>(int64{user_id}, bytes(key));
    if (!row.found) {
        return std::nullopt;
    }
    core::KeptAnswer answer{{}, {}, text(row.status), text(row.detail)};
    std::memcpy(answer.request_hash.data(), row.request_hash.data,
                std::min(row.request_hash.size, answer.request_hash.size()));
    if (row.has_order_id) {
        answer.order_id = row.order_id;
    }
    return answer;
}

void SqlOrderStore::change_answer(std::int64_t user_id, std::string_view key,
                                  const core::KeptAnswer& answer) {
    const SqlAnswer row = sql_answer(answer);
    call_backend<order_sql_change_answer>(int64{user_id}, bytes(key), &row);
}

void SqlOrderStore::release_key(std::int64_t user_id, std::string_view key) {
    call_backend<order_sql_release_key>(int64{user_id}, bytes(key));
}

std::optional<std::string> SqlOrderStore::check_admission(const core::Admission& admission,
                                                          bool lock) {
    const SqlAdmission row = sql_admission(admission);
    return problem(call_backend<order_sql_check_admission>(&row, lock));
}

std::optional<std::string> SqlOrderStore::use_admission(const core::Admission& admission,
                                                        std::int64_t order_id) {
    const SqlAdmission row = sql_admission(admission);
    return problem(call_backend<order_sql_use_admission>(&row, int64{order_id}));
}

std::vector<std::int64_t> SqlOrderStore::lock_limits(std::span<const core::UserLimit> limits) {
    std::vector<int64> columns(limits.size() * 3);
    int64* const product_ids = columns.data();
    int64* const user_ids = product_ids + limits.size();
    int64* const taken = user_ids + limits.size();
    for (std::size_t i = 0; i < limits.size(); ++i) {
        product_ids[i] = limits[i].product_id;
        user_ids[i] = limits[i].user_id;
    }
    call_backend<order_sql_lock_limits>(
        static_cast<const int64*>(product_ids), static_cast<const int64*>(user_ids),
        static_cast<int>(limits.size()), static_cast<int64*>(taken));
    return {taken, taken + limits.size()};
}

void SqlOrderStore::add_taken(std::int64_t order_id, std::int64_t user_id,
                              std::span<const core::Line> lines, core::Instant at) {
    std::vector<int64> columns(lines.size() * 2);
    int64* const product_ids = columns.data();
    int64* const quantities = product_ids + lines.size();
    for (std::size_t i = 0; i < lines.size(); ++i) {
        product_ids[i] = lines[i].product_id;
        quantities[i] = lines[i].quantity;
    }
    call_backend<order_sql_add_taken>(
        int64{order_id}, int64{user_id}, static_cast<const int64*>(product_ids),
        static_cast<const int64*>(quantities), static_cast<int>(lines.size()), to_timestamptz(at));
}

void SqlOrderStore::insert_order(const core::OrderRow& order,
                                 std::span<const core::OutboxRow> events) {
    std::vector<int64> columns(order.lines.size() * 4);
    int64* const product_ids = columns.data();
    int64* const quantities = product_ids + order.lines.size();
    int64* const unit_prices = quantities + order.lines.size();
    int64* const line_discounts = unit_prices + order.lines.size();
    for (std::size_t i = 0; i < order.lines.size(); ++i) {
        product_ids[i] = order.lines[i].product_id;
        quantities[i] = order.lines[i].quantity;
        unit_prices[i] = order.lines[i].unit_price;
        line_discounts[i] = order.lines[i].discount_amount;
    }
    std::vector<RawBytes> coupon_codes;
    std::vector<int64> coupon_discounts;
    for (const core::AppliedCoupon& coupon : order.coupons) {
        coupon_codes.push_back(bytes(coupon.code));
        coupon_discounts.push_back(coupon.discount_amount);
    }
    const SqlOrder row{
        .order_id = order.order_id,
        .user_id = order.user_id,
        .status = bytes(order.status),
        .currency = bytes(order.currency),
        .original_total_amount = order.original_total_amount,
        .discount_amount = order.discount_amount,
        .final_total_amount = order.final_total_amount,
        .failure_step = bytes(order.failure_step),
        .failure_reason = bytes(order.failure_reason),
        .failure_message = bytes(order.failure_message),
        .trace_id = bytes(order.trace_id),
        .traceparent = bytes(order.traceparent),
        .idempotency_key = bytes(order.idempotency_key.value_or(std::string_view{})),
        .created_at = to_timestamptz(order.created_at),
        .saga = bytes(order.saga),
        .refused = !order.expires_at.has_value(),
        .expires_at = to_timestamptz(order.expires_at.value_or(core::Instant{})),
        .reserved = order.reserved,
        .line_count = static_cast<int>(order.lines.size()),
        .product_ids = product_ids,
        .quantities = quantities,
        .unit_prices = unit_prices,
        .line_discounts = line_discounts,
        .coupon_count = static_cast<int>(coupon_codes.size()),
        .coupon_codes = coupon_codes.data(),
        .coupon_discounts = coupon_discounts.data(),
    };
    std::vector<SqlEvent> rows;
    rows.reserve(events.size());
    for (const core::OutboxRow& event : events) {
        rows.push_back(sql_event(event));
    }
    try {
        call_backend<order_sql_insert_order>(&row, static_cast<const SqlEvent*>(rows.data()),
                                             static_cast<int>(rows.size()));
    } catch (const BackendError& error) {
        // Only an id of the caller's choice can exist already.
        if (!is_unique_violation(error)) {
            throw;
        }
        throw core::Error(core::sqlstate::kInvalidOption,
                          "order " + std::to_string(order.order_id) + " exists already");
    }
}

void SqlOrderStore::insert_event(const core::OutboxRow& event) {
    const SqlEvent row = sql_event(event);
    call_backend<order_sql_insert_event>(&row);
}

std::optional<core::SagaPlan> SqlOrderStore::find_saga(std::string_view name) {
    const SqlSaga saga = call_backend<order_sql_find_saga>(bytes(name));
    if (!saga.found) {
        return std::nullopt;
    }
    const std::string_view taking{saga.stock_taking.data, saga.stock_taking.size};
    return core::SagaPlan{saga.version, taking == "first"   ? core::StockTaking::kFirst
                                        : taking == "later" ? core::StockTaking::kLater
                                                            : core::StockTaking::kElsewhere};
}

void SqlOrderStore::start_saga(std::int64_t order_id, std::string_view name, std::int32_t version) {
    call_backend<order_sql_start_saga>(int64{order_id}, bytes(name), int32{version});
}

std::optional<core::StockState> SqlOrderStore::reserve(const core::Line& line,
                                                       std::int64_t changes) {
    const SqlStock stock = call_backend<order_sql_reserve>(int64{line.product_id},
                                                           int64{line.quantity}, int64{changes});
    if (!stock.reserved_now) {
        return std::nullopt;
    }
    return core::StockState{stock.on_hand, stock.reserved, stock.available, stock.version};
}

std::vector<core::CouponState> SqlOrderStore::read_coupons(
    std::span<const core::CouponClaim> claims) {
    return coupons_of(claims, false);
}

std::vector<core::CouponState> SqlOrderStore::lock_coupons(
    std::span<const core::CouponClaim> claims) {
    return coupons_of(claims, true);
}

bool SqlOrderStore::take_coupon_of_user(const core::CouponClaim& claim, std::int64_t uses) {
    return call_backend<order_sql_take_coupon_of_user>(bytes(claim.code), int64{claim.user_id},
                                                       int64{uses});
}

bool SqlOrderStore::take_coupon(std::string_view code, std::int64_t uses) {
    return call_backend<order_sql_take_coupon>(bytes(code), int64{uses});
}

}  // namespace holdfast::backend
