// From metrics and stream state to the verdict of /health/ready.
#pragma once

#include <mutex>

#include "base/clock.hpp"
#include "commands/stream_state.hpp"
#include "http/health.hpp"
#include "metrics/relay_metrics.hpp"

namespace holdfast::relay::commands {

/// Thread-safe.
class Readiness {
 public:
    /// All must outlive this.
    Readiness(metrics::RelayMetrics& metrics, const StreamState& stream, const Clock& clock)
        : metrics_(metrics), stream_(stream), clock_(clock), watch_(clock.now()) {}

    /// Samples now and judges; the result also goes to the metric `ready`.  Call it at least every
    /// few seconds: a stall is seen from one sample to the next.
    http::Health judge();

 private:
    metrics::RelayMetrics& metrics_;
    const StreamState& stream_;
    const Clock& clock_;
    std::mutex mutex_;
    http::StallWatch watch_;
};

}  // namespace holdfast::relay::commands
