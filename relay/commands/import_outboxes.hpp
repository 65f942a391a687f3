// The event routers of a connector, and what stands around them in `transforms` and `predicates`,
// as [outbox] sections.
//
// Sources: Kafka Connect, "Transformations" and "Predicates"; Debezium, "Outbox Event Router".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "commands/connector_file.hpp"
#include "commands/import_properties.hpp"
#include "commands/toml_section.hpp"

namespace holdfast::relay::commands {

class ImportOutboxes {
 public:
    /// Reads the transformations; a finding for each that the relay does not have.  `properties`
    /// lives longer.
    ImportOutboxes(ImportProperties& properties, std::string topic_prefix);

    /// One for each table that a router takes; a finding where that cannot be told.
    [[nodiscard]] std::vector<TomlSection> sections();

    /// Whether a router takes the events of every table.
    [[nodiscard]] bool all_routed() const;

 private:
    /// transforms.<alias>.* or predicates.<alias>.*
    struct Plugin {
        std::string alias;
        std::string type;
        ConnectProperties options;  ///< without prefix and type
    };

    [[nodiscard]] std::vector<Plugin> plugins(const std::string& kind);
    void take(Plugin transform);
    /// The tables whose events a router routes; empty and a finding when that cannot be told.
    std::vector<std::string> tables_of(const Plugin& router);
    std::vector<std::string> tables_of_predicate(const Plugin& router, const std::string& alias);
    void write(TomlSection& section, const Plugin& router);
    /// The one prefix whose messages are outbox events.
    std::string message_prefix();

    ImportProperties& properties_;
    std::string topic_prefix_;
    std::map<std::string, Plugin> predicates_;
    std::vector<Plugin> routers_;
    std::optional<Plugin> decoder_;
};

}  // namespace holdfast::relay::commands
