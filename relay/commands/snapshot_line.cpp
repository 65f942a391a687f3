#include "commands/snapshot_line.hpp"

#include <cstdint>

namespace holdfast::relay::commands {
namespace {

constexpr double kPercent = 100;

}  // namespace

std::string snapshot_line(const postgres::SnapshotOverview& snapshot) {
    std::string line =
        "snapshot " + std::to_string(snapshot.id) + ": " + snapshot.kind + ", " + snapshot.status;
    if (!snapshot.started_at.empty()) {
        line += ", since " + snapshot.started_at;
    }
    line += ", " + std::to_string(snapshot.tables_completed) + " of " +
            std::to_string(snapshot.tables) + " tables, " + std::to_string(snapshot.rows_sent) +
            " rows";
    if (snapshot.rows_estimated.value_or(0) > 0) {
        // In floating point: a hundred times the rows of a database may be no int64.
        const double share =
            static_cast<double>(snapshot.rows_sent) / static_cast<double>(*snapshot.rows_estimated);
        line += " (about " + std::to_string(static_cast<std::int64_t>(share * kPercent)) + " %)";
    }
    std::string before = ", reading ";
    for (const std::string& table : snapshot.reading) {
        line += before + table;
        before = ", ";
    }
    line += "\n";
    if (!snapshot.last_error.empty()) {
        line += "  error: " + snapshot.last_error + "\n";
    }
    return line;
}

}  // namespace holdfast::relay::commands
