#include "core/order_request.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/error.hpp"

namespace holdfast::core {
namespace {

// The SQLSTATE and message of what `call` throws; empty when it throws nothing.
template <typename Call>
std::string thrown(Call call) {
    try {
        call();
    } catch (const Error& error) {
        return std::string(error.sqlstate()) + ": " + error.what();
    }
    return {};
}

std::string lines_error(const std::string& json) {
    return thrown([&] { parse_lines(json); });
}

std::string options_error(const std::string& json) {
    return thrown([&] { parse_options(json); });
}

TEST(OrderRequest, LinesAreSortedByProduct) {
    const std::vector<Line> expected{{1, 2}, {3, 1}, {9, 4}};
    EXPECT_EQ(parse_lines(R"([{"productId":9,"quantity":4},{"quantity":2,"productId":1},
                             {"productId":3,"quantity":1}])"),
              expected);
}

TEST(OrderRequest, RepeatedProductsAreSummed) {
    const std::vector<Line> expected{{-7, 6}, {1, 2}};
    EXPECT_EQ(parse_lines(R"([{"productId":-7,"quantity":1},{"productId":1,"quantity":2},
                             {"productId":-7,"quantity":2},{"productId":-7,"quantity":3}])"),
              expected);
}

TEST(OrderRequest, TheWholeRangeOfBigintIsAccepted) {
    const std::vector<Line> expected{{INT64_MIN, 1}, {INT64_MAX, INT64_MAX}};
    EXPECT_EQ(parse_lines(R"([{"productId":9223372036854775807,"quantity":9223372036854775807},
                             {"productId":-9223372036854775808,"quantity":1}])"),
              expected);
}

TEST(OrderRequest, ASumOutOfRangeIsRefused) {
    EXPECT_EQ(lines_error(R"([{"productId":1,"quantity":9223372036854775807},
                             {"productId":1,"quantity":1}])"),
              "HF004: the quantity of product 1 is out of range");
}

TEST(OrderRequest, ANumberOutOfRangeIsNotRounded) {
    EXPECT_EQ(lines_error(R"([{"productId":1,"quantity":9223372036854775808}])"),
              "HF004: line 1: quantity is out of range");
    EXPECT_EQ(lines_error(R"([{"productId":-9223372036854775809,"quantity":1}])"),
              "HF004: line 1: productId is out of range");
}

TEST(OrderRequest, FractionsAndExponentsAreNoIntegers) {
    EXPECT_EQ(lines_error(R"([{"productId":1,"quantity":1.0}])"),
              "HF001: line 1: quantity must be an integer");
    EXPECT_EQ(lines_error(R"([{"productId":1,"quantity":1e2}])"),
              "HF001: line 1: quantity must be an integer");
}

TEST(OrderRequest, AnErrorNamesItsLine) {
    EXPECT_EQ(lines_error(R"([{"productId":1,"quantity":1},{"productId":2,"quantity":0}])"),
              "HF003: line 2: quantity must be positive");
}

TEST(OrderRequest, LinesMustBeAnArrayOfObjects) {
    const std::string expected = "HF001: lines must be an array of objects";
    for (const char* json :
         {"null", "1", "\"x\"", "{}", "[1]", "[[]]", "[null]", "[\"a\"]", "true"}) {
        EXPECT_EQ(lines_error(json), expected) << json;
    }
    EXPECT_EQ(lines_error("[]"), "HF001: lines must not be empty");
}

TEST(OrderRequest, UnknownMembersAreRefused) {
    EXPECT_EQ(lines_error(R"([{"productId":1,"quantity":1,"price":2}])"),
              "HF001: line 1 has an unknown member \"price\"");
}

TEST(OrderRequest, MembersMustBeThereAndNotNull) {
    EXPECT_EQ(lines_error(R"([{"quantity":1}])"), "HF001: line 1 has no productId");
    EXPECT_EQ(lines_error(R"([{"productId":1}])"), "HF001: line 1 has no quantity");
    EXPECT_EQ(lines_error(R"([{"productId":null,"quantity":1}])"),
              "HF005: line 1: productId must not be null");
}

TEST(OrderRequest, InvalidJsonIsRefusedWithItsPlace) {
    try {
        parse_lines(R"([{"productId":1,)");
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "lines is not valid JSON");
        EXPECT_NE(error.detail().find("At byte 16."), std::string::npos) << error.detail();
    }
}

TEST(OrderRequest, DeepNestingIsRefusedAtOnce) {
    EXPECT_EQ(lines_error(std::string(1000000, '[')), "HF001: lines must be an array of objects");
    EXPECT_EQ(options_error(std::string(1000000, '[')), "HF009: options must be an object");
}

TEST(OrderRequest, TooManyLinesAreRefused) {
    std::string json = "[";
    for (std::size_t i = 0; i <= kMaxLines; ++i) {
        json += (i == 0 ? "" : ",");
        json += R"({"productId":1,"quantity":1})";
    }
    EXPECT_EQ(lines_error(json + "]"), "HF001: an order has at most 1000 lines");
}

TEST(OrderRequest, OptionsAreRead) {
    const OrderOptions options =
        parse_options(R"({"orderId":5,"holdSeconds":60,"traceId":"abc-1","saga":"pay_first"})");
    EXPECT_EQ(options.order_id, 5);
    EXPECT_EQ(options.hold_seconds, 60);
    EXPECT_EQ(options.trace_id, "abc-1");
    EXPECT_EQ(options.saga, "pay_first");
    EXPECT_FALSE(parse_options("{}").order_id.has_value());
}

TEST(OrderRequest, BadOptionsAreRefused) {
    for (const char* json :
         {"[]", "1", "null", R"({"orderId":0})", R"({"orderId":"1"})", R"({"orderId":null})",
          R"({"holdSeconds":0})", R"({"holdSeconds":2592001})", R"({"holdSeconds":1.5})",
          R"({"traceId":1})", R"({"traceId":""})", R"({"traceId":"a b"})",
          R"({"traceId":"\u00e9"})", R"({"traceId":{}})", R"({"orderid":1})", "{"}) {
        EXPECT_EQ(options_error(json).substr(0, 6), "HF009:") << json;
    }
    EXPECT_EQ(options_error("{\"traceId\":\"" + std::string(129, 'x') + "\"}").substr(0, 6),
              "HF009:");
}

TEST(OrderRequest, KeysHaveALength) {
    EXPECT_EQ(thrown([] { check_idempotency_key(std::string(255, 'k')); }), "");
    EXPECT_EQ(thrown([] { check_idempotency_key(std::string(256, 'k')); }).substr(0, 5), "HF001");
    EXPECT_EQ(thrown([] { check_idempotency_key(""); }).substr(0, 5), "HF001");
}

OrderRequest request(std::int64_t user, const char* lines, const char* options = "{}") {
    OrderRequest made;
    made.user_id = user;
    made.lines = parse_lines(lines);
    made.options = parse_options(options);
    return made;
}

TEST(OrderRequest, EqualRequestsHaveOneCanonicalForm) {
    EXPECT_EQ(
        canonical_form(request(1, R"([{"productId":2,"quantity":1},{"productId":1,"quantity":1},
                                           {"productId":2,"quantity":1}])")),
        canonical_form(request(1, R"([{"productId":1,"quantity":1},{"productId":2,"quantity":2}])",
                               R"({"traceId":"x",
                                   "admissionToken":"01234567-89ab-4def-8aBc-0123456789AB"})")));
}

TEST(OrderRequest, AnAdmissionTokenIsAUuid) {
    EXPECT_EQ(parse_options(R"({"admissionToken":"01234567-89ab-4def-8aBc-0123456789AB"})")
                  .admission_token,
              "01234567-89ab-4def-8aBc-0123456789AB");
    for (const char* wrong :
         {R"({"admissionToken":""})", R"({"admissionToken":7})", R"({"admissionToken":null})",
          R"({"admissionToken":"01234567-89ab-4def-8abc-0123456789a"})",
          R"({"admissionToken":"01234567-89ab-4def-8abc-0123456789abc"})",
          R"({"admissionToken":"0123456789ab-4def-8abc-01234567-89ab"})",
          R"({"admissionToken":"01234567-89ab-4def-8abc-0123456789ag"})"}) {
        EXPECT_EQ(options_error(wrong), "HF009: option admissionToken must be a UUID") << wrong;
    }
}

TEST(OrderRequest, DifferentRequestsHaveDifferentCanonicalForms) {
    const std::string form = canonical_form(request(1, R"([{"productId":1,"quantity":12}])"));
    EXPECT_NE(form, canonical_form(request(2, R"([{"productId":1,"quantity":12}])")));
    EXPECT_NE(form, canonical_form(request(1, R"([{"productId":11,"quantity":2}])")));
    EXPECT_NE(form, canonical_form(
                        request(1, R"([{"productId":1,"quantity":12}])", R"({"holdSeconds":60})")));
    EXPECT_NE(form, canonical_form(
                        request(1, R"([{"productId":1,"quantity":12}])", R"({"orderId":60})")));
    for (const char* options :
         {R"({"coupons":["A"]})", R"({"pricingContext":{}})", R"({"expectedTotalAmount":7})"}) {
        EXPECT_NE(form, canonical_form(request(1, R"([{"productId":1,"quantity":12}])", options)));
    }
}

TEST(OrderRequest, CouponsAreCodesEachOnce) {
    const std::vector<std::string> expected{"B", "a b"};
    EXPECT_EQ(parse_options(R"({"coupons":["B","a b"],"holdSeconds":5})").coupons, expected);
    EXPECT_TRUE(parse_options(R"({"coupons":[]})").coupons.empty());
    for (const char* json : {R"({"coupons":"A"})", R"({"coupons":null})", R"({"coupons":[7]})",
                             R"({"coupons":[""]})", R"({"coupons":[["A"]]})", R"({"coupons":{}})",
                             R"({"coupons":[{"A":1}]})", R"({"coupons":["A","A"]})"}) {
        EXPECT_EQ(options_error(json).substr(0, 6), "HF009:") << json;
    }
    EXPECT_EQ(options_error("{\"coupons\":[\"" + std::string(65, 'x') + "\"]}").substr(0, 6),
              "HF009:");
}

TEST(OrderRequest, ThePricingContextIsKeptAsItIs) {
    const OrderOptions options = parse_options(
        R"({"pricingContext":{"a":[1,2.50,{"b":null,"coupons":["x"]},true],"orderId":"\u00e9"},)"
        R"("orderId":5})");
    EXPECT_EQ(options.pricing_context,
              "{\"a\":[1,2.50,{\"b\":null,\"coupons\":[\"x\"]},true],\"orderId\":\"\u00e9\"}");
    EXPECT_EQ(options.order_id, 5);
    EXPECT_TRUE(options.coupons.empty());
    for (const char* json : {R"({"pricingContext":[]})", R"({"pricingContext":"x"})",
                             R"({"pricingContext":null})", R"({"pricingContext":7})"}) {
        EXPECT_EQ(options_error(json).substr(0, 6), "HF009:") << json;
    }
    std::string deep = "{}";
    for (int i = 1; i < kMaxContextDepth; ++i) {
        deep.insert(0, "{\"a\":");
        deep += '}';
    }
    EXPECT_EQ(parse_options("{\"pricingContext\":" + deep + "}").pricing_context, deep);
    EXPECT_EQ(options_error("{\"pricingContext\":{\"a\":" + deep + "}}"),
              "HF009: option pricingContext is nested too deeply");
}

TEST(OrderRequest, AnExpectedAmountMayBeNothing) {
    EXPECT_EQ(parse_options(R"({"expectedTotalAmount":0})").expected_total_amount, 0);
    EXPECT_EQ(options_error(R"({"expectedTotalAmount":-1})").substr(0, 6), "HF009:");
    EXPECT_EQ(options_error(R"({"expectedTotalAmount":1.0})").substr(0, 6), "HF009:");
}

}  // namespace
}  // namespace holdfast::core
