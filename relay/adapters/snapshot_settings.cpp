#include "adapters/snapshot_settings.hpp"

#include <utility>
#include <vector>

#include "adapters/connector_settings.hpp"
#include "base/errors.hpp"
#include "debezium/java_pattern.hpp"

namespace holdfast::relay::adapters {
namespace {

constexpr const char* kIncludeList = "snapshot.include.collection.list";

}  // namespace

snapshot::Mode snapshot_mode(const config::Config& config) {
    if (!config.connector.has_change_events()) {
        return snapshot::Mode::kNoData;
    }
    return snapshot::parse_mode(config.connector.text("snapshot.mode"))
        .value_or(snapshot::Mode::kNoData);
}

std::size_t snapshot_threads(const config::Config& config) {
    return static_cast<std::size_t>(config.connector.integer("snapshot.max.threads"));
}

CapturedTables snapshot_tables(const config::Config& config) {
    CapturedTables captured =
        captured_tables(connector_options(config.connector, ""), config.outboxes);
    const std::vector<std::string> expressions = config.connector.list(kIncludeList);
    if (expressions.empty()) {
        return captured;
    }
    try {
        return [captured = std::move(captured), list = debezium::PatternList(expressions)](
                   std::string_view schema, std::string_view table) {
            return captured(schema, table) &&
                   list.matches(std::string(schema).append(".").append(table));
        };
    } catch (const debezium::JavaPatternError& error) {
        throw FatalError(ExitCode::kConfig, std::string(kIncludeList) + ": " + error.what());
    }
}

snapshot::PipelineOptions snapshot_options(const config::Config& config, std::string database_name,
                                           std::string run_id) {
    return {.connector = connector_options(config.connector, std::move(database_name)),
            .run_id = std::move(run_id),
            .lsn = {},
            .xid = std::nullopt,
            .chunk_rows = config.connector.integer("snapshot.fetch.size"),
            .max_in_flight_bytes = config.capture.max_in_flight_bytes};
}

}  // namespace holdfast::relay::adapters
