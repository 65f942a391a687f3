#include "core/pricing.hpp"

#include <rapidjson/document.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/json_writer.hpp"

namespace holdfast::core {
namespace {

// The answer of a price function on its way into an order's price.
class Answer {
 public:
    Answer(std::string_view function, OrderPrice& price) : function_(function), price_(price) {}

    void apply(std::string_view json) {
        rapidjson::Document document;
        document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
        if (document.HasParseError() || !document.IsObject()) {
            refuse("it must be an object");
        }
        std::int64_t order_discount = 0;
        for (SizeType i = 0; i < document.MemberCount(); ++i) {
            const auto& member = document.MemberBegin()[i];
            const std::string_view name = text(member.name);
            if (name == "lines") {
                apply_lines(member.value);
            } else if (name == "discountAmount") {
                order_discount = amount(member.value, name, {});
            } else if (name == "currency") {
                if (!member.value.IsString() || text(member.value) != price_.currency) {
                    refuse("currency must be " + price_.currency + ", that of the products");
                }
            } else {
                refuse("unknown member \"" + std::string(name) + "\"");
            }
        }
        add_up(order_discount);
    }

 private:
    using SizeType = rapidjson::SizeType;
    using Value = rapidjson::Value;

    [[noreturn]] void refuse(const std::string& problem) const {
        throw Error(
            sqlstate::kBadPriceAnswer,
            "answer of price function \"" + std::string(function_) + "\" is no price: " + problem);
    }

    static std::string_view text(const Value& value) {
        return {value.GetString(), value.GetStringLength()};
    }

    std::int64_t amount(const Value& value, std::string_view name, const std::string& where) const {
        if (!value.IsInt64() || value.GetInt64() < 0) {
            refuse(where + std::string(name) +
                   " must be an integer of minor units, and not negative");
        }
        return value.GetInt64();
    }

    void apply_lines(const Value& lines) {
        if (!lines.IsArray()) {
            refuse("lines must be an array");
        }
        for (const Value& line : lines.GetArray()) {
            if (!line.IsObject()) {
                refuse("a line must be an object");
            }
            apply_line(line);
        }
    }

    void apply_line(const Value& line) {
        if (!line.HasMember("productId") || !line["productId"].IsInt64()) {
            refuse("a line must have a productId");
        }
        const std::int64_t id = line["productId"].GetInt64();
        const std::string where = "product " + std::to_string(id) + ": ";
        const auto priced = std::find_if(price_.lines.begin(), price_.lines.end(),
                                         [id](const PricedLine& l) { return l.product_id == id; });
        if (priced == price_.lines.end()) {
            refuse(where + "the order has no such line");
        }
        if (!named_.insert(id).second) {
            refuse(where + "it is named twice");
        }
        for (SizeType i = 0; i < line.MemberCount(); ++i) {
            const auto& member = line.MemberBegin()[i];
            const std::string_view name = text(member.name);
            if (name == "unitPrice") {
                priced->unit_price = amount(member.value, name, where);
            } else if (name == "discountAmount") {
                priced->discount_amount = amount(member.value, name, where);
            } else if (name == "quantity") {
                if (!member.value.IsInt64() || member.value.GetInt64() != priced->quantity) {
                    refuse(where + "quantity must be " + std::to_string(priced->quantity));
                }
            } else if (name != "productId") {
                refuse(where + "unknown member \"" + std::string(name) + "\"");
            }
        }
    }

    void add_up(std::int64_t order_discount) {
        std::int64_t original = 0;
        std::int64_t discount = order_discount;
        for (const PricedLine& line : price_.lines) {
            std::int64_t cost = 0;
            if (__builtin_mul_overflow(line.quantity, line.unit_price, &cost) ||
                __builtin_add_overflow(original, cost, &original)) {
                refuse("the order's amount is out of range");
            }
            if (line.discount_amount > cost) {
                refuse("product " + std::to_string(line.product_id) + ": discountAmount " +
                       std::to_string(line.discount_amount) + " is more than the line costs, " +
                       std::to_string(cost));
            }
            if (__builtin_add_overflow(discount, line.discount_amount, &discount)) {
                refuse("the discount is out of range");
            }
        }
        if (discount > original) {
            refuse("discountAmount " + std::to_string(discount) +
                   " is more than the order costs, " + std::to_string(original));
        }
        price_.original_total_amount = original;
        price_.discount_amount = discount;
    }

    const std::string_view function_;
    OrderPrice& price_;
    std::set<std::int64_t> named_;
};

const CouponState* find_coupon(std::span<const CouponState> found, const std::string& code) {
    const auto coupon = std::find_if(found.begin(), found.end(),
                                     [&code](const CouponState& c) { return c.code == code; });
    return coupon == found.end() ? nullptr : &*coupon;
}

CouponProblem problem_of(const std::string& code, const char* reason, const std::string& what) {
    std::string message = "coupon \"";
    message += code;
    message += "\" ";
    message += what;
    return {code, reason, std::move(message)};
}

std::optional<CouponProblem> use_problem(const std::string& code, const CouponState* coupon) {
    if (coupon == nullptr) {
        return problem_of(code, "COUPON_UNKNOWN", "does not exist");
    }
    if (!coupon->is_valid) {
        return problem_of(code, "COUPON_NOT_VALID", "is not valid now");
    }
    if (coupon->user_uses_left && *coupon->user_uses_left <= 0) {
        return problem_of(code, "COUPON_EXHAUSTED",
                          "is used up by user " + std::to_string(coupon->user_id));
    }
    if (coupon->uses_left && *coupon->uses_left <= 0) {
        return problem_of(code, "COUPON_EXHAUSTED", "is used up");
    }
    return std::nullopt;
}

// Rounded down, so that a percentage never takes more than it says.
std::int64_t discount_of(const CouponState& coupon, std::int64_t cost) {
    constexpr std::int64_t kWhole = 10000;
    std::int64_t discount = coupon.amount;
    if (coupon.basis_points > 0) {
        discount =
            cost / kWhole * coupon.basis_points + cost % kWhole * coupon.basis_points / kWhole;
    }
    return std::min({discount, cost, coupon.max_discount.value_or(discount)});
}

}  // namespace

std::string price_question_json(const OrderRequest& request, const OrderPrice& listed) {
    JsonWriter json;
    json.begin_object();
    json.field("userId", request.user_id);
    json.field("currency", listed.currency);
    json.key("lines");
    json.begin_array();
    for (const PricedLine& line : listed.lines) {
        json.begin_object();
        json.field("productId", line.product_id);
        json.field("quantity", line.quantity);
        json.field("unitPrice", line.unit_price);
        json.end_object();
    }
    json.end_array();
    json.field("originalTotalAmount", listed.original_total_amount);
    json.key("coupons");
    json.begin_array();
    for (const std::string& code : request.options.coupons) {
        json.text(code);
    }
    json.end_array();
    json.key("context");
    json.raw(request.options.pricing_context.empty() ? std::string_view{"{}"}
                                                     : request.options.pricing_context);
    json.end_object();
    return json.finish();
}

void apply_price_answer(std::string_view answer, std::string_view function, OrderPrice& price) {
    Answer(function, price).apply(answer);
}

std::optional<CouponProblem> check_uses(std::span<const std::string> codes,
                                        std::span<const CouponState> found) {
    for (const std::string& code : codes) {
        if (std::optional<CouponProblem> problem = use_problem(code, find_coupon(found, code))) {
            return problem;
        }
    }
    return std::nullopt;
}

std::optional<CouponProblem> apply_coupons(std::span<const std::string> codes,
                                           std::span<const CouponState> found, OrderPrice& price) {
    if (std::optional<CouponProblem> problem = check_uses(codes, found)) {
        return problem;
    }
    const std::int64_t without_coupons = price.final_total_amount();
    std::int64_t cost = without_coupons;
    std::vector<AppliedCoupon> applied;
    for (const std::string& code : codes) {
        const CouponState& coupon = *find_coupon(found, code);
        const auto not_applicable = [&code](const std::string& what) {
            return problem_of(code, "COUPON_NOT_APPLICABLE", what);
        };
        if (coupon.currency != price.currency) {
            return not_applicable("is in " + coupon.currency + ", the order in " + price.currency);
        }
        if (without_coupons < coupon.minimum_amount) {
            return not_applicable("needs an order of at least " +
                                  std::to_string(coupon.minimum_amount) + " " + coupon.currency);
        }
        const std::int64_t discount = discount_of(coupon, cost);
        if (discount == 0) {
            return not_applicable("would take nothing off");
        }
        cost -= discount;
        applied.push_back({code, discount});
    }
    price.discount_amount += without_coupons - cost;
    price.coupons = std::move(applied);
    return std::nullopt;
}

}  // namespace holdfast::core
