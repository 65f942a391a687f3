// How a configuration is read: one TOML file, then environment overrides
// (HOLDFAST_<SECTION>_<KEY>). Every problem is reported at once.  docs/configuration.md is
// generated from the same table of keys (keys.hpp).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace holdfast::relay::config {

/// All environment variables as "NAME=value"; the process's own by default, a list in tests.
using Environment = std::vector<std::string>;
[[nodiscard]] Environment process_environment();

/// Reads `path`, then the overrides in `environment`, and checks the result.
/// `path` empty = no file, only defaults and environment.  Values may be given as
/// `{ file = "path" }` (content without its last newline) or `{ credential = "name" }` (the same
/// from $CREDENTIALS_DIRECTORY); for keys that are paths the path itself is taken.
/// Throws ConfigError with everything that is wrong; a file that is not TOML has one problem.
[[nodiscard]] Config load(const std::string& path, const Environment& environment);

/// As load(), for text that is already in memory; `name` stands for the file in messages.
/// `readable_by_others` says whether inline passwords have to be refused.
enum class Privacy { kOwnerOnly, kReadableByOthers };
[[nodiscard]] Config parse(std::string_view text, const std::string& name, Privacy privacy,
                           const Environment& environment);

}  // namespace holdfast::relay::config
