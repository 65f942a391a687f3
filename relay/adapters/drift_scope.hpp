// What the configuration asks of the publication, for the look at its drift.
#pragma once

#include <optional>

#include "config/config.hpp"
#include "postgres/publication_drift.hpp"

namespace holdfast::relay::adapters {

/// nullopt without change events: the outbox alone is looked after by require_streamable(), which
/// halts.  Throws ConfigError and FatalError(kConfig) for properties that are wrong.
[[nodiscard]] std::optional<postgres::DriftScope> drift_scope(const config::Config& config);

}  // namespace holdfast::relay::adapters
