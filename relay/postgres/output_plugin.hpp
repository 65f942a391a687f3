// The output plugins whose slots the relay reads: pgoutput, which every server has, and the
// extension's own, which sends the same in batches (extension/src/backend/output_plugin.h).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "postgres/session.hpp"
#include "postgres/sql_error.hpp"

namespace holdfast::relay::postgres {

inline constexpr std::string_view kPgoutput = "pgoutput";
inline constexpr std::string_view kHoldfastPlugin = "holdfast";

[[nodiscard]] bool is_readable_plugin(std::string_view plugin);

/// The server does not let the role use the plugin (output_plugin_libraries; only superusers see
/// it).
[[nodiscard]] bool is_refused_plugin(std::string_view message);

/// Calls `make` with the plugin for a new slot: the one that is `wanted`, and when that is "auto",
/// the extension's where this database has the extension, and pgoutput if the server refuses that
/// one; `refused` then gets its words.  What else `make` throws goes through.
void make_slot(Session& session, const std::string& wanted,
               const std::function<void(const std::string& plugin)>& make,
               const std::function<void(const SqlError& error)>& refused);

}  // namespace holdfast::relay::postgres
