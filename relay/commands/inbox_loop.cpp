#include "commands/inbox_loop.hpp"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "adapters/consumer_source.hpp"
#include "adapters/inbox_caller.hpp"
#include "adapters/settings.hpp"
#include "base/log.hpp"
#include "inbox/pipeline.hpp"

namespace holdfast::relay::commands {
namespace {

inbox::Group& group_of(std::vector<inbox::Group>& groups, const std::string& consumer) {
    const auto known = std::ranges::find(groups, consumer, &inbox::Group::consumer);
    return known != groups.end() ? *known
                                 : groups.emplace_back(inbox::Group{consumer, nullptr, {}});
}

std::vector<inbox::Group> make_groups(const config::Config& config,
                                      metrics::RelayMetrics& metrics) {
    std::vector<inbox::Group> groups;
    for (std::size_t i = 0; i < config.inbox.size(); ++i) {
        const config::InboxBinding& binding = config.inbox[i];
        group_of(groups, binding.group)
            .bindings.push_back(
                {.topic = binding.topic,
                 .call = binding.call,
                 .batch_max_messages = static_cast<std::size_t>(binding.batch_max_messages),
                 .batch_max_bytes = static_cast<std::size_t>(binding.batch_max_bytes),
                 .start = binding.start == "latest" ? inbox::StartAt::kLatest
                                                    : inbox::StartAt::kEarliest,
                 .metrics = &metrics.inbox[i]});
    }
    return groups;
}

}  // namespace

void add_inbox_metrics(const config::Config& config, metrics::RelayMetrics& metrics) {
    for (const config::InboxBinding& binding : config.inbox) {
        metrics::InboxMetrics& entry = metrics.inbox.emplace_back();
        entry.consumer = binding.group;
        entry.topic = binding.topic;
    }
}

void run_inbox(const config::Config& config, metrics::RelayMetrics& metrics, const Clock& clock,
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
        log::info("inbox_started", {{"consumer", group.consumer}, {"topics", topics.size()}});
    }
    adapters::InboxCaller caller(adapters::connect_options(config, "inbox"), owner);
    inbox::Pipeline pipeline(std::move(groups), caller, clock, {});
    pipeline.run(std::move(stop));
    log::info("inbox_stopped");
}

}  // namespace holdfast::relay::commands
