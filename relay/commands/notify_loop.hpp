// Notification with its parts: one consumer per group, one database connection, and one thread per
// endpoint.
#pragma once

#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "config/config.hpp"
#include "metrics/relay_metrics.hpp"

namespace holdfast::relay::commands {

/// Entries of metrics.inbox and metrics.notify per [[notify]] binding, in the order of the
/// configuration; after add_inbox_metrics().
void add_notify_metrics(const config::Config& config, metrics::RelayMetrics& metrics);

/// Runs until `stop`, and then waits for the answers that are under way.  Waits out lost
/// connections itself; throws FatalError when a person is needed.  `owner` names this process in
/// holdfast.inbox_offset.
void run_notify(const config::Config& config, metrics::RelayMetrics& metrics, const Clock& clock,
                const std::string& owner, std::stop_token stop);

}  // namespace holdfast::relay::commands
