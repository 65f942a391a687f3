// Has messages delivered to HTTP endpoints, as the inbox pipeline's caller: asks the database
// whether a message is to be sent, gives it to its endpoint, and records the answer.  What was
// answered is recorded as soon as the answer is there, so that it is never sent again; it is kept
// until the database has it, however often the partition has to be claimed in between.  What was
// not answered is sent again, under the same event id.
//
// It delivers dead letters again that redrive() has queued for one of its bindings, beside the
// messages of the topic: a key's own order is kept, because all of its later messages are parked.
//
// Thread rule: the pipeline's thread calls everything.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "inbox/procedure_caller.hpp"
#include "metrics/relay_metrics.hpp"
#include "notify/answer.hpp"
#include "notify/endpoints.hpp"
#include "notify/ledger.hpp"

namespace holdfast::relay::notify {

/// Messages of `topic`, read by `consumer`, go to the endpoint of the same index.
struct Binding {
    std::string consumer;
    std::string topic;
    std::string origin;  ///< of the URL, for people: "https://host"
    std::chrono::milliseconds timeout{5'000};
    metrics::NotifyMetrics* metrics = nullptr;  ///< must outlive the courier; nullptr = not counted
};

/// What dead letters show as their handler.
[[nodiscard]] std::string handler_of(const std::string& origin);

struct CourierOptions {
    /// How often the database is asked for dead letters that were redriven.
    std::chrono::milliseconds redrive_interval{1'000};
    std::chrono::milliseconds retry_initial{500};
    std::chrono::milliseconds retry_cap{60'000};
    Backoff::Random random;  ///< of the jitter; empty = the operating system's
};

class Courier final : public inbox::ProcedureCaller {
 public:
    /// The references must outlive the courier.
    Courier(std::vector<Binding> bindings, Endpoints& endpoints, Ledger& ledger, const Clock& clock,
            CourierOptions options);

    void verify(const std::string& call) override;
    inbox::Claim claim(const std::string& consumer, const inbox::Partition& partition,
                       std::int64_t initial_offset) override;
    /// Of the batch, the first message only; its pipeline gives one at a time.
    std::optional<std::vector<inbox::Applied>> apply(const inbox::Batch& batch) override;
    [[nodiscard]] int fd() const override { return endpoints_.fd(); }
    bool attend() override;

    /// Before the end: waits for the answers that are under way, and records them.
    void finish();

 private:
    using TimePoint = std::chrono::steady_clock::time_point;
    using Place = std::pair<std::size_t, std::int32_t>;  // binding, partition

    /// A message that was given to its endpoint.
    struct Shipment {
        std::uint64_t ticket = 0;
        Delivery delivery;
        TimePoint sent;
        std::optional<Response> response;
        std::optional<inbox::Outcome> recorded;
    };
    /// The dead letters of a binding: one at a time.
    struct Redrive {
        std::uint64_t ticket = 0;
        std::optional<Queued> queued;
        TimePoint sent;
        std::optional<Response> response;
        TimePoint due{};
        Backoff backoff;
    };

    [[nodiscard]] std::size_t binding_of(const inbox::Batch& batch) const;
    std::uint64_t post(std::size_t binding, Request request);
    bool take_responses();
    void count(const Binding& binding, const Response& response, TimePoint sent) const;
    void record(const Binding& binding, Shipment& shipment);
    [[nodiscard]] std::optional<std::chrono::milliseconds> retry_after(
        const Response& response) const;
    /// False after trouble with the database.
    bool redrive(std::size_t index);
    void take_queued(std::size_t index);
    void settle(std::size_t index);
    [[nodiscard]] bool under_way() const;

    std::vector<Binding> bindings_;
    Endpoints& endpoints_;
    Ledger& ledger_;
    const Clock& clock_;
    CourierOptions options_;
    std::uint64_t last_ticket_ = 0;
    std::map<Place, Shipment> shipments_;
    std::vector<Redrive> redrives_;  // one per binding
};

}  // namespace holdfast::relay::notify
