#include "commands/notify_loop.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>
#include <vector>

#include "adapters/consumer_source.hpp"
#include "adapters/http_endpoints.hpp"
#include "adapters/notify_ledger.hpp"
#include "adapters/settings.hpp"
#include "base/log.hpp"
#include "base/url.hpp"
#include "inbox/pipeline.hpp"
#include "notify/courier.hpp"

namespace holdfast::relay::commands {
namespace {

/// Messages of a partition that are fetched ahead of the one that is being delivered.
constexpr std::size_t kFetchedAhead = 500;

constexpr std::chrono::milliseconds kRetryInitial{500};
constexpr std::chrono::milliseconds kRetryCap{60'000};

std::vector<inbox::Group> make_groups(const config::Config& config,
                                      metrics::RelayMetrics& metrics) {
    std::vector<inbox::Group> groups;
    for (std::size_t i = 0; i < config.notify.size(); ++i) {
        const config::NotifyBinding& binding = config.notify[i];
        auto group = std::ranges::find(groups, binding.group, &inbox::Group::consumer);
        if (group == groups.end()) {
            group = groups.insert(group, {binding.group, nullptr, {}});
        }
        group->bindings.push_back({.topic = binding.topic,
                                   .call = notify::handler_of(parse_url(binding.url).origin()),
                                   .batch_max_messages = 1,
                                   .pending_max_messages = kFetchedAhead,
                                   .start = binding.start == "latest" ? inbox::StartAt::kLatest
                                                                      : inbox::StartAt::kEarliest,
                                   .metrics = &metrics.inbox[config.inbox.size() + i]});
    }
    return groups;
}

std::vector<notify::Binding> make_bindings(const config::Config& config,
                                           metrics::RelayMetrics& metrics) {
    std::vector<notify::Binding> bindings;
    for (std::size_t i = 0; i < config.notify.size(); ++i) {
        const config::NotifyBinding& binding = config.notify[i];
        bindings.push_back({.consumer = binding.group,
                            .topic = binding.topic,
                            .origin = parse_url(binding.url).origin(),
                            .timeout = std::chrono::milliseconds(binding.timeout_ms),
                            .metrics = &metrics.notify[i]});
    }
    return bindings;
}

std::vector<adapters::HttpEndpoint> make_endpoints(const config::Config& config) {
    std::vector<adapters::HttpEndpoint> endpoints;
    for (const config::NotifyBinding& binding : config.notify) {
        endpoints.push_back({.client = {.url = parse_url(binding.url),
                                        .timeout = std::chrono::milliseconds(binding.timeout_ms),
                                        .ca_file = binding.ca_file},
                             .secret = binding.secret,
                             .secret_header = binding.secret_header});
    }
    return endpoints;
}

}  // namespace

void add_notify_metrics(const config::Config& config, metrics::RelayMetrics& metrics) {
    for (const config::NotifyBinding& binding : config.notify) {
        metrics::InboxMetrics& messages = metrics.inbox.emplace_back();
        messages.consumer = binding.group;
        messages.topic = binding.topic;
        metrics::NotifyMetrics& requests = metrics.notify.emplace_back();
        requests.consumer = binding.group;
        requests.topic = binding.topic;
    }
}

void run_notify(const config::Config& config, metrics::RelayMetrics& metrics, const Clock& clock,
                const std::string& owner, std::stop_token stop) {
    const kafka::Properties properties = adapters::kafka_properties(config);
    std::vector<inbox::Group> groups = make_groups(config, metrics);
    std::deque<adapters::ConsumerSource> sources;
    for (inbox::Group& group : groups) {
        std::vector<std::string> topics;
        for (const inbox::Binding& binding : group.bindings) {
            topics.push_back(binding.topic);
        }
        group.source = &sources.emplace_back(properties, group.consumer, topics);
        log::info("notify_started", {{"consumer", group.consumer}, {"topics", topics.size()}});
    }
    adapters::NotifyLedger ledger(adapters::connect_options(config, "notify"), owner);
    adapters::HttpEndpoints endpoints(make_endpoints(config));
    notify::Courier courier(make_bindings(config, metrics), endpoints, ledger, clock, {});
    inbox::PipelineOptions options;
    options.retry_initial = kRetryInitial;
    options.retry_cap = kRetryCap;
    inbox::Pipeline pipeline(std::move(groups), courier, clock, std::move(options));
    pipeline.run(std::move(stop));
    courier.finish();
    log::info("notify_stopped");
}

}  // namespace holdfast::relay::commands
