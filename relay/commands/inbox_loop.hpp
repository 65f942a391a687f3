// The inbox pipeline with its parts: one consumer per group, one database connection.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "config/config.hpp"
#include "metrics/relay_metrics.hpp"

namespace holdfast::relay::commands {

/// One entry of metrics.inbox per binding, in the order of the configuration.
void add_inbox_metrics(const config::Config& config, metrics::RelayMetrics& metrics);

/// Runs until `stop`.  Waits out lost connections itself; throws FatalError when a person is
/// needed. `owner` names this process in holdfast.inbox_offset.
void run_inbox(const config::Config& config, metrics::RelayMetrics& metrics, const Clock& clock,
               const std::string& owner, std::stop_token stop);

}  // namespace holdfast::relay::commands
