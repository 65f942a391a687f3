// The server as orders see it: products, stock, the tables that an order is written to.  The seam
// at which the core runs in unit tests without a server.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/events.hpp"
#include "core/order_request.hpp"

namespace holdfast::core {

using Digest = std::array<std::uint8_t, 32>;

// A product as the unlocked look, or the lock, finds it.
struct ProductState {
    std::int64_t product_id;
    std::int64_t unit_price;
    std::int64_t available;
    std::string currency;
    std::string stock_mode;
    std::int32_t waiting_room = 0;   // orders need a token of it; 0: none
    std::int64_t max_per_order = 0;  // units; 0: any number
    std::int64_t max_per_user = 0;   // units; 0: any number
};

struct StockState {
    std::int64_t on_hand;
    std::int64_t reserved;
    std::int64_t available;
    std::int64_t version;
};

// A use of a coupon that a user's order wants.
struct CouponClaim {
    std::string code;
    std::int64_t user_id;
    auto operator<=>(const CouponClaim&) const = default;
};

// A coupon as the unlocked look, or the lock, finds it for one user.
struct CouponState {
    std::string code;
    std::int64_t user_id;
    std::string currency;
    std::int64_t amount;        // taken off; 0: it is a percentage
    std::int64_t basis_points;  // hundredths of a percent taken off; 0: it is an amount
    std::optional<std::int64_t> max_discount;
    std::int64_t minimum_amount;
    bool is_valid;                               // now
    std::optional<std::int64_t> uses_left;       // of all users; nothing: any number
    std::optional<std::int64_t> user_uses_left;  // of this user; nothing: any number
};

struct OutboxRow {
    Uuid id;
    std::string_view topic;
    std::int64_t key;
    std::string_view type;
    std::string payload;
    std::string_view headers;  // empty: none
    Instant created_at;
};

// A row of holdfast.orders with its lines; failure_* are empty unless it is refused.
struct OrderRow {
    std::int64_t order_id;
    std::int64_t user_id;
    std::string_view status;
    std::string_view currency;
    std::int64_t original_total_amount;
    std::int64_t discount_amount;
    std::int64_t final_total_amount;
    std::string_view failure_step;
    std::string_view failure_reason;
    std::string_view failure_message;
    std::string_view trace_id;
    std::string_view traceparent;
    std::optional<std::string_view> idempotency_key;
    Instant created_at;
    std::string_view saga;              // empty: reserve_first
    std::optional<Instant> expires_at;  // of an order that is not refused
    bool reserved = false;  // the lines are HELD; until expires_at, unless a saga decides
    std::span<const PricedLine> lines;
    std::span<const AppliedCoupon> coupons;  // their uses are HELD; empty when it is refused
};

// The first answer to a request with an idempotency key.
struct KeptAnswer {
    Digest request_hash;
    std::optional<std::int64_t> order_id;
    std::string status;
    std::string detail;  // a JSON object
};

// What admits a user to products of a waiting room.
struct Admission {
    std::int32_t room;
    std::int64_t user_id;
    std::string_view token;     // empty: none
    std::string_view trace_id;  // of the request, which may have been admitted; empty: none
};

// The count of what a user has taken of a product with a limit.
struct UserLimit {
    std::int64_t product_id;
    std::int64_t user_id;
    auto operator<=>(const UserLimit&) const = default;
};

// A compensation that came before its order.
struct Tombstone {
    std::string step;
    std::string reason;
    std::string message;
};

// When a saga takes the stock of its orders.
enum class StockTaking : std::uint8_t { kFirst, kLater, kElsewhere };

// The newest version of a saga other than reserve_first.
struct SagaPlan {
    std::int32_t version;
    StockTaking stock_taking;
};

// The server as place_order sees it: one transaction.  Each call may throw whatever ends it.
class OrderStore {
 public:
    virtual ~OrderStore() = default;

    virtual Instant now() = 0;
    virtual Uuid next_event_id(Instant at) = 0;
    virtual std::int64_t next_order_id() = 0;
    virtual Digest sha256(std::string_view bytes) = 0;

    // Also makes sure that no tombstone for the order can be made until the transaction ends.
    // Error: HF009 when the id was never issued.
    virtual std::optional<Tombstone> find_tombstone(std::int64_t order_id) = 0;

    // What the user's function of that name answers to a question (core/pricing.hpp), as JSON. With
    // `alone` set its errors are core::Error and leave the transaction as it was, so that the rest
    // of a batch can go on; else whatever it raises ends the transaction.
    // Ends it too, with 55000, when there is no such function.
    virtual std::string call_price_function(std::string_view name, std::string_view question,
                                            bool alone) = 0;

    // The products of these lines, ascending, those that exist.  Takes no lock.
    virtual std::vector<ProductState> read_products(std::span<const Line> lines) = 0;
    // The same, with the stock rows locked in that order until the transaction ends.
    virtual std::vector<ProductState> lock_products(std::span<const Line> lines) = 0;

    // Keeps the answer unless the user's key is taken; waits for a transaction that is about to
    // take it.  True: kept.
    virtual bool claim_key(std::int64_t user_id, std::string_view key,
                           const KeptAnswer& answer) = 0;
    // The answer kept under a key, once it is durable.
    virtual std::optional<KeptAnswer> find_answer(std::int64_t user_id, std::string_view key) = 0;
    // Replaces what this transaction has kept.
    virtual void change_answer(std::int64_t user_id, std::string_view key,
                               const KeptAnswer& answer) = 0;
    // Frees a key that this transaction has claimed.
    virtual void release_key(std::int64_t user_id, std::string_view key) = 0;

    // Why the user is not admitted; nothing when he is.  With `lock`, nobody else can use the
    // admission until the transaction ends.
    virtual std::optional<std::string> check_admission(const Admission& admission, bool lock) = 0;
    // The same, and the admission is used up.
    virtual std::optional<std::string> use_admission(const Admission& admission,
                                                     std::int64_t order_id) = 0;

    // Locks the counts, which are in ascending order, until the transaction ends, and returns what
    // each of them is.
    virtual std::vector<std::int64_t> lock_limits(std::span<const UserLimit> limits) = 0;
    // Counts the lines of an order, which this transaction has locked.
    virtual void add_taken(std::int64_t order_id, std::int64_t user_id, std::span<const Line> lines,
                           Instant at) = 0;

    // Writes the order, its lines, its reservations (expires_at set) and the events.
    virtual void insert_order(const OrderRow& order, std::span<const OutboxRow> events) = 0;
    virtual void insert_event(const OutboxRow& event) = 0;

    virtual std::optional<SagaPlan> find_saga(std::string_view name) = 0;
    // The saga of an order that was written, and reserved when the saga takes stock first.
    virtual void start_saga(std::int64_t order_id, std::string_view name, std::int32_t version) = 0;

    // Takes the quantity when that much is available, and locks the stock row; nothing: too little.
    // The row's version rises by `changes`: by one for each order that takes a part of it.
    virtual std::optional<StockState> reserve(const Line& line, std::int64_t changes) = 0;

    // The coupons of these claims (ascending, each once), those that exist.  Takes no lock.
    virtual std::vector<CouponState> read_coupons(std::span<const CouponClaim> claims) = 0;
    // The same, with the users' counters and then the coupons' locked, each ascending.
    virtual std::vector<CouponState> lock_coupons(std::span<const CouponClaim> claims) = 0;
    // Counts uses of a user, or of all users, and locks the counter; false: too few are left.
    virtual bool take_coupon_of_user(const CouponClaim& claim, std::int64_t uses) = 0;
    virtual bool take_coupon(std::string_view code, std::int64_t uses) = 0;
};

}  // namespace holdfast::core
