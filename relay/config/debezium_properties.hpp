// What becomes of each property of Debezium's PostgreSQL connector, of its event router, of the
// Kafka Connect around them and of Java's Kafka producer: one table, so that loading [connector]
// and [outbox] and `import-debezium` say the same of a property.
//
// Sources: Debezium 3.7 (PostgresConnectorConfig, RelationalDatabaseConnectorConfig,
// CommonConnectorConfig, EventRouterConfigDefinition); Kafka documentation, "Kafka Connect Configs"
// and "Producer Configs".
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::relay::config {

/// Whose property it is.
enum class PropertyOwner {
    kConnector,  ///< the connector's own, converters included: key of [connector]
    kRouter,     ///< of the event router, without transforms.<name>.: key of [outbox]
    kProducer,   ///< of Java's producer: key of [kafka]
    kTransform,  ///< not a property: the class of a transformation
};

enum class PropertyVerdict {
    kSupported,    ///< a key of ours by the same name and meaning
    kReplaced,     ///< the same is said elsewhere: `advice` says where
    kIrrelevant,   ///< nothing here depends on it: `advice` says why
    kUnsupported,  ///< its effect is not to be had: `advice` says what to use instead
};

struct DebeziumProperty {
    std::string_view pattern;  ///< a name, where "*" stands for one or more characters
    /// A sentence without full stop; empty when supported.  kReplaced of a producer: the name that
    /// librdkafka has for it.
    std::string_view advice;
    /// Values, separated by "|", that ask for nothing but what the relay does anyway: with one of
    /// them the property may be left out.  "" = none are known.
    std::string_view harmless;
    PropertyOwner owner = PropertyOwner::kConnector;
    PropertyVerdict verdict = PropertyVerdict::kSupported;
    /// Whether leaving it out, with any other value, makes other messages than Debezium's.
    bool changes_messages = false;
};

/// The entry that fits the name; the first one wins.  nullptr = no such property is known.
[[nodiscard]] const DebeziumProperty* debezium_property(PropertyOwner owner, std::string_view name);

/// Whether `value` is one of the entry's harmless values, letter case aside.
[[nodiscard]] bool is_harmless(const DebeziumProperty& property, std::string_view value);

/// Why a key cannot stand in [connector] or [outbox] although Debezium has such a property, and
/// what to do instead.  nullopt for other sections, for what Debezium does not know either, and for
/// what is supported.
[[nodiscard]] std::optional<std::string> debezium_refusal(std::string_view section,
                                                          std::string_view name);

/// The name that may have been meant by one that its owner does not have, no more than `distance`
/// edits away: of Debezium's, or of our own section for the same.
[[nodiscard]] std::optional<std::string> nearest_property(PropertyOwner owner,
                                                          std::string_view name,
                                                          std::size_t distance);

/// All entries, in the order in which they are tried.
[[nodiscard]] std::span<const DebeziumProperty> debezium_properties();

}  // namespace holdfast::relay::config
