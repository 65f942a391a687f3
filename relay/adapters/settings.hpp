// The configuration in the terms of each part.
#pragma once

#include <string>
#include <string_view>

#include "adapters/chunk_source.hpp"
#include "capture/large_records.hpp"
#include "capture/pipeline.hpp"
#include "config/config.hpp"
#include "debezium/event_router.hpp"
#include "kafka/properties.hpp"
#include "postgres/catalog.hpp"
#include "postgres/connect_options.hpp"
#include "upkeep/upkeep.hpp"

namespace holdfast::relay::adapters {

/// `part` ("capture", "inbox" ...) shows in pg_stat_activity as "holdfast-relay part".
[[nodiscard]] postgres::ConnectOptions connect_options(const config::Config& config,
                                                       std::string_view part);

[[nodiscard]] kafka::Properties kafka_properties(const config::Config& config);

[[nodiscard]] debezium::EventRouterOptions router_options(const config::OutboxConfig& outbox,
                                                          const std::string& slot);

/// What becomes of the stream's messages.  `database_name` and `run_id` are for change events.
/// Throws ConfigError.
[[nodiscard]] capture::TranslatorOptions translator_options(const config::Config& config,
                                                            std::string database_name,
                                                            std::string run_id);

[[nodiscard]] capture::PipelineOptions pipeline_options(const config::Config& config);

/// Throws when there are no change events.
[[nodiscard]] ChunkSourceOptions chunk_source_options(const config::Config& config);

[[nodiscard]] capture::TooLargeOptions too_large_options(const config::Config& config);

/// Intervals only; report and observe are the caller's.
[[nodiscard]] upkeep::UpkeepOptions upkeep_options(const config::Config& config);

/// What is executed with each heartbeat; "" = nothing.
[[nodiscard]] std::string heartbeat_action_query(const config::Config& config);

/// What slot, publication and outbox must be like for the stream that is configured.
[[nodiscard]] postgres::StreamRequirements stream_requirements(const config::Config& config);

}  // namespace holdfast::relay::adapters
