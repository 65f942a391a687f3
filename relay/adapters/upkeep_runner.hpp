// postgres::Session as upkeep::ProcedureRunner: the extension's maintenance calls, and the look at
// slot, publication, outbox and snapshots.  Connects when it is first needed and again after a
// loss.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "metrics/relay_metrics.hpp"
#include "postgres/catalog.hpp"
#include "postgres/publication_drift.hpp"
#include "postgres/session.hpp"
#include "upkeep/procedure_runner.hpp"

namespace holdfast::relay::adapters {

/// Who reports, for relay_report().
struct RelayIdentity {
    std::string version;
    std::string host;
    int pid = 0;
};

class UpkeepRunner final : public upkeep::ProcedureRunner {
 public:
    /// `metrics` must outlive the runner.  `verify_slot` as long as this process streams from it:
    /// a relay that waits for its turn has nothing to verify.
    UpkeepRunner(postgres::ConnectOptions options, postgres::StreamRequirements required,
                 RelayIdentity identity, std::string heartbeat_query,
                 metrics::MonitorMetrics& metrics, std::function<bool()> is_streaming);

    void maintain() override;
    std::int64_t expire_holds(std::int64_t limit) override;
    std::int64_t sweep_sagas(std::int64_t limit) override;
    void heartbeat_action() override;
    void report(const upkeep::Report& report) override;
    void record_positions(std::span<const upkeep::EventPosition> positions) override;
    void verify() override;
    void look_for_drift() override;
    void look_at_snapshots() override;

    /// What look_for_drift() compares; without it there is nothing to look for.
    void watch(postgres::DriftScope scope) { watch_.emplace(std::move(scope)); }

 private:
    /// An open session.  Throws as postgres::connect(), but never FatalError: a login that fails
    /// while the stream runs is a matter for the next reconnect of the stream.
    postgres::Session& session();
    /// Whether there is nobody to call: the extension is not there, and is not needed.
    [[nodiscard]] bool without_extension();
    void sample_slot(const postgres::SlotRow& slot);

    postgres::ConnectOptions options_;
    postgres::StreamRequirements required_;
    RelayIdentity identity_;
    std::string heartbeat_query_;  ///< heartbeat.action.query
    metrics::MonitorMetrics& metrics_;
    std::function<bool()> is_streaming_;
    std::optional<postgres::PublicationWatch> watch_;
    std::vector<postgres::Drift> drifts_;  ///< as they were at the last look
    std::optional<postgres::Session> session_;
    bool has_extension_ = false;  ///< as session_ has found it
};

}  // namespace holdfast::relay::adapters
