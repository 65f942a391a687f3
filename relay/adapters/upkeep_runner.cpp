#include "adapters/upkeep_runner.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "base/errors.hpp"
#include "base/log.hpp"
#include "base/lsn.hpp"
#include "postgres/array_literal.hpp"
#include "postgres/snapshot_overview.hpp"

namespace holdfast::relay::adapters {
namespace {

constexpr std::size_t kUuidLength = 36;

std::int64_t bytes_between(Lsn from, Lsn to) {
    return to > from ? static_cast<std::int64_t>(to.value - from.value) : 0;
}

/// Those of one kind; what has no row there is zero.
void sample(const std::vector<postgres::SnapshotCount>& counts, std::string_view kind,
            metrics::SnapshotMetrics& metrics) {
    std::int64_t tables = 0;
    std::int64_t remaining = 0;
    std::int64_t started = 0;
    for (std::size_t i = 0; i < metrics::kSnapshotStatuses.size(); ++i) {
        const auto found = std::ranges::find_if(counts, [&](const postgres::SnapshotCount& count) {
            return count.kind == kind && count.status == metrics::kSnapshotStatuses[i];
        });
        if (found == counts.end()) {
            metrics.snapshots[i].set(0);
            continue;
        }
        metrics.snapshots[i].set(found->snapshots);
        tables += found->tables;
        remaining += found->tables_remaining;
        if (found->started_seconds != 0 && (started == 0 || found->started_seconds < started)) {
            started = found->started_seconds;
        }
    }
    metrics.tables.set(tables);
    metrics.tables_remaining.set(remaining);
    metrics.started_seconds.set(started);
}

}  // namespace

UpkeepRunner::UpkeepRunner(postgres::ConnectOptions options, postgres::StreamRequirements required,
                           RelayIdentity identity, std::string heartbeat_query,
                           metrics::MonitorMetrics& metrics, std::function<bool()> is_streaming)
    : options_(std::move(options)),
      required_(std::move(required)),
      identity_(std::move(identity)),
      heartbeat_query_(std::move(heartbeat_query)),
      metrics_(metrics),
      is_streaming_(std::move(is_streaming)) {
    metrics_.slot_safe_wal_bytes.set(-1);
}

postgres::Session& UpkeepRunner::session() {
    if (session_ && session_->usable()) {
        return *session_;
    }
    metrics_.postgres_connected.set(0);
    session_.reset();
    try {
        session_.emplace(options_);
    } catch (const FatalError& error) {
        throw RetryableError(error.what());
    }
    metrics_.postgres_connected.set(1);
    has_extension_ =
        !session_->exec("SELECT FROM pg_catalog.pg_extension WHERE extname = 'holdfast'").empty();
    return *session_;
}

bool UpkeepRunner::without_extension() {
    session();
    return !required_.extension && !has_extension_;
}

void UpkeepRunner::maintain() {
    if (without_extension()) {
        return;
    }
    session().exec("SELECT holdfast.maintain()");
    metrics_.last_maintain_seconds.set(std::chrono::duration_cast<std::chrono::seconds>(
                                           std::chrono::system_clock::now().time_since_epoch())
                                           .count());
}

std::int64_t UpkeepRunner::expire_holds(std::int64_t limit) {
    if (without_extension()) {
        return 0;
    }
    const std::string limit_text = std::to_string(limit);
    const postgres::Result result =
        session().exec("SELECT holdfast.expire_holds($1::int)", {limit_text.c_str()});
    const std::int64_t expired = result.int64(0, 0);
    metrics_.holds_expired.add(static_cast<std::uint64_t>(std::max<std::int64_t>(0, expired)));
    return expired;
}

std::int64_t UpkeepRunner::sweep_sagas(std::int64_t limit) {
    if (without_extension()) {
        return 0;
    }
    std::int64_t swept = 0;
    // A transaction for each: in one, they would lock the stock of several orders in any order.
    while (swept < limit && session().exec("SELECT holdfast.saga_sweep()").int64(0, 0) > 0) {
        ++swept;
        metrics_.sagas_swept.add();
    }
    return swept;
}

void UpkeepRunner::heartbeat_action() {
    if (is_streaming_() && !heartbeat_query_.empty()) {
        session().exec(heartbeat_query_.c_str());
    }
}

void UpkeepRunner::report(const upkeep::Report& report) {
    if (without_extension()) {
        return;
    }
    const std::string pid = std::to_string(identity_.pid);
    const std::string received = report.received.to_string();
    const std::string confirmed = report.confirmed.to_string();
    // Nothing confirmed yet: NULL keeps what the slot's row says.
    session().exec(
        "SELECT holdfast.relay_report($1::name, $2, $3, $4::int, $5::pg_lsn, "
        "$6::pg_lsn, $7)",
        {required_.slot.c_str(), identity_.version.c_str(), identity_.host.c_str(), pid.c_str(),
         report.received == Lsn{} ? nullptr : received.c_str(),
         report.confirmed == Lsn{} ? nullptr : confirmed.c_str(),
         report.error.empty() ? nullptr : report.error.c_str()});
}

void UpkeepRunner::record_positions(std::span<const upkeep::EventPosition> positions) {
    postgres::ArrayLiteral ids;
    postgres::ArrayLiteral topics;
    postgres::ArrayLiteral partitions;
    postgres::ArrayLiteral offsets;
    for (const upkeep::EventPosition& position : positions) {
        // Another application's outbox may have other ids; they have no place in our table.
        if (position.event_id.size() != kUuidLength) {
            continue;
        }
        ids.append(std::string_view(position.event_id));
        topics.append(std::string_view(position.topic));
        partitions.append(std::int64_t{position.partition});
        offsets.append(position.offset);
    }
    session().exec(
        "SELECT holdfast.record_positions($1::uuid[], $2::text[], $3::int[], "
        "$4::bigint[])",
        {ids.c_str(), topics.c_str(), partitions.c_str(), offsets.c_str()});
}

void UpkeepRunner::verify() {
    postgres::Session& open = session();
    if (const std::optional<postgres::SlotRow> slot = read_slot(open, required_.slot)) {
        sample_slot(*slot);
    }
    if (is_streaming_()) {
        require_streamable(open, required_);
    }
}

void UpkeepRunner::look_for_drift() {
    if (!watch_ || !is_streaming_()) {
        return;
    }
    std::vector<postgres::Drift> found = watch_->look(session());
    const auto is_in = [](const std::vector<postgres::Drift>& drifts,
                          const postgres::Drift& drift) {
        return std::ranges::any_of(drifts, [&](const postgres::Drift& other) {
            return other.kind == drift.kind && other.subject == drift.subject;
        });
    };
    // Each is told once, when it begins and when it ends; the metric says that there are some.
    for (const postgres::Drift& drift : found) {
        if (!is_in(drifts_, drift)) {
            log::warn("publication_drift", {{"kind", name_of(drift.kind)},
                                            {"subject", drift.subject},
                                            {"problem", drift.problem},
                                            {"repair", drift.repair}});
        }
    }
    for (const postgres::Drift& drift : drifts_) {
        if (!is_in(found, drift)) {
            log::info("publication_drift_ended",
                      {{"kind", name_of(drift.kind)}, {"subject", drift.subject}});
        }
    }
    metrics_.publication_drift.set(static_cast<std::int64_t>(found.size()));
    drifts_ = std::move(found);
}

void UpkeepRunner::look_at_snapshots() {
    if (without_extension()) {
        return;
    }
    const auto counts = postgres::read_snapshot_counts(session(), required_.slot);
    sample(counts, "initial", metrics_.initial_snapshots);
    sample(counts, "incremental", metrics_.incremental_snapshots);
}

void UpkeepRunner::sample_slot(const postgres::SlotRow& slot) {
    const postgres::Result result = session_->exec("SELECT pg_current_wal_flush_lsn()");
    const Lsn current = Lsn::parse(result.text(0, 0)).value_or(Lsn{});
    metrics_.wal_lsn.set(static_cast<std::int64_t>(current.value));
    metrics_.slot_active.set(slot.active_pid ? 1 : 0);
    metrics_.slot_lag_bytes.set(bytes_between(slot.confirmed_flush, current));
    metrics_.slot_retained_bytes.set(bytes_between(slot.restart, current));
    metrics_.slot_safe_wal_bytes.set(slot.safe_wal_bytes.value_or(-1));
}

}  // namespace holdfast::relay::adapters
