#include "core/order_request.hpp"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "core/error.hpp"
#include "core/json_writer.hpp"

namespace holdfast::core {
namespace {

using rapidjson::SizeType;

// Numbers stay text, so that none is rounded through a double before its range is checked.
constexpr unsigned kParseFlags = rapidjson::kParseNumbersAsStringsFlag;

enum class NumberProblem : std::uint8_t { kNone, kNotInteger, kOutOfRange };

NumberProblem parse_integer(std::string_view text, std::int64_t& value) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc::result_out_of_range && stop == end) {
        return NumberProblem::kOutOfRange;
    }
    return error == std::errc{} && stop == end ? NumberProblem::kNone : NumberProblem::kNotInteger;
}

// SAX events of one flat object's members.  A handler that sees something unexpected throws; the
// reader holds only stack memory and a small buffer of its own, which it frees.
template <typename Derived>
class FlatHandler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Derived> {
 public:
    bool Null() { return self().on_value(Kind::kNull, "null"); }
    bool Bool(bool value) { return self().on_value(Kind::kBool, value ? "true" : "false"); }
    bool RawNumber(const char* text, SizeType length, bool) {
        return self().on_value(Kind::kNumber, {text, length});
    }
    bool String(const char* text, SizeType length, bool) {
        return self().on_value(Kind::kString, {text, length});
    }

 protected:
    enum class Kind : std::uint8_t { kNull, kBool, kNumber, kString, kNested };
    Derived& self() { return static_cast<Derived&>(*this); }
};

class LinesHandler : public FlatHandler<LinesHandler> {
 public:
    std::vector<Line> lines;

    bool StartArray() {
        if (depth_ == 1) {
            bad_shape();
        }
        if (depth_ == 2) {
            return on_value(Kind::kNested, {});
        }
        depth_ = 1;
        return true;
    }
    bool EndArray(SizeType) { return true; }

    bool StartObject() {
        if (depth_ == 0) {
            bad_shape();
        }
        if (depth_ == 2) {
            return on_value(Kind::kNested, {});
        }
        depth_ = 2;
        if (lines.size() == kMaxLines) {
            throw Error(sqlstate::kInvalidRequest,
                        "an order has at most " + std::to_string(kMaxLines) + " lines");
        }
        lines.emplace_back();
        has_product_ = false;
        has_quantity_ = false;
        return true;
    }

    bool EndObject(SizeType) {
        if (!has_product_ || !has_quantity_) {
            throw Error(sqlstate::kInvalidRequest,
                        where() + " has no " + (has_product_ ? "quantity" : "productId"));
        }
        depth_ = 1;
        return true;
    }

    bool Key(const char* text, SizeType length, bool) {
        const std::string_view name{text, length};
        if (name == "productId") {
            member_ = Member::kProduct;
        } else if (name == "quantity") {
            member_ = Member::kQuantity;
        } else {
            throw Error(sqlstate::kInvalidRequest,
                        where() + " has an unknown member \"" + std::string(name) + "\"", {},
                        "A line has the members productId and quantity.");
        }
        return true;
    }

    bool on_value(Kind kind, std::string_view text) {
        if (depth_ != 2) {
            bad_shape();
        }
        const char* const name = member_ == Member::kProduct ? "productId" : "quantity";
        if (kind == Kind::kNull) {
            throw Error(sqlstate::kNullArgument, where() + ": " + name + " must not be null");
        }
        std::int64_t value = 0;
        const NumberProblem problem =
            kind == Kind::kNumber ? parse_integer(text, value) : NumberProblem::kNotInteger;
        if (problem == NumberProblem::kNotInteger) {
            throw Error(sqlstate::kInvalidRequest, where() + ": " + name + " must be an integer");
        }
        if (problem == NumberProblem::kOutOfRange) {
            throw Error(sqlstate::kOverflow, where() + ": " + name + " is out of range");
        }
        if (member_ == Member::kProduct) {
            lines.back().product_id = value;
            has_product_ = true;
        } else {
            if (value <= 0) {
                throw Error(sqlstate::kBadQuantity, where() + ": quantity must be positive");
            }
            lines.back().quantity = value;
            has_quantity_ = true;
        }
        return true;
    }

 private:
    enum class Member : std::uint8_t { kProduct, kQuantity };

    [[noreturn]] static void bad_shape() {
        throw Error(sqlstate::kInvalidRequest, "lines must be an array of objects", {},
                    "An example is [{\"productId\":1,\"quantity\":3}].");
    }
    std::string where() const { return "line " + std::to_string(lines.size()); }

    int depth_ = 0;  // 1: in the array, 2: in an object
    Member member_ = Member::kProduct;
    bool has_product_ = false;
    bool has_quantity_ = false;
};

class OptionsHandler : public FlatHandler<OptionsHandler> {
 public:
    OrderOptions options;

    bool StartObject() {
        if (context_depth_ > 0 || (inside_ && member_ == Member::kPricingContext)) {
            enter_context();
            context_.begin_object();
            return true;
        }
        if (inside_) {
            return on_value(Kind::kNested, {});
        }
        inside_ = true;
        return true;
    }
    bool EndObject(SizeType) {
        if (context_depth_ > 0) {
            context_.end_object();
            if (--context_depth_ == 0) {
                options.pricing_context = context_.finish();
            }
        }
        return true;
    }
    bool StartArray() {
        if (context_depth_ > 0) {
            enter_context();
            context_.begin_array();
            return true;
        }
        if (inside_ && member_ == Member::kCoupons && !in_coupons_) {
            in_coupons_ = true;
            return true;
        }
        return on_value(Kind::kNested, {});
    }
    bool EndArray(SizeType) {
        if (context_depth_ > 0) {
            context_.end_array();
            --context_depth_;
        }
        in_coupons_ = false;
        return true;
    }

    bool Key(const char* text, SizeType length, bool) {
        const std::string_view name{text, length};
        if (context_depth_ > 0) {
            context_.key(name);
        } else if (name == "orderId") {
            member_ = Member::kOrderId;
        } else if (name == "holdSeconds") {
            member_ = Member::kHoldSeconds;
        } else if (name == "traceId") {
            member_ = Member::kTraceId;
        } else if (name == "saga") {
            member_ = Member::kSaga;
        } else if (name == "admissionToken") {
            member_ = Member::kAdmissionToken;
        } else if (name == "coupons") {
            member_ = Member::kCoupons;
        } else if (name == "pricingContext") {
            member_ = Member::kPricingContext;
        } else if (name == "expectedTotalAmount") {
            member_ = Member::kExpectedTotalAmount;
        } else {
            throw Error(sqlstate::kInvalidOption, "unknown option \"" + std::string(name) + "\"",
                        {},
                        "The options are orderId, holdSeconds, traceId, saga, admissionToken, "
                        "coupons, pricingContext and expectedTotalAmount.");
        }
        return true;
    }

    bool on_value(Kind kind, std::string_view text) {
        if (!inside_) {
            throw Error(sqlstate::kInvalidOption, "options must be an object");
        }
        if (context_depth_ > 0) {
            if (kind == Kind::kString) {
                context_.text(text);
            } else {
                context_.raw(text);
            }
            return true;
        }
        switch (member_) {
            case Member::kOrderId:
                options.order_id = integer(kind, text, "orderId", 1, INT64_MAX);
                break;
            case Member::kHoldSeconds:
                options.hold_seconds = integer(kind, text, "holdSeconds", 1, kMaxHoldSeconds);
                break;
            case Member::kTraceId:
                if (kind != Kind::kString || !is_trace_id(text)) {
                    throw Error(sqlstate::kInvalidOption,
                                "option traceId must be a string of 1 to " +
                                    std::to_string(kMaxTraceIdBytes) +
                                    " printable ASCII characters without spaces, quotes and "
                                    "backslashes");
                }
                options.trace_id = text;
                break;
            case Member::kSaga:
                if (kind != Kind::kString || text.empty() || text.size() > kMaxSagaNameBytes) {
                    throw Error(sqlstate::kInvalidOption, "option saga must be a string of 1 to " +
                                                              std::to_string(kMaxSagaNameBytes) +
                                                              " bytes");
                }
                options.saga = text;
                break;
            case Member::kAdmissionToken:
                if (kind != Kind::kString || !is_uuid(text)) {
                    throw Error(sqlstate::kInvalidOption, "option admissionToken must be a UUID");
                }
                options.admission_token = text;
                break;
            case Member::kCoupons:
                add_coupon(kind, text);
                break;
            case Member::kPricingContext:
                throw Error(sqlstate::kInvalidOption, "option pricingContext must be an object");
            case Member::kExpectedTotalAmount:
                options.expected_total_amount =
                    integer(kind, text, "expectedTotalAmount", 0, INT64_MAX);
                break;
        }
        return true;
    }

 private:
    enum class Member : std::uint8_t {
        kOrderId,
        kHoldSeconds,
        kTraceId,
        kSaga,
        kAdmissionToken,
        kCoupons,
        kPricingContext,
        kExpectedTotalAmount
    };

    void enter_context() {
        if (++context_depth_ > kMaxContextDepth) {
            throw Error(sqlstate::kInvalidOption, "option pricingContext is nested too deeply");
        }
    }

    void add_coupon(Kind kind, std::string_view text) {
        if (!in_coupons_ || kind != Kind::kString || text.empty() ||
            text.size() > kMaxCouponBytes || options.coupons.size() == kMaxCoupons) {
            throw Error(sqlstate::kInvalidOption, "option coupons must be an array of at most " +
                                                      std::to_string(kMaxCoupons) +
                                                      " codes of 1 to " +
                                                      std::to_string(kMaxCouponBytes) + " bytes");
        }
        if (std::find(options.coupons.begin(), options.coupons.end(), text) !=
            options.coupons.end()) {
            throw Error(sqlstate::kInvalidOption,
                        "option coupons names \"" + std::string(text) + "\" twice");
        }
        options.coupons.emplace_back(text);
    }

    static std::int64_t integer(Kind kind, std::string_view text, const char* name,
                                std::int64_t least, std::int64_t most) {
        std::int64_t value = 0;
        if (kind != Kind::kNumber || parse_integer(text, value) != NumberProblem::kNone ||
            value < least || value > most) {
            throw Error(sqlstate::kInvalidOption,
                        std::string("option ") + name + " must be an integer from " +
                            std::to_string(least) + " to " + std::to_string(most));
        }
        return value;
    }

    static bool is_trace_id(std::string_view text) {
        return !text.empty() && text.size() <= kMaxTraceIdBytes &&
               std::all_of(text.begin(), text.end(),
                           [](char c) { return c >= '!' && c <= '~' && c != '"' && c != '\\'; });
    }

    static bool is_uuid(std::string_view text) {
        constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
        return std::equal(
            text.begin(), text.end(), kShape.begin(), kShape.end(), [](char c, char shape) {
                return shape == '-' ? c == '-'
                                    : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
                                          (c >= 'A' && c <= 'F');
            });
    }

    bool inside_ = false;
    Member member_ = Member::kOrderId;
    bool in_coupons_ = false;
    JsonWriter context_;
    int context_depth_ = 0;
};

template <typename Handler>
void parse(std::string_view json, Handler& handler, const char* sqlstate, const char* name) {
    rapidjson::MemoryStream stream(json.data(), json.size());
    rapidjson::Reader reader;
    const rapidjson::ParseResult result = reader.Parse<kParseFlags>(stream, handler);
    if (result.IsError()) {
        throw Error(sqlstate, std::string(name) + " is not valid JSON",
                    std::string(rapidjson::GetParseError_En(result.Code())) + " At byte " +
                        std::to_string(result.Offset()) + ".");
    }
}

// Sorts by product and sums repeated products.
void merge(std::vector<Line>& lines) {
    std::sort(lines.begin(), lines.end(),
              [](const Line& a, const Line& b) { return a.product_id < b.product_id; });
    std::size_t kept = 0;
    for (std::size_t i = 1; i < lines.size(); ++i) {
        if (lines[i].product_id != lines[kept].product_id) {
            lines[++kept] = lines[i];
        } else if (__builtin_add_overflow(lines[kept].quantity, lines[i].quantity,
                                          &lines[kept].quantity)) {
            throw Error(sqlstate::kOverflow, "the quantity of product " +
                                                 std::to_string(lines[kept].product_id) +
                                                 " is out of range");
        }
    }
    lines.resize(kept + 1);
}

}  // namespace

std::vector<Line> parse_lines(std::string_view json) {
    LinesHandler handler;
    parse(json, handler, sqlstate::kInvalidRequest, "lines");
    if (handler.lines.empty()) {
        throw Error(sqlstate::kInvalidRequest, "lines must not be empty");
    }
    merge(handler.lines);
    return std::move(handler.lines);
}

OrderOptions parse_options(std::string_view json) {
    OptionsHandler handler;
    parse(json, handler, sqlstate::kInvalidOption, "options");
    return std::move(handler.options);
}

void check_quantity(std::int64_t quantity) {
    if (quantity <= 0) {
        throw Error(sqlstate::kBadQuantity, "quantity must be positive");
    }
}

void check_idempotency_key(std::string_view key) {
    if (key.empty() || key.size() > kMaxKeyBytes) {
        throw Error(sqlstate::kInvalidRequest,
                    "idempotency_key must have 1 to " + std::to_string(kMaxKeyBytes) + " bytes");
    }
}

std::string canonical_form(const OrderRequest& request) {
    std::string form = "1;user=" + std::to_string(request.user_id) + ";lines=";
    for (const Line& line : request.lines) {
        form += std::to_string(line.product_id);
        form += 'x';
        form += std::to_string(line.quantity);
        form += ',';
    }
    if (request.options.order_id.has_value()) {
        form += ";order=" + std::to_string(*request.options.order_id);
    }
    if (request.options.hold_seconds.has_value()) {
        form += ";hold=" + std::to_string(*request.options.hold_seconds);
    }
    if (!request.options.saga.empty()) {
        form += ";saga=" + request.options.saga;
    }
    for (const std::string& code : request.options.coupons) {
        form += ";coupon=" + std::to_string(code.size()) + ":" + code;
    }
    if (!request.options.pricing_context.empty()) {
        form += ";context=" + request.options.pricing_context;
    }
    if (request.options.expected_total_amount.has_value()) {
        form += ";expected=" + std::to_string(*request.options.expected_total_amount);
    }
    return form;
}

}  // namespace holdfast::core
