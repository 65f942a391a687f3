// postgres::InboxCalls as inbox::ProcedureCaller.
#pragma once

#include <string>
#include <vector>

#include "inbox/procedure_caller.hpp"
#include "postgres/inbox_calls.hpp"

namespace holdfast::relay::adapters {

class InboxCaller final : public inbox::ProcedureCaller {
 public:
    /// `owner` names this process in inbox_offset.  Does not connect yet.
    InboxCaller(postgres::ConnectOptions options, std::string owner)
        : calls_(std::move(options), std::move(owner)) {}

    void verify(const std::string& call) override { calls_.verify(call); }
    inbox::Claim claim(const std::string& consumer, const inbox::Partition& partition,
                       std::int64_t initial_offset) override;
    std::vector<inbox::Applied> apply(const inbox::Batch& batch) override;

 private:
    postgres::InboxCalls calls_;
    postgres::InboxArguments arguments_;  // reused
};

}  // namespace holdfast::relay::adapters
