// In-memory endpoints and an in-memory database for notification.  The database keeps the rules of
// notify_admit and its like that the courier relies on: epochs, the stored offset, event ids, and
// blocked keys.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/errors.hpp"
#include "notify/endpoints.hpp"
#include "notify/ledger.hpp"

namespace holdfast::relay::notify::testing {

/// Keeps every request, and answers with what is prepared for its binding; then with `otherwise`.
class FakeEndpoints final : public Endpoints {
 public:
    struct Posted {
        std::size_t binding = 0;
        Request request;
    };

    void post(std::size_t binding, std::uint64_t ticket, Request request) override {
        posted.push_back({binding, std::move(request)});
        Response response;
        response.ticket = ticket;
        response.status = otherwise;
        if (!prepared[binding].empty()) {
            response.status = prepared[binding].front().status;
            response.cause = prepared[binding].front().cause;
            response.retry_after = prepared[binding].front().retry_after;
            prepared[binding].pop_front();
        }
        (silent.contains(binding) ? held_[binding] : ready_).push_back(std::move(response));
    }
    std::optional<Response> take() override {
        if (ready_.empty()) {
            return std::nullopt;
        }
        Response response = std::move(ready_.front());
        ready_.pop_front();
        return response;
    }
    [[nodiscard]] int fd() const override { return -1; }
    [[nodiscard]] bool has_answered() const { return !ready_.empty(); }

    /// A silent binding answers what it has been asked so far.
    void answer(std::size_t binding) {
        for (Response& response : held_[binding]) {
            ready_.push_back(std::move(response));
        }
        held_[binding].clear();
    }
    void prepare(std::size_t binding, int status, std::optional<std::string> retry_after = {}) {
        Response response;
        response.status = status;
        response.cause = status == 0 ? "cannot connect: https://chat.example" : "";
        response.retry_after = std::move(retry_after);
        prepared[binding].push_back(std::move(response));
    }
    [[nodiscard]] std::vector<std::string> ids() const {
        std::vector<std::string> all;
        for (const Posted& entry : posted) {
            all.push_back(entry.request.event_id);
        }
        return all;
    }

    std::vector<Posted> posted;
    std::map<std::size_t, std::deque<Response>> prepared;
    std::set<std::size_t> silent;
    int otherwise = 200;

 private:
    std::deque<Response> ready_;
    std::map<std::size_t, std::deque<Response>> held_;
};

class FakeLedger final : public Ledger {
 public:
    struct Row {
        std::int64_t next_offset = 0;
        std::int64_t epoch = 0;
    };
    struct Recorded {
        std::string event_id;
        inbox::Outcome outcome = inbox::Outcome::kApplied;
        std::string message;
    };
    struct Entry {
        Queued queued;
        std::string topic;
        std::optional<Settlement> settled;
        bool leased = false;
    };

    void verify() override { ++verified; }
    inbox::Claim claim(const std::string&, const inbox::Partition& partition,
                       std::int64_t initial_offset) override {
        trouble();
        auto [row, added] = rows.try_emplace(partition, Row{initial_offset, 0});
        ++row->second.epoch;
        return {row->second.next_offset, row->second.epoch};
    }
    Admission admit(const Delivery& delivery) override {
        trouble();
        guard(delivery);
        const std::string id = id_of(delivery);
        if (seen.contains(id)) {
            move(delivery);
            return {id, inbox::Outcome::kDuplicate};
        }
        if (delivery.key && blocked.contains(*delivery.key)) {
            seen.insert(id);
            move(delivery);
            return {id, inbox::Outcome::kParked};
        }
        return {id, std::nullopt};
    }
    inbox::Outcome record(const Delivery& delivery,
                          const std::optional<Refusal>& refusal) override {
        if (record_failures > 0) {
            --record_failures;
            throw RetryableError("connection to PostgreSQL lost");
        }
        guard(delivery);
        const std::string id = id_of(delivery);
        move(delivery);
        if (!seen.insert(id).second) {
            return inbox::Outcome::kDuplicate;
        }
        if (refusal && delivery.key) {
            blocked.insert(*delivery.key);
        }
        const auto outcome = refusal ? inbox::Outcome::kDead : inbox::Outcome::kApplied;
        recorded.push_back({id, outcome, refusal ? refusal->message : ""});
        return outcome;
    }
    std::optional<Queued> take(const std::string&, const std::string& topic,
                               std::chrono::milliseconds lease) override {
        trouble();
        ++takes;
        last_lease = lease;
        for (Entry& entry : queue) {
            if (entry.topic == topic && !entry.leased) {
                entry.leased = true;
                ++entry.queued.attempt;
                return entry.queued;
            }
        }
        return std::nullopt;
    }
    void settle(const Queued& queued, const Settlement& settlement) override {
        trouble();
        const auto entry = std::ranges::find_if(
            queue, [&](const Entry& candidate) { return candidate.queued.id == queued.id; });
        settlements.push_back(settlement);
        entry->settled = settlement;
        if (settlement.status == Settlement::Status::kQueued) {
            entry->leased = false;
        }
    }

    void enqueue(std::int64_t id, const std::string& topic, const std::string& event_id,
                 const std::string& value, const std::string& encoding = "utf8") {
        Entry entry;
        entry.queued.id = id;
        entry.queued.event_id = event_id;
        entry.queued.value = value;
        entry.queued.encoding = encoding;
        entry.queued.event_type = "PaymentEvent";
        entry.topic = topic;
        queue.push_back(std::move(entry));
    }
    [[nodiscard]] std::vector<std::string> applied() const {
        std::vector<std::string> ids;
        for (const Recorded& entry : recorded) {
            if (entry.outcome == inbox::Outcome::kApplied) {
                ids.push_back(entry.event_id);
            }
        }
        return ids;
    }

    int verified = 0;
    int down = 0;
    int record_failures = 0;
    int takes = 0;
    std::chrono::milliseconds last_lease{0};
    std::map<inbox::Partition, Row> rows;
    std::set<std::string> seen;
    std::set<std::string> blocked;
    std::vector<Recorded> recorded;
    std::deque<Entry> queue;
    std::vector<Settlement> settlements;

 private:
    void trouble() {
        if (down > 0) {
            --down;
            throw RetryableError("connection refused");
        }
    }
    static std::string id_of(const Delivery& delivery) {
        return delivery.value.value_or("none") + "@" + std::to_string(delivery.offset);
    }
    void guard(const Delivery& delivery) {
        const Row& row = rows.at({delivery.topic, delivery.partition});
        if (row.epoch != delivery.owner_epoch || row.next_offset != delivery.first_offset) {
            throw inbox::FencedError("fenced");
        }
    }
    void move(const Delivery& delivery) {
        rows.at({delivery.topic, delivery.partition}).next_offset = delivery.offset + 1;
    }
};

}  // namespace holdfast::relay::notify::testing
