#include "notify/courier.hpp"

#include <algorithm>
#include <array>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "base/poll.hpp"
#include "inbox/message_text.hpp"

namespace holdfast::relay::notify {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr const char* kRefusedSqlstate = "HF026";

/// A relay that was killed leaves its dead letter to others after this and the longest request.
constexpr milliseconds kLeaseMargin{60'000};

/// A request may take its timeout three times: to connect, to send, to be answered.
constexpr int kSteps = 3;

Backoff make_backoff(const CourierOptions& options) {
    return options.random ? Backoff(options.retry_initial, options.retry_cap, options.random)
                          : Backoff(options.retry_initial, options.retry_cap);
}

/// The last of a name, as in the headers that the database sees.
std::string header(const inbox::Message& message, std::string_view wanted) {
    std::string found;
    for (const auto& [name, value] : message.headers) {
        if (name == wanted) {
            found = value.value_or("");
        }
    }
    return found;
}

std::optional<std::string> owned(const std::optional<std::string_view>& text) {
    return text ? std::optional<std::string>(std::in_place, *text) : std::nullopt;
}

bool is_same(const Delivery& delivery, const inbox::PreparedMessage& message) {
    return delivery.offset == message.offset && delivery.key == message.key &&
           delivery.value == message.value && delivery.headers == message.headers;
}

/// What an answer that was no success says, for logs and dead letters.
std::string describe(const Binding& binding, const Response& response) {
    return response.status == 0
               ? response.cause
               : binding.origin + " answered HTTP " + std::to_string(response.status);
}

}  // namespace

std::string handler_of(const std::string& origin) {
    return "POST " + origin;
}

Courier::Courier(std::vector<Binding> bindings, Endpoints& endpoints, Ledger& ledger,
                 const Clock& clock, CourierOptions options)
    : bindings_(std::move(bindings)),
      endpoints_(endpoints),
      ledger_(ledger),
      clock_(clock),
      options_(std::move(options)) {
    for (std::size_t i = 0; i < bindings_.size(); ++i) {
        redrives_.push_back({.ticket = 0,
                             .queued = {},
                             .sent = {},
                             .response = {},
                             .due = {},
                             .backoff = make_backoff(options_)});
    }
}

void Courier::verify(const std::string& /*call*/) {
    ledger_.verify();
}

inbox::Claim Courier::claim(const std::string& consumer, const inbox::Partition& partition,
                            std::int64_t initial_offset) {
    return ledger_.claim(consumer, partition, initial_offset);
}

std::size_t Courier::binding_of(const inbox::Batch& batch) const {
    const auto found = std::ranges::find_if(bindings_, [&](const Binding& binding) {
        return binding.consumer == batch.consumer && binding.topic == batch.topic;
    });
    if (found == bindings_.end()) {
        throw FatalError(ExitCode::kInternal, "no endpoint is bound to this topic");
    }
    return static_cast<std::size_t>(found - bindings_.begin());
}

std::uint64_t Courier::post(std::size_t binding, Request request) {
    const std::uint64_t ticket = ++last_ticket_;
    endpoints_.post(binding, ticket, std::move(request));
    return ticket;
}

std::optional<std::vector<inbox::Applied>> Courier::apply(const inbox::Batch& batch) {
    const std::size_t index = binding_of(batch);
    const Binding& binding = bindings_[index];
    const inbox::PreparedMessage& message = batch.messages.front();
    const auto result = [&message](inbox::Outcome outcome) {
        const bool dead = outcome == inbox::Outcome::kDead;
        return std::vector<inbox::Applied>{{message.offset, outcome, dead ? kRefusedSqlstate : ""}};
    };

    const auto known = shipments_.find({index, batch.partition});
    if (known != shipments_.end()) {
        Shipment& shipment = known->second;
        if (!shipment.response) {
            return std::nullopt;  // also when it is another message: one at a time
        }
        if (is_same(shipment.delivery, message)) {
            if (judge(shipment.response->status) == Verdict::kRetry) {
                const Response response = std::move(*shipment.response);
                shipments_.erase(known);
                throw inbox::PostponedError(describe(binding, response),
                                            retry_after(response).value_or(milliseconds{0}));
            }
            if (!shipment.recorded) {
                // Claimed again since it was sent.
                shipment.delivery.owner_epoch = batch.owner_epoch;
                shipment.delivery.first_offset = batch.first_offset;
                record(binding, shipment);
            }
            const inbox::Outcome outcome = *shipment.recorded;
            shipments_.erase(known);
            return result(outcome);
        }
        shipments_.erase(known);
    }

    Shipment shipment{.ticket = 0,
                      .delivery = {.consumer = binding.consumer,
                                   .handler = handler_of(binding.origin),
                                   .topic = binding.topic,
                                   .partition = batch.partition,
                                   .owner_epoch = batch.owner_epoch,
                                   .first_offset = batch.first_offset,
                                   .offset = message.offset,
                                   .key = owned(message.key),
                                   .value = owned(message.value),
                                   .encoding = std::string(message.encoding),
                                   .headers = std::string(message.headers)},
                      .sent = clock_.now(),
                      .response = {},
                      .recorded = {}};
    const Admission admission = ledger_.admit(shipment.delivery);
    if (admission.outcome) {
        return result(*admission.outcome);
    }
    shipment.ticket = post(index, {.event_id = admission.event_id,
                                   .topic = binding.topic,
                                   .event_type = header(*message.source, "eventType"),
                                   .traceparent = header(*message.source, "traceparent"),
                                   .body = message.source->value.value_or("")});
    shipments_.emplace(Place{index, batch.partition}, std::move(shipment));
    return std::nullopt;
}

bool Courier::attend() {
    const bool ended = take_responses();
    // After trouble the rest waits for the next round: the broker is polled in between, although
    // each attempt may take seconds.
    for (std::size_t index = 0; index < bindings_.size() && redrive(index); ++index) {
    }
    return ended;
}

/// Whether one was for a message of a topic.
bool Courier::take_responses() {
    bool ended = false;
    while (std::optional<Response> response = endpoints_.take()) {
        const std::uint64_t ticket = response->ticket;
        for (std::size_t index = 0; index < bindings_.size(); ++index) {
            Redrive& redrive = redrives_[index];
            if (redrive.queued && redrive.ticket == ticket) {
                count(bindings_[index], *response, redrive.sent);
                redrive.response = *response;
            }
        }
        for (auto& [place, shipment] : shipments_) {
            if (shipment.ticket != ticket) {
                continue;
            }
            const Binding& binding = bindings_[place.first];
            count(binding, *response, shipment.sent);
            shipment.response = *response;
            ended = true;
            if (judge(response->status) == Verdict::kRetry) {
                continue;
            }
            try {
                record(binding, shipment);
            } catch (const FatalError&) {
                throw;
            } catch (const std::exception&) {
                // apply() says so to the pipeline, which claims the partition and asks again.
            }
        }
    }
    return ended;
}

void Courier::count(const Binding& binding, const Response& response, TimePoint sent) const {
    if (binding.metrics == nullptr) {
        return;
    }
    switch (judge(response.status)) {
        case Verdict::kAnswered:
            binding.metrics->sent.add();
            break;
        case Verdict::kRefused:
            binding.metrics->failed.add();
            break;
        case Verdict::kRetry:
            binding.metrics->retried.add();
    }
    binding.metrics->request.observe(
        std::chrono::duration_cast<microseconds>(clock_.now() - sent).count());
}

void Courier::record(const Binding& binding, Shipment& shipment) {
    std::optional<Refusal> refusal;
    if (judge(shipment.response->status) == Verdict::kRefused) {
        refusal = Refusal{kRefusedSqlstate, describe(binding, *shipment.response)};
    }
    shipment.recorded = ledger_.record(shipment.delivery, refusal);
    if (shipment.recorded == inbox::Outcome::kDead) {
        log::warn("notify_refused", {{"consumer", binding.consumer},
                                     {"topic", binding.topic},
                                     {"partition", shipment.delivery.partition},
                                     {"offset", shipment.delivery.offset},
                                     {"endpoint", binding.origin},
                                     {"status", shipment.response->status}});
    }
}

std::optional<milliseconds> Courier::retry_after(const Response& response) const {
    return response.retry_after ? parse_retry_after(*response.retry_after, clock_.system_time())
                                : std::nullopt;
}

bool Courier::redrive(std::size_t index) {
    Redrive& redrive = redrives_[index];
    if (redrive.due > clock_.now() || (redrive.queued && !redrive.response)) {
        return true;
    }
    try {
        if (redrive.queued) {
            settle(index);
        }
        if (redrive.due <= clock_.now()) {
            take_queued(index);
        }
    } catch (const FatalError&) {
        throw;
    } catch (const std::exception& error) {
        const milliseconds wait = redrive.backoff.next();
        redrive.due = clock_.now() + wait;
        log::warn("notify_redrive_retry", {{"consumer", bindings_[index].consumer},
                                           {"topic", bindings_[index].topic},
                                           {"backoff_ms", wait.count()},
                                           {"cause", error.what()}});
        return false;
    }
    return true;
}

void Courier::take_queued(std::size_t index) {
    const Binding& binding = bindings_[index];
    Redrive& redrive = redrives_[index];
    // It is sent after what is under way to the same endpoint.
    const auto ahead = std::ranges::count_if(
        shipments_, [index](const auto& entry) { return entry.first.first == index; });
    std::optional<Queued> queued = ledger_.take(
        binding.consumer, binding.topic, kLeaseMargin + kSteps * (1 + ahead) * binding.timeout);
    if (!queued) {
        redrive.due = clock_.now() + options_.redrive_interval;
        return;
    }
    std::string body = queued->value.value_or("");
    if (queued->encoding == "base64") {
        body = inbox::from_base64(body).value_or(body);
    }
    redrive.sent = clock_.now();
    redrive.response.reset();
    redrive.ticket = post(index, {.event_id = queued->event_id,
                                  .topic = binding.topic,
                                  .event_type = queued->event_type,
                                  .traceparent = queued->traceparent,
                                  .body = std::move(body)});
    redrive.queued = std::move(queued);
}

void Courier::settle(std::size_t index) {
    const Binding& binding = bindings_[index];
    Redrive& redrive = redrives_[index];
    const Response& response = *redrive.response;
    Settlement settlement;
    milliseconds wait{0};
    switch (judge(response.status)) {
        case Verdict::kAnswered:
            break;
        case Verdict::kRefused:
            settlement.status = Settlement::Status::kDead;
            settlement.sqlstate = kRefusedSqlstate;
            settlement.message = describe(binding, response);
            break;
        case Verdict::kRetry:
            wait = std::max(redrive.backoff.next(), retry_after(response).value_or(wait));
            settlement.status = Settlement::Status::kQueued;
            settlement.retry_in = wait;
            settlement.message = describe(binding, response);
    }
    ledger_.settle(*redrive.queued, settlement);
    if (settlement.status == Settlement::Status::kQueued) {
        log::warn("notify_redrive_retry", {{"consumer", binding.consumer},
                                           {"topic", binding.topic},
                                           {"dead_letter", redrive.queued->id},
                                           {"backoff_ms", wait.count()},
                                           {"cause", settlement.message}});
    } else {
        redrive.backoff.reset();
        log::info("notify_redriven", {{"consumer", binding.consumer},
                                      {"topic", binding.topic},
                                      {"dead_letter", redrive.queued->id},
                                      {"endpoint", binding.origin},
                                      {"status", response.status}});
    }
    redrive.queued.reset();
    redrive.response.reset();
    redrive.due = clock_.now() + wait;
}

bool Courier::under_way() const {
    return std::ranges::any_of(shipments_,
                               [](const auto& entry) { return !entry.second.response; }) ||
           std::ranges::any_of(redrives_, [](const Redrive& redrive) {
               return redrive.queued && !redrive.response;
           });
}

void Courier::finish() {
    milliseconds longest{0};
    for (const Binding& binding : bindings_) {
        longest = std::max(longest, kSteps * binding.timeout);
    }
    const TimePoint deadline = clock_.now() + longest;
    std::array<pollfd, 1> descriptors{{{endpoints_.fd(), POLLIN, 0}}};
    take_responses();
    while (under_way() && clock_.now() < deadline) {
        wait_for(descriptors, std::chrono::duration_cast<microseconds>(deadline - clock_.now()));
        take_responses();
    }
    for (std::size_t index = 0; index < bindings_.size(); ++index) {
        if (redrives_[index].queued && redrives_[index].response) {
            try {
                settle(index);
            } catch (const FatalError&) {
                throw;
            } catch (const std::exception&) {
                // Taken again when the lease is over, and then delivered again.
            }
        }
    }
}

}  // namespace holdfast::relay::notify
