#include "commands/readiness.hpp"

#include <cstdint>
#include <string>

#include "base/errors.hpp"

namespace holdfast::relay::commands {

http::Health Readiness::judge() {
    const metrics::CaptureMetrics& capture = metrics_.capture;
    const std::int64_t confirmed = capture.confirmed_lsn.value();
    // The monitor's own look at the server counts too: a stuck stream hears of no new WAL.
    const std::int64_t lag = metrics::lag_bytes(capture, metrics_.monitor);

    http::HealthInputs inputs;
    inputs.postgres_connected = capture.postgres_connected.value() != 0;
    inputs.kafka_connected = metrics_.process.kafka_connected.value() != 0;
    inputs.halt_code = static_cast<int>(metrics_.process.halt_code.value());
    inputs.halt_reason = exit_code_name(static_cast<ExitCode>(inputs.halt_code));
    inputs.waiting_for = stream_.waiting_for();

    const std::lock_guard lock(mutex_);
    const auto now = clock_.now();
    watch_.sample(now, static_cast<std::uint64_t>(confirmed), static_cast<std::uint64_t>(lag));
    watch_.describe(now, inputs);
    http::Health health = http::assess(inputs);
    metrics_.process.ready.set(health.ready ? 1 : 0);
    return health;
}

}  // namespace holdfast::relay::commands
