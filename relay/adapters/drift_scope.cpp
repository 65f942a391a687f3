#include "adapters/drift_scope.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/connector_settings.hpp"
#include "debezium/change_events.hpp"
#include "debezium/topic_names.hpp"

namespace holdfast::relay::adapters {
namespace {

/// ChangeEvents as the one who knows what the lists let through.
class Lists {
 public:
    explicit Lists(debezium::ConnectorOptions options) : events_(std::move(options), topics_, "") {}
    [[nodiscard]] bool capture(std::string_view schema, std::string_view table) const {
        return events_.captures(schema, table);
    }

 private:
    debezium::TopicNames topics_;
    debezium::ChangeEvents events_;
};

constexpr std::string_view kExtensionSchema = "holdfast";

/// The extension's tables are captured when a list is as wide as that, but nobody misses them; an
/// outbox is routed.  Shared, because a function object has to be copyable.
auto captured_by(debezium::ConnectorOptions options,
                 const std::vector<config::OutboxConfig>& outboxes) {
    return [lists = std::make_shared<const Lists>(std::move(options)), outboxes](
               std::string_view schema, std::string_view table) {
        const std::string name = std::string(schema).append(".").append(table);
        return schema != kExtensionSchema &&
               std::ranges::find(outboxes, name, &config::OutboxConfig::table) == outboxes.end() &&
               lists->capture(schema, table);
    };
}

}  // namespace

std::optional<postgres::DriftScope> drift_scope(const config::Config& config) {
    if (!config.connector.has_change_events()) {
        return std::nullopt;
    }
    const debezium::ConnectorOptions options = connector_options(config.connector, "");
    const auto wants = [&](char operation) {
        return options.skipped_operations == "none" ||
               options.skipped_operations.find(operation) == std::string::npos;
    };
    postgres::DriftScope scope{.publication = config.postgres.publication,
                               .captures = captured_by(options, config.outboxes),
                               .has_column = {},
                               .expected = {},
                               .updates = wants('u'),
                               .deletes = wants('d'),
                               .truncates = wants('t')};
    for (const std::string& expression : options.table_include_list) {
        debezium::ConnectorOptions alone = options;
        alone.table_include_list = {expression};
        scope.expected.push_back({expression, captured_by(std::move(alone), config.outboxes)});
    }
    return scope;
}

}  // namespace holdfast::relay::adapters
