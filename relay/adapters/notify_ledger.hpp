// postgres::NotifyCalls as notify::Ledger.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "notify/ledger.hpp"
#include "postgres/notify_calls.hpp"

namespace holdfast::relay::adapters {

class NotifyLedger final : public notify::Ledger {
 public:
    /// `owner` names this process in inbox_offset.  Does not connect yet.
    NotifyLedger(postgres::ConnectOptions options, std::string owner)
        : calls_(std::move(options), std::move(owner)) {}

    void verify() override { calls_.verify_notify(); }
    inbox::Claim claim(const std::string& consumer, const inbox::Partition& partition,
                       std::int64_t initial_offset) override;
    notify::Admission admit(const notify::Delivery& delivery) override;
    inbox::Outcome record(const notify::Delivery& delivery,
                          const std::optional<notify::Refusal>& refusal) override;
    std::optional<notify::Queued> take(const std::string& consumer, const std::string& topic,
                                       std::chrono::milliseconds lease) override;
    void settle(const notify::Queued& queued, const notify::Settlement& settlement) override;

 private:
    postgres::NotifyCalls calls_;
};

}  // namespace holdfast::relay::adapters
