// What `status` says of a snapshot.
#pragma once

#include <string>

#include "postgres/snapshot_overview.hpp"

namespace holdfast::relay::commands {

/// One line for people; a second one, indented, when there is an error.  Ends with a line break.
[[nodiscard]] std::string snapshot_line(const postgres::SnapshotOverview& snapshot);

}  // namespace holdfast::relay::commands
