#include "metrics/exposition.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace holdfast::relay::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr double kMicrosecondsPerSecond = 1e6;
constexpr const char* kInitial = "initial";
constexpr const char* kIncremental = "incremental";

/// Collects families in the order in which they are named here, which is that of docs/metrics.md.
class Families {
 public:
    void counter(const char* name, const char* help, const Counter& counter) {
        add(name, help, MetricType::Counter, {}).counter.value = as_double(counter.value());
    }
    void gauge(const char* name, const char* help, double value, Labels labels = {}) {
        add(name, help, MetricType::Gauge, std::move(labels)).gauge.value = value;
    }
    void gauge(const char* name, const char* help, const Gauge& gauge_value) {
        gauge(name, help, static_cast<double>(gauge_value.value()));
    }
    void histogram(const char* name, const char* help, const DurationHistogram& histogram_value) {
        fill(add(name, help, MetricType::Histogram, {}), histogram_value);
    }

    /// One sample per binding of a member of InboxMetrics or NotifyMetrics.
    template <typename Binding>
    void per_binding(const char* name, const char* help, const std::deque<Binding>& bindings,
                     Counter Binding::*member) {
        declare(name, help, MetricType::Counter);
        for (const Binding& binding : bindings) {
            sample(labels_of(binding)).counter.value = as_double((binding.*member).value());
        }
    }
    template <typename Binding>
    void per_binding(const char* name, const char* help, const std::deque<Binding>& bindings,
                     Gauge Binding::*member) {
        declare(name, help, MetricType::Gauge);
        for (const Binding& binding : bindings) {
            sample(labels_of(binding)).gauge.value = static_cast<double>((binding.*member).value());
        }
    }
    template <typename Binding>
    void per_binding(const char* name, const char* help, const std::deque<Binding>& bindings,
                     DurationHistogram Binding::*member) {
        declare(name, help, MetricType::Histogram);
        for (const Binding& binding : bindings) {
            fill(sample(labels_of(binding)), binding.*member);
        }
    }

    /// One sample per kind of snapshot.
    void per_kind(const char* name, const char* help, const Counter& initial,
                  const Counter& incremental) {
        declare(name, help, MetricType::Counter);
        sample({{"kind", kInitial}}).counter.value = as_double(initial.value());
        sample({{"kind", kIncremental}}).counter.value = as_double(incremental.value());
    }
    void per_kind(const char* name, const char* help, const MonitorMetrics& monitor,
                  Gauge SnapshotMetrics::*member) {
        declare(name, help, MetricType::Gauge);
        for (const auto& [kind, snapshots] : kinds(monitor)) {
            sample({{"kind", kind}}).gauge.value =
                static_cast<double>((snapshots->*member).value());
        }
    }
    /// One sample per kind and status.
    void per_status(const char* name, const char* help, const MonitorMetrics& monitor) {
        declare(name, help, MetricType::Gauge);
        for (const auto& [kind, snapshots] : kinds(monitor)) {
            for (std::size_t i = 0; i < kSnapshotStatuses.size(); ++i) {
                sample({{"kind", kind}, {"status", std::string(kSnapshotStatuses[i])}})
                    .gauge.value = static_cast<double>(snapshots->snapshots[i].value());
            }
        }
    }

    [[nodiscard]] std::vector<MetricFamily> take() { return std::move(families_); }

 private:
    static double as_double(std::uint64_t value) { return static_cast<double>(value); }

    template <typename Binding>
    static Labels labels_of(const Binding& binding) {
        return {{"consumer", binding.consumer}, {"topic", binding.topic}};
    }

    static std::array<std::pair<const char*, const SnapshotMetrics*>, 2> kinds(
        const MonitorMetrics& monitor) {
        return {{{kInitial, &monitor.initial_snapshots},
                 {kIncremental, &monitor.incremental_snapshots}}};
    }

    static void fill(ClientMetric& metric, const DurationHistogram& source) {
        std::uint64_t cumulative = 0;
        for (std::size_t i = 0; i < DurationHistogram::kBounds.size(); ++i) {
            cumulative += source.count_in(i);
            metric.histogram.bucket.push_back(
                {cumulative,
                 static_cast<double>(DurationHistogram::kBounds[i]) / kMicrosecondsPerSecond});
        }
        // The serializer adds the +Inf bucket from sample_count.
        cumulative += source.count_in(DurationHistogram::kBounds.size());
        metric.histogram.sample_count = cumulative;
        metric.histogram.sample_sum = as_double(source.sum_microseconds()) / kMicrosecondsPerSecond;
    }

    void declare(const char* name, const char* help, MetricType type) {
        families_.push_back(MetricFamily{name, help, type, {}});
    }
    ClientMetric& sample(Labels labels) {
        ClientMetric& metric = families_.back().metric.emplace_back();
        metric.label = std::move(labels);
        return metric;
    }
    ClientMetric& add(const char* name, const char* help, MetricType type, Labels labels) {
        declare(name, help, type);
        return sample(std::move(labels));
    }

    std::vector<MetricFamily> families_;
};

void add_process(Families& out, const ProcessMetrics& process) {
    out.gauge("holdfast_relay_build_info", "Always 1; the labels say what runs.", 1,
              {{"version", process.version},
               {"librdkafka", process.librdkafka_version},
               {"slot", process.slot}});
    out.gauge("holdfast_relay_start_time_seconds", "Unix time at which the process started.",
              static_cast<double>(process.started_seconds));
    out.gauge("holdfast_relay_ready", "1 when /health/ready answers 200.", process.ready);
    out.gauge("holdfast_relay_halt_code",
              "Exit code of the halt that is under way; 0 while all is well.", process.halt_code);
    out.gauge("holdfast_relay_kafka_connected", "1 while at least one broker is reachable.",
              process.kafka_connected);
}

void add_capture(Families& out, const CaptureMetrics& capture, const MonitorMetrics& monitor) {
    out.gauge("holdfast_relay_postgres_connected", "1 while the replication stream runs.",
              capture.postgres_connected);
    out.counter("holdfast_relay_reconnects_total",
                "Attempts to stream again after the connection was lost or refused.",
                capture.postgres_reconnects);
    out.counter("holdfast_relay_events_total", "Records that Kafka has acknowledged.",
                capture.events);
    out.counter("holdfast_relay_event_bytes_total",
                "Key and value bytes of the acknowledged records.", capture.event_bytes);
    out.counter("holdfast_relay_transactions_total",
                "Transactions whose records are all acknowledged.", capture.transactions);
    out.counter("holdfast_relay_delivery_failures_total",
                "Delivery reports that were not a success; the stream is then read again.",
                capture.delivery_failures);
    out.counter("holdfast_relay_claim_checks_total",
                "Claim checks sent in place of records that their topic does not take.",
                capture.claim_checks);
    out.counter("holdfast_relay_large_dead_letters_total",
                "Records that their topic does not take, kept as dead letters.",
                capture.large_dead_letters);
    out.counter("holdfast_relay_queue_full_total",
                "Times that the bound on buffered records stopped the reading of WAL.",
                capture.queue_full);
    out.gauge("holdfast_relay_in_flight_records", "Records sent and not yet acknowledged.",
              capture.in_flight_records);
    out.gauge("holdfast_relay_in_flight_bytes", "Key and value bytes of those records.",
              capture.in_flight_bytes);
    out.gauge("holdfast_relay_received_lsn", "End of the WAL that has been read, in bytes.",
              capture.received_lsn);
    out.gauge("holdfast_relay_confirmed_lsn",
              "Position that PostgreSQL has been told is safe in Kafka, in bytes.",
              capture.confirmed_lsn);
    out.gauge("holdfast_relay_server_lsn", "End of WAL that the server announced last, in bytes.",
              capture.server_lsn);
    out.gauge("holdfast_relay_lag_bytes", "WAL that is written and not confirmed.",
              static_cast<double>(lag_bytes(capture, monitor)));
    out.histogram("holdfast_relay_commit_to_confirm_seconds",
                  "Time from the commit in PostgreSQL until Kafka has all its records.",
                  capture.commit_to_confirm);
}

void add_monitor(Families& out, const MonitorMetrics& monitor) {
    out.gauge("holdfast_relay_monitor_connected",
              "1 while the upkeep connection to PostgreSQL works.", monitor.postgres_connected);
    out.gauge("holdfast_relay_slot_active", "1 while the slot is in use, by whichever process.",
              monitor.slot_active);
    out.gauge("holdfast_relay_slot_retained_bytes",
              "WAL that the server keeps for the slot (from restart_lsn).",
              monitor.slot_retained_bytes);
    out.gauge("holdfast_relay_slot_lag_bytes",
              "WAL written since the slot's confirmed position, as the server sees it.",
              monitor.slot_lag_bytes);
    out.gauge("holdfast_relay_slot_safe_wal_bytes",
              "WAL that can still be written before the slot is lost; -1 when there is no limit.",
              monitor.slot_safe_wal_bytes);
    out.gauge("holdfast_relay_publication_drift",
              "Ways in which configuration, publication and catalogue do not fit.",
              monitor.publication_drift);
    out.counter("holdfast_relay_upkeep_runs_total", "Upkeep calls that succeeded.",
                monitor.upkeep_runs);
    out.counter("holdfast_relay_upkeep_failures_total", "Upkeep calls that failed.",
                monitor.upkeep_failures);
    out.counter("holdfast_relay_holds_expired_total", "Holds that upkeep has expired.",
                monitor.holds_expired);
    out.counter("holdfast_relay_sagas_swept_total",
                "Steps of sagas and early messages that upkeep has dealt with.",
                monitor.sagas_swept);
    out.counter("holdfast_relay_positions_dropped_total",
                "Kafka positions not recorded because the buffer was full.",
                monitor.positions_dropped);
    out.gauge("holdfast_relay_last_maintain_seconds",
              "Unix time of the last successful maintain(); 0 before the first.",
              monitor.last_maintain_seconds);
}

void add_snapshots(Families& out, const CaptureMetrics& capture, const MonitorMetrics& monitor) {
    out.per_kind("holdfast_relay_snapshot_rows_total",
                 "Rows that snapshots have read; those that are read again count again.",
                 capture.initial_snapshot_rows, capture.incremental_snapshot_rows);
    out.per_status("holdfast_relay_snapshots",
                   "Snapshots of the slot that the database knows of, by their status.", monitor);
    out.per_kind("holdfast_relay_snapshot_tables", "Tables of snapshots that have not ended.",
                 monitor, &SnapshotMetrics::tables);
    out.per_kind("holdfast_relay_snapshot_tables_remaining",
                 "Of these, those that Kafka does not have to their end.", monitor,
                 &SnapshotMetrics::tables_remaining);
    out.per_kind("holdfast_relay_snapshot_start_time_seconds",
                 "Unix time at which the oldest snapshot that has not ended began; 0 without one.",
                 monitor, &SnapshotMetrics::started_seconds);
}

void add_inbox(Families& out, const std::deque<InboxMetrics>& inbox) {
    out.per_binding("holdfast_relay_inbox_applied_total", "Messages whose handler succeeded.",
                    inbox, &InboxMetrics::applied);
    out.per_binding("holdfast_relay_inbox_duplicates_total",
                    "Messages skipped because their event had been applied before.", inbox,
                    &InboxMetrics::duplicates);
    out.per_binding("holdfast_relay_inbox_dead_total", "Messages that became dead letters.", inbox,
                    &InboxMetrics::dead);
    out.per_binding("holdfast_relay_inbox_parked_total",
                    "Messages that wait behind a dead letter of the same key.", inbox,
                    &InboxMetrics::parked);
    out.per_binding("holdfast_relay_inbox_early_total",
                    "Messages that came before their order and are tried again.", inbox,
                    &InboxMetrics::early);
    out.per_binding("holdfast_relay_inbox_retries_total",
                    "Batches tried again after a transient error.", inbox, &InboxMetrics::retries);
    out.per_binding("holdfast_relay_inbox_fenced_total",
                    "Batches refused because another relay owns the partition.", inbox,
                    &InboxMetrics::fenced);
    out.per_binding("holdfast_relay_inbox_assigned_partitions", "Partitions that this relay reads.",
                    inbox, &InboxMetrics::assigned_partitions);
    out.per_binding("holdfast_relay_inbox_lag_records",
                    "Messages in the assigned partitions that are not yet applied.", inbox,
                    &InboxMetrics::lag_records);
    out.per_binding("holdfast_relay_inbox_apply_seconds",
                    "Duration of one inbox_apply call with its commit.", inbox,
                    &InboxMetrics::apply);
}

void add_notify(Families& out, const std::deque<NotifyMetrics>& notify) {
    out.per_binding("holdfast_relay_notify_sent_total", "Requests that were answered with 2xx.",
                    notify, &NotifyMetrics::sent);
    out.per_binding("holdfast_relay_notify_failed_total",
                    "Requests that the endpoint refused; their messages are dead letters.", notify,
                    &NotifyMetrics::failed);
    out.per_binding("holdfast_relay_notify_retried_total",
                    "Requests without an answer, or with one that asks to come again.", notify,
                    &NotifyMetrics::retried);
    out.per_binding("holdfast_relay_notify_request_seconds",
                    "Time from handing a request over until its answer.", notify,
                    &NotifyMetrics::request);
}

std::vector<MetricFamily> collect(const RelayMetrics& metrics) {
    Families out;
    add_process(out, metrics.process);
    add_capture(out, metrics.capture, metrics.monitor);
    add_monitor(out, metrics.monitor);
    add_snapshots(out, metrics.capture, metrics.monitor);
    add_inbox(out, metrics.inbox);
    add_notify(out, metrics.notify);
    return out.take();
}

std::string kind_name(MetricType type) {
    switch (type) {
        case MetricType::Counter:
            return "counter";
        case MetricType::Gauge:
            return "gauge";
        case MetricType::Histogram:
            return "histogram";
        default:
            return "untyped";
    }
}

}  // namespace

std::string exposition(const RelayMetrics& metrics) {
    return prometheus::TextSerializer{}.Serialize(collect(metrics));
}

std::vector<FamilyDescription> metric_families() {
    std::vector<FamilyDescription> descriptions;
    for (const MetricFamily& family : collect(RelayMetrics{})) {
        descriptions.push_back({family.name, kind_name(family.type), family.help});
    }
    return descriptions;
}

}  // namespace holdfast::relay::metrics
