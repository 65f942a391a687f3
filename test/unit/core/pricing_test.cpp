#include "core/pricing.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace holdfast::core {
namespace {

OrderPrice listed() {
    return {.lines = {{1, 3, 100}, {2, 2, 7}},
            .currency = "KRW",
            .original_total_amount = 314,
            .discount_amount = 0,
            .coupons = {}};
}

// The amounts as "original-discount=final", or the problem.
std::string priced(const std::string& answer) {
    OrderPrice price = listed();
    try {
        apply_price_answer(answer, "shop.price", price);
    } catch (const Error& error) {
        EXPECT_EQ(error.sqlstate(), std::string("HF035"));
        const std::string head = "answer of price function \"shop.price\" is no price: ";
        EXPECT_EQ(std::string(error.what()).substr(0, head.size()), head);
        return std::string(error.what()).substr(head.size());
    }
    return std::to_string(price.original_total_amount) + "-" +
           std::to_string(price.discount_amount) + "=" + std::to_string(price.final_total_amount());
}

TEST(Pricing, TheQuestionHasWhatAPriceDependsOn) {
    OrderRequest request;
    request.user_id = 42;
    EXPECT_EQ(price_question_json(request, listed()),
              R"({"userId":42,"currency":"KRW","lines":[)"
              R"({"productId":1,"quantity":3,"unitPrice":100},)"
              R"({"productId":2,"quantity":2,"unitPrice":7}],)"
              R"("originalTotalAmount":314,"coupons":[],"context":{}})");
    request.options.coupons = {"A", "quo\"te"};
    request.options.pricing_context = R"({"tier":"gold"})";
    EXPECT_NE(price_question_json(request, listed())
                  .find(R"("coupons":["A","quo\"te"],"context":{"tier":"gold"}})"),
              std::string::npos);
}

TEST(Pricing, WhatTheAnswerDoesNotSayStaysAsItIsListed) {
    EXPECT_EQ(priced("{}"), "314-0=314");
    EXPECT_EQ(priced(R"({"lines":[]})"), "314-0=314");
    EXPECT_EQ(priced(R"({"lines":[{"productId":2}]})"), "314-0=314");
    EXPECT_EQ(priced(R"({"lines":[{"productId":2,"unitPrice":0}]})"), "300-0=300");
}

TEST(Pricing, DiscountsOfLinesAndOfTheOrderAddUp) {
    EXPECT_EQ(priced(R"({"lines":[{"productId":1,"unitPrice":90,"discountAmount":20},
                                  {"discountAmount":14,"productId":2,"quantity":2}],
                         "discountAmount":4,"currency":"KRW"})"),
              "284-38=246");
    EXPECT_EQ(priced(R"({"discountAmount":314})"), "314-314=0");
}

TEST(Pricing, AnAnswerThatIsNoPriceIsRefused) {
    EXPECT_EQ(priced(""), "it must be an object");
    EXPECT_EQ(priced("7"), "it must be an object");
    EXPECT_EQ(priced(R"({"discounts":1})"), "unknown member \"discounts\"");
    EXPECT_EQ(priced(R"({"discountAmount":-1})"),
              "discountAmount must be an integer of minor units, and not negative");
    EXPECT_EQ(priced(R"({"discountAmount":315})"),
              "discountAmount 315 is more than the order costs, 314");
    EXPECT_EQ(priced(R"({"currency":"USD"})"), "currency must be KRW, that of the products");
    EXPECT_EQ(priced(R"({"lines":[{"productId":3}]})"), "product 3: the order has no such line");
    EXPECT_EQ(priced(R"({"lines":[{"productId":1},{"productId":1}]})"),
              "product 1: it is named twice");
    EXPECT_EQ(priced(R"({"lines":[{"productId":1,"unitPrice":1.0}]})"),
              "product 1: unitPrice must be an integer of minor units, and not negative");
    EXPECT_EQ(priced(R"({"lines":[{"productId":1,"discountAmount":301}]})"),
              "product 1: discountAmount 301 is more than the line costs, 300");
}

TEST(Pricing, NoSumGoesOutOfRange) {
    EXPECT_EQ(priced(R"({"lines":[{"productId":1,"unitPrice":3074457345618258603}]})"),
              "the order's amount is out of range");
    EXPECT_EQ(priced(R"({"lines":[{"productId":1,"unitPrice":3074457345618258602}]})"),
              "the order's amount is out of range");
    EXPECT_EQ(priced(R"({"lines":[{"productId":1,"unitPrice":3074457345618258600,
                                   "discountAmount":1}],"discountAmount":9223372036854775807})"),
              "the discount is out of range");
}

CouponState coupon(const std::string& code, std::int64_t amount, std::int64_t basis_points = 0) {
    return {.code = code,
            .user_id = 42,
            .currency = "KRW",
            .amount = amount,
            .basis_points = basis_points,
            .max_discount = {},
            .minimum_amount = 0,
            .is_valid = true,
            .uses_left = {},
            .user_uses_left = {}};
}

// "final: code discount, ..." or the reason of the refusal.
std::string with(const std::vector<std::string>& codes, const std::vector<CouponState>& found) {
    OrderPrice price = listed();
    if (const auto problem = apply_coupons(codes, found, price)) {
        EXPECT_EQ(price.discount_amount, 0);
        EXPECT_TRUE(price.coupons.empty());
        return problem->reason;
    }
    std::string text = std::to_string(price.final_total_amount()) + ":";
    for (const AppliedCoupon& applied : price.coupons) {
        text += " " + applied.code + " " + std::to_string(applied.discount_amount);
    }
    return text;
}

TEST(Pricing, CouponsTakeOffOneAfterTheOther) {
    const std::vector<CouponState> found{coupon("AMOUNT", 14), coupon("HALF", 0, 5000)};
    EXPECT_EQ(with({"AMOUNT", "HALF"}, found), "150: AMOUNT 14 HALF 150");
    EXPECT_EQ(with({"HALF", "AMOUNT"}, found), "143: HALF 157 AMOUNT 14");
    EXPECT_EQ(with({}, found), "314:");
}

TEST(Pricing, ACouponNeverTakesMoreThanThereIsOrThanItMay) {
    EXPECT_EQ(with({"A"}, {coupon("A", 1000)}), "0: A 314");
    EXPECT_EQ(with({"A"}, {coupon("A", 0, 10000)}), "0: A 314");
    CouponState capped = coupon("A", 0, 5000);
    capped.max_discount = 20;
    EXPECT_EQ(with({"A"}, {capped}), "294: A 20");
    EXPECT_EQ(with({"A"}, {coupon("A", 0, 33)}), "313: A 1");
}

TEST(Pricing, APercentageOfTheLargestAmountIsExact) {
    OrderPrice price = listed();
    price.original_total_amount = INT64_MAX;
    const std::vector<std::string> codes{"A"};
    const std::vector<CouponState> found{coupon("A", 0, 9999)};
    EXPECT_FALSE(apply_coupons(codes, found, price));
    EXPECT_EQ(price.discount_amount, 9222449699651090329);
}

TEST(Pricing, ACouponThatCannotBeUsedSaysWhy) {
    EXPECT_EQ(with({"A"}, {}), "COUPON_UNKNOWN");
    CouponState changed = coupon("A", 10);
    changed.is_valid = false;
    EXPECT_EQ(with({"A"}, {changed}), "COUPON_NOT_VALID");
    changed = coupon("A", 10);
    changed.currency = "EUR";
    EXPECT_EQ(with({"A"}, {changed}), "COUPON_NOT_APPLICABLE");
    changed = coupon("A", 10);
    changed.minimum_amount = 315;
    EXPECT_EQ(with({"A"}, {changed}), "COUPON_NOT_APPLICABLE");
    EXPECT_EQ(with({"A"}, {coupon("A", 0, 1)}), "COUPON_NOT_APPLICABLE");
    EXPECT_EQ(with({"ALL", "A"}, {coupon("ALL", 314), coupon("A", 10)}), "COUPON_NOT_APPLICABLE");
    changed = coupon("A", 10);
    changed.uses_left = 0;
    EXPECT_EQ(with({"A"}, {changed}), "COUPON_EXHAUSTED");
    changed.uses_left = 1;
    changed.user_uses_left = 0;
    EXPECT_EQ(with({"A"}, {changed}), "COUPON_EXHAUSTED");
}

// So two coupons of one order may both need the whole price.
TEST(Pricing, TheMinimumIsOfWhatTheOrderCostsWithoutCoupons) {
    CouponState whole = coupon("B", 10);
    whole.minimum_amount = 314;
    EXPECT_EQ(with({"A", "B"}, {coupon("A", 10), whole}), "294: A 10 B 10");
}

}  // namespace
}  // namespace holdfast::core
