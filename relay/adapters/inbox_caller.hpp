// postgres::InboxCalls as inbox::ProcedureCaller.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "inbox/procedure_caller.hpp"
#include "postgres/inbox_calls.hpp"

namespace holdfast::relay::adapters {

/// What inbox_apply and notify_admit say about a message; "NEW" is not among them.  Throws
/// FatalError for any other text.
[[nodiscard]] inbox::Outcome outcome_of(const std::string& text);

class InboxCaller final : public inbox::ProcedureCaller {
 public:
    /// `owner` names this process in inbox_offset.  Does not connect yet.
    InboxCaller(postgres::ConnectOptions options, std::string owner)
        : calls_(std::move(options), std::move(owner)) {}

    void verify(const std::string& call) override { calls_.verify(call); }
    inbox::Claim claim(const std::string& consumer, const inbox::Partition& partition,
                       std::int64_t initial_offset) override;
    std::optional<std::vector<inbox::Applied>> apply(const inbox::Batch& batch) override;

 private:
    postgres::InboxCalls calls_;
    postgres::InboxArguments arguments_;  // reused
};

}  // namespace holdfast::relay::adapters
