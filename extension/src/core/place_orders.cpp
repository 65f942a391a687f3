#include "core/place_orders.hpp"

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "core/error.hpp"

namespace holdfast::core {
namespace {

// A request of the batch that is still to be decided.
struct Entry {
    Entry(std::size_t number, const OrderRequest& request, const PlacingRules& rules)
        : place(number), draft(request, rules) {}

    std::size_t place;  // in the batch
    OrderDraft draft;
    std::int64_t order_id = 0;
    std::optional<Refusal> refusal = {};  // before anybody looks at stock
    bool is_replay = false;  // its key has an answer already, or will have one of this batch
    bool is_out = false;     // not admitted
};

// What the orders of the batch take of one product.
struct Taken {
    std::int64_t quantity = 0;
    struct Share {
        const Entry* entry;
        std::int64_t quantity;
    };
    std::vector<Share> shares;
};

class Batch : private LiveObject {
 public:
    Batch(OrderStore& store, std::span<const BatchRequest> requests, const PlacingRules& rules)
        : store_(store), rules_(rules), now_(store.now()), outcomes_(requests.size()) {
        for (std::size_t i = 0; i < requests.size(); ++i) {
            take_in(i, requests[i]);
        }
    }

    std::vector<BatchOutcome> run() {
        price();
        apply_coupons();
        claim_keys();
        admit();
        lock_limits();
        lock_stock();
        lock_coupons();
        for (Entry& entry : entries_) {
            if (!entry.is_replay) {
                decide(entry);
            }
        }
        update_stock();
        update_coupons();
        for (const Entry& entry : entries_) {
            if (entry.is_replay) {
                answer_again(entry);
            }
        }
        return std::move(outcomes_);
    }

 private:
    void take_in(std::size_t place, const BatchRequest& request) {
        if (const Fault* fault = std::get_if<Fault>(&request)) {
            outcomes_[place] = *fault;
            return;
        }
        const auto& order = std::get<OrderRequest>(request);
        if (order.options.order_id) {
            outcomes_[place] =
                Fault{sqlstate::kInvalidOption, "option orderId is not one of a batch"};
            return;
        }
        entries_.emplace_back(place, order, rules_);
    }

    // Runs `step`; an Error becomes the entry's outcome.  Returns whether there was none.
    template <typename Step>
    bool guard(const Entry& entry, Step step) {
        try {
            step();
            return true;
        } catch (const Error& error) {
            if (error.sqlstate() == std::string_view(sqlstate::kSerializationFailure)) {
                throw;
            }
            outcomes_[entry.place] = Fault{error.sqlstate(), error.what()};
            return false;
        }
    }

    // One line per product that the entries want, ascending.
    std::vector<Line> products() const {
        std::vector<Line> lines;
        for (const Entry& entry : entries_) {
            const std::vector<Line>& wanted = entry.draft.request().lines;
            lines.insert(lines.end(), wanted.begin(), wanted.end());
        }
        const auto by_product = [](const Line& a, const Line& b) {
            return a.product_id < b.product_id;
        };
        std::sort(lines.begin(), lines.end(), by_product);
        lines.erase(
            std::unique(lines.begin(), lines.end(),
                        [](const Line& a, const Line& b) { return a.product_id == b.product_id; }),
            lines.end());
        return lines;
    }

    // Those of the order's lines that exist, ascending.
    std::vector<ProductState> products_of(const Entry& entry) const {
        std::vector<ProductState> found;
        for (const Line& line : entry.draft.request().lines) {
            if (const auto product = products_.find(line.product_id); product != products_.end()) {
                found.push_back(product->second);
            }
        }
        return found;
    }

    void keep_products(std::vector<ProductState> products) {
        products_.clear();
        for (ProductState& product : products) {
            const std::int64_t id = product.product_id;
            products_.emplace(id, std::move(product));
        }
    }

    void price() {
        if (entries_.empty()) {
            return;
        }
        keep_products(store_.read_products(products()));
        std::erase_if(entries_, [this](Entry& entry) {
            return !guard(entry, [&] {
                try {
                    entry.draft.choose_saga(store_);
                    entry.draft.price(products_of(entry));
                    if (!rules_.price_function.empty()) {
                        // As in place_order.cpp.
                        entry.is_replay = entry.draft.replay(store_).has_value();
                        if (!entry.is_replay) {
                            entry.draft.apply_price_function(store_, true);
                        }
                    }
                } catch (const Error&) {
                    // The request may have been good when it came first; then its answer stands.
                    if (!entry.draft.replay(store_)) {
                        throw;
                    }
                    entry.is_replay = true;
                }
            });
        });
    }

    // What the entries that may be accepted want of coupons, ascending, each once.
    std::vector<CouponClaim> claims() const {
        std::set<CouponClaim> wanted;
        for (const Entry& entry : entries_) {
            if (!entry.is_replay && !entry.refusal) {
                for (CouponClaim& claim : entry.draft.coupon_claims()) {
                    wanted.insert(std::move(claim));
                }
            }
        }
        return {wanted.begin(), wanted.end()};
    }

    void keep_coupons(std::vector<CouponState> coupons) {
        coupons_.clear();
        for (CouponState& coupon : coupons) {
            CouponClaim claim{coupon.code, coupon.user_id};
            coupons_.emplace(std::move(claim), std::move(coupon));
        }
    }

    // Those of the order's coupons that exist, with what this batch has left of them.
    std::vector<CouponState> coupons_of(const Entry& entry) const {
        std::vector<CouponState> found;
        for (const CouponClaim& claim : entry.draft.coupon_claims()) {
            const auto coupon = coupons_.find(claim);
            if (coupon == coupons_.end()) {
                continue;
            }
            found.push_back(coupon->second);
            if (const auto taken = taken_coupons_.find(claim.code);
                taken != taken_coupons_.end() && found.back().uses_left) {
                *found.back().uses_left -= taken->second;
            }
            if (const auto taken = taken_of_users_.find(claim);
                taken != taken_of_users_.end() && found.back().user_uses_left) {
                *found.back().user_uses_left -= taken->second;
            }
        }
        return found;
    }

    void apply_coupons() {
        if (const std::vector<CouponClaim> wanted = claims(); !wanted.empty()) {
            keep_coupons(store_.read_coupons(wanted));
        }
        for (Entry& entry : entries_) {
            if (entry.is_replay) {
                continue;
            }
            if (!entry.draft.request().options.coupons.empty()) {
                entry.refusal = entry.draft.apply_coupons(coupons_of(entry));
            }
            if (!entry.refusal) {
                entry.refusal = entry.draft.price_change();
            }
        }
    }

    // In one order for all batches, so that two of them never wait for each other in a circle.
    void claim_keys() {
        std::vector<Entry*> keyed;
        for (Entry& entry : entries_) {
            if (entry.draft.request().idempotency_key && !entry.is_replay) {
                keyed.push_back(&entry);
            }
        }
        std::sort(keyed.begin(), keyed.end(), [](const Entry* a, const Entry* b) {
            const OrderRequest& x = a->draft.request();
            const OrderRequest& y = b->draft.request();
            return std::tie(x.user_id, *x.idempotency_key, a->place) <
                   std::tie(y.user_id, *y.idempotency_key, b->place);
        });
        for (Entry* entry : keyed) {
            const OrderRequest& request = entry->draft.request();
            entry->order_id = store_.next_order_id();
            entry->is_replay = !store_.claim_key(
                request.user_id, *request.idempotency_key,
                entry->draft.kept_answer(store_, OrderStatus::kPending, entry->order_id,
                                         entry->draft.accepted_detail(now_)));
        }
    }

    // For an entry with a fault that has claimed its key.
    void give_up(const Entry& entry) {
        const OrderRequest& request = entry.draft.request();
        if (request.idempotency_key) {
            store_.release_key(request.user_id, *request.idempotency_key);
            released_.emplace(std::pair{request.user_id, *request.idempotency_key},
                              std::get<Fault>(outcomes_[entry.place]));
        }
    }

    // The repetition of an entry that was given up is given up for the same reason.
    void answer_again(const Entry& entry) {
        const OrderRequest& request = entry.draft.request();
        const auto released = released_.find({request.user_id, *request.idempotency_key});
        if (released != released_.end()) {
            outcomes_[entry.place] = released->second;
            return;
        }
        guard(entry, [&] { outcomes_[entry.place] = entry.draft.first_answer(store_); });
    }

    // In one order for all batches, as the keys.
    void admit() {
        std::vector<Entry*> guests;
        for (Entry& entry : entries_) {
            if (entry.draft.needs_admission() && !entry.is_replay) {
                guests.push_back(&entry);
            }
        }
        std::sort(guests.begin(), guests.end(), [](const Entry* a, const Entry* b) {
            return std::tuple(a->draft.waiting_room(), a->draft.request().user_id, a->place) <
                   std::tuple(b->draft.waiting_room(), b->draft.request().user_id, b->place);
        });
        for (Entry* entry : guests) {
            if (!guard(*entry, [&] { entry->draft.check_admission(store_, true); })) {
                give_up(*entry);
                entry->is_out = true;
            }
        }
        std::erase_if(entries_, [](const Entry& entry) { return entry.is_out; });
    }

    void lock_limits() {
        for (const Entry& entry : entries_) {
            if (!entry.is_replay) {
                for (const UserLimit& limit : entry.draft.user_limits()) {
                    counts_.emplace(limit, 0);
                }
            }
        }
        if (counts_.empty()) {
            return;
        }
        std::vector<UserLimit> limits;
        limits.reserve(counts_.size());
        for (const auto& [limit, taken] : counts_) {
            limits.push_back(limit);
        }
        const std::vector<std::int64_t> taken = store_.lock_limits(limits);
        for (std::size_t i = 0; i < limits.size(); ++i) {
            counts_[limits[i]] = taken[i];
        }
    }

    std::optional<Refusal> over_limit(const Entry& entry) const {
        if (std::optional<Refusal> refusal = entry.draft.over_order_limit()) {
            return refusal;
        }
        std::vector<std::int64_t> taken;
        for (const UserLimit& limit : entry.draft.user_limits()) {
            taken.push_back(counts_.at(limit));
        }
        return entry.draft.over_user_limit(taken);
    }

    void lock_stock() {
        if (!entries_.empty()) {
            keep_products(store_.lock_products(products()));
        }
    }

    void lock_coupons() {
        if (const std::vector<CouponClaim> wanted = claims(); !wanted.empty()) {
            keep_coupons(store_.lock_coupons(wanted));
        }
    }

    void decide(Entry& entry) {
        const OrderRequest& request = entry.draft.request();
        if (entry.refusal) {
            refuse(entry, *entry.refusal);
            return;
        }
        const std::vector<ProductState> state = products_of(entry);
        if (state.size() != request.lines.size()) {
            throw Error(sqlstate::kSerializationFailure, "a product was removed concurrently");
        }
        if (const std::optional<Refusal> refusal = over_limit(entry)) {
            refuse(entry, *refusal);
            return;
        }
        if (const std::optional<Refusal> refusal = entry.draft.shortage(state)) {
            refuse(entry, *refusal);
            return;
        }
        if (const std::optional<Refusal> refusal = entry.draft.coupon_shortage(coupons_of(entry))) {
            refuse(entry, *refusal);
            return;
        }
        for (const CouponClaim& claim : entry.draft.coupon_claims()) {
            ++taken_coupons_[claim.code];
            ++taken_of_users_[claim];
        }
        if (entry.order_id == 0) {
            entry.order_id = store_.next_order_id();
        }
        // By an earlier order of the batch it may have been used.
        if (entry.draft.needs_admission() &&
            !guard(entry, [&] { entry.draft.use_admission(store_, entry.order_id); })) {
            give_up(entry);
            return;
        }
        entry.draft.write_accepted(store_, entry.order_id, now_);
        outcomes_[entry.place] = entry.draft.answer(OrderStatus::kPending, entry.order_id,
                                                    entry.draft.accepted_detail(now_));
        for (const Line& line : request.lines) {
            if (entry.draft.stock_taking() == StockTaking::kFirst) {
                products_.at(line.product_id).available -= line.quantity;
                Taken& taken = taken_[line.product_id];
                taken.quantity += line.quantity;
                taken.shares.push_back({&entry, line.quantity});
            }
            if (const auto count = counts_.find({line.product_id, request.user_id});
                count != counts_.end()) {
                count->second += line.quantity;
            }
        }
    }

    void refuse(const Entry& entry, const Refusal& refusal) {
        const OrderRequest& request = entry.draft.request();
        std::optional<std::int64_t> id;
        if (entry.draft.records_refusal()) {
            id = entry.order_id != 0 ? entry.order_id : store_.next_order_id();
        }
        const std::string detail = entry.draft.refused_detail(refusal);
        if (request.idempotency_key) {
            store_.change_answer(request.user_id, *request.idempotency_key,
                                 entry.draft.kept_answer(store_, OrderStatus::kFailed, id, detail));
        }
        if (id) {
            entry.draft.write_refused(store_, *id, refusal, now_);
        }
        outcomes_[entry.place] = entry.draft.answer(OrderStatus::kFailed, id, detail);
    }

    void update_stock() {
        for (const auto& [product_id, taken] : taken_) {
            const auto changes = static_cast<std::int64_t>(taken.shares.size());
            const std::optional<StockState> after =
                store_.reserve({product_id, taken.quantity}, changes);
            if (!after) {
                throw Error(
                    sqlstate::kStockChanged,
                    "stock of product " + std::to_string(product_id) + " changed under its lock");
            }
            if (!rules_.inventory_events) {
                continue;
            }
            StockState state{after->on_hand, after->reserved - taken.quantity,
                             after->available + taken.quantity, after->version - changes};
            for (const Taken::Share& share : taken.shares) {
                state.reserved += share.quantity;
                state.available -= share.quantity;
                ++state.version;
                share.entry->draft.write_stock_event(store_, share.entry->order_id, product_id,
                                                     state, store_.now());
            }
        }
    }

    void update_coupons() {
        bool taken = true;
        for (const auto& [claim, uses] : taken_of_users_) {
            taken = taken && store_.take_coupon_of_user(claim, uses);
        }
        for (const auto& [code, uses] : taken_coupons_) {
            taken = taken && store_.take_coupon(code, uses);
        }
        if (!taken) {
            throw Error(sqlstate::kStockChanged, "a coupon's uses changed under their lock");
        }
    }

    OrderStore& store_;
    const PlacingRules& rules_;
    const Instant now_;
    std::list<Entry> entries_;
    std::map<std::int64_t, ProductState> products_;
    std::map<std::int64_t, Taken> taken_;
    std::map<UserLimit, std::int64_t> counts_;
    std::map<std::pair<std::int64_t, std::string>, Fault> released_;
    // By coupon and user; and what the orders of the batch use of them.
    std::map<CouponClaim, CouponState> coupons_;
    std::map<CouponClaim, std::int64_t> taken_of_users_;
    std::map<std::string, std::int64_t> taken_coupons_;
    std::vector<BatchOutcome> outcomes_;
};

}  // namespace

std::vector<BatchOutcome> place_orders(OrderStore& store, std::span<const BatchRequest> requests,
                                       const PlacingRules& rules) {
    return Batch(store, requests, rules).run();
}

}  // namespace holdfast::core
