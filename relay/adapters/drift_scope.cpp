#include "adapters/drift_scope.hpp"

#include <string>
#include <utility>

#include "adapters/captured_tables.hpp"
#include "adapters/connector_settings.hpp"

namespace holdfast::relay::adapters {
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
                               .captures = captured_tables(options, config.outboxes),
                               .has_column = {},
                               .expected = {},
                               .updates = wants('u'),
                               .deletes = wants('d'),
                               .truncates = wants('t')};
    for (const std::string& expression : options.table_include_list) {
        debezium::ConnectorOptions alone = options;
        alone.table_include_list = {expression};
        scope.expected.push_back({expression, captured_tables(std::move(alone), config.outboxes)});
    }
    return scope;
}

}  // namespace holdfast::relay::adapters
