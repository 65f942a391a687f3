#include "adapters/notify_ledger.hpp"

#include <utility>

#include "adapters/inbox_caller.hpp"

namespace holdfast::relay::adapters {
namespace {

postgres::NotifyMessage message_of(const notify::Delivery& delivery) {
    return {.consumer = delivery.consumer,
            .handler = delivery.handler,
            .topic = delivery.topic,
            .partition = delivery.partition,
            .owner_epoch = delivery.owner_epoch,
            .first_offset = delivery.first_offset,
            .offset = delivery.offset,
            .key = delivery.key,
            .value = delivery.value,
            .encoding = delivery.encoding,
            .headers = delivery.headers};
}

const char* name_of(notify::Settlement::Status status) {
    switch (status) {
        case notify::Settlement::Status::kRedriven:
            return "REDRIVEN";
        case notify::Settlement::Status::kDead:
            return "DEAD";
        case notify::Settlement::Status::kQueued:
            break;
    }
    return "QUEUED";
}

const char* or_null(const std::string& text) {
    return text.empty() ? nullptr : text.c_str();
}

template <typename Call>
auto fenced(Call&& call) {
    try {
        return call();
    } catch (const postgres::FencedError& error) {
        throw inbox::FencedError(error.what());
    }
}

}  // namespace

inbox::Claim NotifyLedger::claim(const std::string& consumer, const inbox::Partition& partition,
                                 std::int64_t initial_offset) {
    return fenced([&] {
        const postgres::InboxClaim claimed =
            calls_.claim(consumer, partition.topic, partition.number, initial_offset);
        return inbox::Claim{claimed.next_offset, claimed.owner_epoch};
    });
}

notify::Admission NotifyLedger::admit(const notify::Delivery& delivery) {
    return fenced([&] {
        postgres::NotifyAdmission admitted = calls_.admit(message_of(delivery));
        notify::Admission admission{std::move(admitted.event_id), std::nullopt};
        if (admitted.outcome != "NEW") {
            admission.outcome = outcome_of(admitted.outcome);
        }
        return admission;
    });
}

inbox::Outcome NotifyLedger::record(const notify::Delivery& delivery,
                                    const std::optional<notify::Refusal>& refusal) {
    return fenced([&] {
        return outcome_of(calls_.record(message_of(delivery),
                                        refusal ? refusal->sqlstate.c_str() : nullptr,
                                        refusal ? refusal->message.c_str() : nullptr));
    });
}

std::optional<notify::Queued> NotifyLedger::take(const std::string& consumer,
                                                 const std::string& topic,
                                                 std::chrono::milliseconds lease) {
    std::optional<postgres::NotifyQueued> taken = calls_.take(consumer, topic, lease);
    if (!taken) {
        return std::nullopt;
    }
    return notify::Queued{.id = taken->id,
                          .attempt = taken->attempt,
                          .event_id = std::move(taken->event_id),
                          .value = std::move(taken->value),
                          .encoding = std::move(taken->encoding),
                          .event_type = std::move(taken->event_type),
                          .traceparent = std::move(taken->traceparent)};
}

void NotifyLedger::settle(const notify::Queued& queued, const notify::Settlement& settlement) {
    calls_.settle(queued.id, queued.attempt, name_of(settlement.status), settlement.retry_in,
                  or_null(settlement.sqlstate), or_null(settlement.message));
}

}  // namespace holdfast::relay::adapters
