#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/settings.hpp"
#include "base/errors.hpp"
#include "commands/commands.hpp"
#include "config/config.hpp"
#include "config/loader.hpp"
#include "postgres/session.hpp"

namespace holdfast::relay::commands {
namespace {

constexpr std::string_view kInsufficientPrivilege = "42501";
constexpr std::string_view kUndefinedSchema = "3F000";
constexpr std::string_view kUndefinedFunction = "42883";
constexpr std::string_view kUndefinedTable = "42P01";

/// What the database says to a person, with its own hint where it has one.
[[noreturn]] void rethrow(const postgres::SqlError& error) {
    const std::string& state = error.sqlstate();
    if (state == kInsufficientPrivilege) {
        throw FatalError(ExitCode::kPermissionDenied, error.message(),
                         "As administrator: SELECT holdfast.grant_relay('role'); a condition also "
                         "needs SELECT on what it reads.");
    }
    if (state == kUndefinedSchema || state == kUndefinedFunction || state == kUndefinedTable) {
        throw FatalError(ExitCode::kConfig, error.message(),
                         "Snapshots need the extension, of the relay's version: CREATE EXTENSION "
                         "holdfast.");
    }
    if (postgres::is_transient(state)) {
        throw RetryableError(error.what());
    }
    throw FatalError(ExitCode::kUsage, error.message(), error.hint());
}

void request(postgres::Session& session, const std::string& slot, const SnapshotOptions& options) {
    std::string tables;
    for (const std::string& table : options.tables) {
        tables += (tables.empty() ? "" : ", ") + table;
    }
    const postgres::Result result = session.exec(
        "CALL holdfast.snapshot($1, $2, $3::name)",
        {tables.c_str(), options.condition.empty() ? nullptr : options.condition.c_str(),
         slot.c_str()});
    std::printf("snapshot %s: requested of %s, from the relay of slot \"%s\"\n",
                std::string(result.text(0, 0)).c_str(), tables.c_str(), slot.c_str());
}

/// `statement` takes an id, or NULL, and the slot, and says how many snapshots it was about.
void steer(postgres::Session& session, const std::string& slot, const SnapshotOptions& options,
           const char* statement, const char* done) {
    const std::string id = options.id ? std::to_string(*options.id) : "";
    const postgres::Result result =
        session.exec(statement, {options.id ? id.c_str() : nullptr, slot.c_str()});
    const std::int64_t count = result.int64(0, 0);
    std::printf("%lld snapshot%s %s\n", static_cast<long long>(count), count == 1 ? "" : "s", done);
}

void list(postgres::Session& session, const std::string& slot) {
    constexpr std::array kHeadings = {"ID",   "KIND",     "STATUS",  "TABLE",   "TABLE STATUS",
                                      "ROWS", "LAST KEY", "STARTED", "FINISHED"};
    const postgres::Result rows = session.exec(
        "SELECT snapshot_id, kind, status, data_collection, table_status, rows_sent, "
        "array_to_string(last_key, ','), date_trunc('second', started_at), "
        "date_trunc('second', finished_at), condition, last_error "
        "FROM holdfast.snapshots WHERE slot = $1::name",
        {slot.c_str()});
    if (rows.empty()) {
        std::printf("slot \"%s\" has had no snapshot\n", slot.c_str());
        return;
    }
    std::array<std::size_t, kHeadings.size()> widths{};
    for (std::size_t column = 0; column < widths.size(); ++column) {
        widths.at(column) = std::string_view(kHeadings.at(column)).size();
        for (int row = 0; row < rows.rows(); ++row) {
            widths.at(column) =
                std::max(widths.at(column), rows.text(row, static_cast<int>(column)).size());
        }
    }
    const auto print_line = [&widths](const auto& cell) {
        std::string line;
        for (std::size_t column = 0; column < widths.size(); ++column) {
            std::string text(cell(column));
            text.resize(widths.at(column) + 2, ' ');
            line += text;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        std::printf("%s\n", line.c_str());
    };
    print_line([&kHeadings](std::size_t column) { return kHeadings.at(column); });
    constexpr int kCondition = 9;
    constexpr int kLastError = 10;
    for (int row = 0; row < rows.rows(); ++row) {
        print_line([&](std::size_t column) { return rows.text(row, static_cast<int>(column)); });
        if (!rows.is_null(row, kCondition)) {
            std::printf("  where %s\n", std::string(rows.text(row, kCondition)).c_str());
        }
        if (!rows.is_null(row, kLastError)) {
            std::printf("  error: %s\n", std::string(rows.text(row, kLastError)).c_str());
        }
    }
}

}  // namespace

ExitCode snapshot(const std::string& config_path, const SnapshotOptions& options) {
    const config::Config config = config::load(config_path, config::process_environment());
    const std::string& slot = config.postgres.slot;
    postgres::Session session(adapters::connect_options(config, "snapshot"));
    try {
        switch (options.action) {
            case SnapshotOptions::Action::kRequest:
                request(session, slot, options);
                break;
            case SnapshotOptions::Action::kPause:
                steer(session, slot, options,
                      "SELECT holdfast.snapshot_pause($1::bigint, $2::name)", "paused");
                break;
            case SnapshotOptions::Action::kResume:
                steer(session, slot, options,
                      "SELECT holdfast.snapshot_resume($1::bigint, $2::name)", "resumed");
                break;
            case SnapshotOptions::Action::kStop:
                steer(session, slot, options, "SELECT holdfast.snapshot_stop($1::bigint, $2::name)",
                      "stopped");
                break;
            case SnapshotOptions::Action::kList:
                list(session, slot);
                break;
        }
    } catch (const postgres::SqlError& error) {
        rethrow(error);
    }
    return ExitCode::kOk;
}

}  // namespace holdfast::relay::commands
