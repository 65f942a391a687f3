#include "adapters/inbox_caller.hpp"

#include "base/errors.hpp"

namespace holdfast::relay::adapters {

inbox::Outcome outcome_of(const std::string& text) {
    if (text == "APPLIED") {
        return inbox::Outcome::kApplied;
    }
    if (text == "DUPLICATE") {
        return inbox::Outcome::kDuplicate;
    }
    if (text == "PARKED") {
        return inbox::Outcome::kParked;
    }
    if (text == "EARLY") {
        return inbox::Outcome::kEarly;
    }
    if (text == "DEAD") {
        return inbox::Outcome::kDead;
    }
    throw FatalError(ExitCode::kConfig,
                     "the extension returned the unknown outcome \"" + text + "\"",
                     "Extension and relay are of different versions: install them together.");
}

inbox::Claim InboxCaller::claim(const std::string& consumer, const inbox::Partition& partition,
                                std::int64_t initial_offset) {
    try {
        const postgres::InboxClaim claimed =
            calls_.claim(consumer, partition.topic, partition.number, initial_offset);
        return {claimed.next_offset, claimed.owner_epoch};
    } catch (const postgres::FencedError& error) {
        throw inbox::FencedError(error.what());
    }
}

std::optional<std::vector<inbox::Applied>> InboxCaller::apply(const inbox::Batch& batch) {
    arguments_.clear();
    for (const inbox::PreparedMessage& message : batch.messages) {
        arguments_.append(message.offset, message.key, message.value, message.encoding,
                          message.headers);
    }
    // The call's parameters are C strings: NUL-terminated copies of a few short names.
    const std::string consumer(batch.consumer);
    const std::string call(batch.call);
    const std::string topic(batch.topic);
    try {
        std::vector<inbox::Applied> results;
        for (postgres::InboxOutcome& outcome : calls_.apply({.consumer = consumer,
                                               .call = call,
                                               .topic = topic,
                                               .partition = batch.partition,
                                               .owner_epoch = batch.owner_epoch,
                                               .first_offset = batch.first_offset,
                                               .next_offset = batch.next_offset},
                                                            arguments_)) {
            results.push_back(
                {outcome.offset, outcome_of(outcome.outcome), std::move(outcome.sqlstate)});
        }
        return results;
    } catch (const postgres::FencedError& error) {
        throw inbox::FencedError(error.what());
    }
}

}  // namespace holdfast::relay::adapters
