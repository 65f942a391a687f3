// The configuration in the terms of snapshots.
#pragma once

#include <cstddef>
#include <string>

#include "adapters/captured_tables.hpp"
#include "config/config.hpp"
#include "snapshot/mode.hpp"
#include "snapshot/pipeline.hpp"

namespace holdfast::relay::adapters {

/// kNoData without change events.
[[nodiscard]] snapshot::Mode snapshot_mode(const config::Config& config);

/// snapshot.max.threads
[[nodiscard]] std::size_t snapshot_threads(const config::Config& config);

/// Captured tables that snapshot.include.collection.list lets through.  Throws FatalError(kConfig).
[[nodiscard]] CapturedTables snapshot_tables(const config::Config& config);

/// All but where the snapshot was taken.  Throws ConfigError.
[[nodiscard]] snapshot::PipelineOptions snapshot_options(const config::Config& config,
                                                         std::string database_name,
                                                         std::string run_id);

}  // namespace holdfast::relay::adapters
