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

/// For an error of a command that loads the extension's plugin: throws FatalError
/// kPermissionDenied (output_plugin_libraries, which only superusers see, does not name it) or
/// kConfig (its library is not there).  Returns when it is about something else.
void throw_if_not_loadable(const SqlError& error, const std::string& slot);

/// Calls `make`, which makes a slot, with the plugin for it: the one that is `wanted`, and when
/// that is "auto", the extension's where this database has the extension.  If the server does not
/// permit the role that one, `refused` gets its words, and pgoutput is the plugin.  What else
/// `make` throws goes through, as throw_if_not_loadable() has it.
void make_with_plugin(Session& session, const std::string& slot, const std::string& wanted,
                      const std::function<void(const std::string& plugin)>& make,
                      const std::function<void(const SqlError& error)>& refused);

}  // namespace holdfast::relay::postgres
