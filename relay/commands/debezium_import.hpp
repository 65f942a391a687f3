// Turns the configuration of Debezium's PostgreSQL connector into the relay's, as text: what each
// property becomes is the table of config/debezium_properties.hpp, and whether our configuration
// takes it the table of config/keys.hpp.  Asks no server; `import-debezium` reads and writes the
// files.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "commands/connector_file.hpp"
#include "commands/import_properties.hpp"

namespace holdfast::relay::commands {

struct DebeziumImport {
    std::string toml;                     ///< findings as comments included
    std::vector<ImportFinding> findings;  ///< heaviest first, then by name
    std::string dsn;                      ///< [postgres] dsn, without a password
    std::string slot;
    std::string publication;
    std::string connector_name;  ///< "" when the file does not say
    std::string topic_prefix;
    /// The [kafka] section.
    std::vector<std::pair<std::string, std::string>> kafka;

    [[nodiscard]] bool changes_messages() const;
};

/// What taking over has found out, for the file.
struct TakenOver {
    std::string resume_after;       ///< capture::ResumePosition as text
    std::string system_identifier;  ///< "" when it may not be read
    std::string sequence_start;     ///< first element of source.sequence: digits, or "null"
};

/// `worker` is the Connect worker's properties: converters and the producer's settings that the
/// connector does not have itself.  nullopt = not known.
[[nodiscard]] DebeziumImport import_connector(const ConnectProperties& connector,
                                              const std::optional<ConnectProperties>& worker,
                                              const std::optional<TakenOver>& taken_over);

}  // namespace holdfast::relay::commands
