#include "commands/import_outboxes.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "base/errors.hpp"
#include "config/config.hpp"
#include "config/debezium_properties.hpp"

namespace holdfast::relay::commands {
namespace {

using config::debezium_property;
using config::PropertyOwner;
using config::PropertyVerdict;
using Weight = ImportFinding::Weight;

constexpr std::string_view kEventRouter = "io.debezium.transforms.outbox.EventRouter";
constexpr std::string_view kDecodeMessages =
    "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent";
constexpr std::string_view kTopicNameMatches = "TopicNameMatches";

/// The name that an expression stands for, when it stands for only one.
std::optional<std::string> literal(std::string_view pattern) {
    std::string name;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '\\') {
            ++i;
            if (i == pattern.size() || std::isalnum(static_cast<unsigned char>(pattern[i])) != 0) {
                return std::nullopt;
            }
        } else if (std::string_view("*+?[](){}|^$").find(pattern[i]) != std::string_view::npos) {
            return std::nullopt;
        }
        name += pattern[i];
    }
    return name;
}

/// "schema.table", with one dot.
bool is_table(std::string_view name) {
    const std::size_t dot = name.find('.');
    return dot != std::string_view::npos && dot > 0 && dot + 1 < name.size() &&
           name.find('.', dot + 1) == std::string_view::npos;
}

}  // namespace

ImportOutboxes::ImportOutboxes(ImportProperties& properties, std::string topic_prefix)
    : properties_(properties), topic_prefix_(std::move(topic_prefix)) {
    for (Plugin& predicate : plugins("predicates")) {
        std::string alias = predicate.alias;
        predicates_.emplace(std::move(alias), std::move(predicate));
    }
    for (Plugin& transform : plugins("transforms")) {
        take(std::move(transform));
    }
}

void ImportOutboxes::take(Plugin transform) {
    const std::string property = "transforms." + transform.alias;
    if (transform.type == kEventRouter) {
        routers_.push_back(std::move(transform));
    } else if (transform.type == kDecodeMessages) {
        decoder_ = std::move(transform);
    } else if (transform.type.empty()) {
        properties_.find(property, "it has no type, so Connect would not start it",
                         Weight::kOtherMessages);
    } else {
        const std::string_view type = transform.type;
        // RegexRouter, but Cast$Value
        const std::size_t nested = type.find('$', 1);
        const auto* entry = debezium_property(PropertyOwner::kTransform, type.substr(0, nested));
        properties_.find(property, transform.type + ": " + std::string(entry->advice),
                         entry->changes_messages ? Weight::kOtherMessages : Weight::kNote);
    }
}

std::vector<ImportOutboxes::Plugin> ImportOutboxes::plugins(const std::string& kind) {
    std::vector<Plugin> found;
    const auto list = properties_.connector().find(kind);
    if (list == properties_.connector().end()) {
        return found;
    }
    properties_.deal_with(kind);
    for (const std::string& alias : config::comma_separated(list->second)) {
        Plugin plugin{alias, {}, {}};
        std::string prefix = kind;
        prefix.append(".").append(alias).append(".");
        for (const auto& [name, value] : properties_.connector()) {
            if (!name.starts_with(prefix)) {
                continue;
            }
            properties_.deal_with(name);
            const std::string option = name.substr(prefix.size());
            if (option == "type") {
                plugin.type = value;
            } else {
                plugin.options[option] = value;
            }
        }
        found.push_back(std::move(plugin));
    }
    return found;
}

std::vector<std::string> ImportOutboxes::tables_of(const Plugin& router) {
    const std::string property = "transforms." + router.alias;
    const auto predicate = router.options.find("predicate");
    if (predicate != router.options.end()) {
        return tables_of_predicate(router, predicate->second);
    }
    std::vector<std::string> tables;
    for (const std::string& pattern :
         config::comma_separated(properties_.own("table.include.list"))) {
        const auto table = literal(pattern);
        if (!table || !is_table(*table)) {
            tables.clear();
            break;
        }
        tables.push_back(*table);
    }
    if (tables.empty()) {
        properties_.find(
            property,
            "which table is the outbox cannot be told from table.include.list: write `table` "
            "into [outbox]",
            Weight::kOtherMessages);
    }
    return tables;
}

std::vector<std::string> ImportOutboxes::tables_of_predicate(const Plugin& router,
                                                             const std::string& alias) {
    const std::string property = "transforms." + router.alias + ".predicate";
    const auto predicate = predicates_.find(alias);
    const auto negate = router.options.find("negate");
    if (predicate != predicates_.end() && predicate->second.type.ends_with(kTopicNameMatches) &&
        (negate == router.options.end() || lower_case(negate->second) != "true")) {
        const auto pattern = predicate->second.options.find("pattern");
        const auto topic =
            pattern == predicate->second.options.end() ? std::nullopt : literal(pattern->second);
        const std::string prefix = topic_prefix_ + properties_.own_or("topic.delimiter", ".");
        if (topic && topic->starts_with(prefix)) {
            const std::string table = topic->substr(prefix.size());
            if (is_table(table)) {
                return {table};
            }
        }
    }
    properties_.find(property,
                     "which table is the outbox cannot be told from the predicate " +
                         quoted(alias) + ": write `table` into [outbox]",
                     Weight::kOtherMessages);
    return {};
}

std::vector<TomlSection> ImportOutboxes::sections() {
    std::vector<TomlSection> sections;
    std::vector<std::pair<const Plugin*, std::string>> found;
    for (const Plugin& router : routers_) {
        std::vector<std::string> tables = tables_of(router);
        if (tables.empty()) {
            tables.emplace_back();  // the section with everything else
        }
        for (std::string& table : tables) {
            found.emplace_back(&router, std::move(table));
        }
    }
    for (const auto& [router, table] : found) {
        TomlSection section(found.size() > 1 ? "[[outbox]]" : "[outbox]");
        if (table.empty()) {
            section.comment("table = \"schema.table\"");
        } else {
            section.add("table", toml_string(table));
        }
        write(section, *router);
        sections.push_back(std::move(section));
    }
    if (decoder_ && routers_.empty()) {
        properties_.find("transforms." + decoder_->alias,
                         decoder_->type +
                             " without an event router: the relay writes such messages as `m` "
                             "events",
                         Weight::kOtherMessages);
    }
    return sections;
}

void ImportOutboxes::write(TomlSection& section, const Plugin& router) {
    const std::string prefix = "transforms." + router.alias + ".";
    section.add("message.prefix", toml_string(decoder_ ? message_prefix() : ""));
    // Where our defaults are not Debezium's.
    ConnectProperties options = {
        {"route.topic.replacement", "outbox.event.${routedByValue}"},
        {"table.field.event.headers", ""},
        {"table.fields.additional.placement", ""},
        {"extended.headers.enabled", properties_.own_or("extended.headers.enabled", "true")},
    };
    if (const auto expand = router.options.find("table.expand.json.payload");
        expand != router.options.end() && lower_case(expand->second) == "true") {
        options["table.json.payload.compatibility"] = "debezium";
    }
    for (const auto& [name, value] : router.options) {
        if (name == "predicate" || name == "negate") {
            continue;
        }
        const auto* entry = debezium_property(PropertyOwner::kRouter, name);
        if (entry != nullptr && entry->verdict == PropertyVerdict::kSupported) {
            options[name] = value;
        } else {
            properties_.find_entry(prefix + name, name, value, entry, PropertyOwner::kRouter);
        }
    }
    for (const auto& [name, value] : options) {
        properties_.put(section, "outbox", name, value, prefix + name);
    }
    for (const std::string_view converter : kConverters) {
        properties_.put_converter(section, "outbox", std::string(converter));
    }
}

std::string ImportOutboxes::message_prefix() {
    const auto prefixes = config::comma_separated(properties_.own("message.prefix.include.list"));
    const auto prefix = prefixes.size() == 1 ? literal(prefixes.front()) : std::nullopt;
    if (!prefix) {
        properties_.find(
            "transforms." + decoder_->alias,
            "which messages are outbox events cannot be told from message.prefix.include.list: "
            "write message.prefix into [outbox]",
            Weight::kOtherMessages);
        return "";
    }
    return *prefix;
}

bool ImportOutboxes::all_routed() const {
    return std::ranges::any_of(
        routers_, [](const Plugin& router) { return !router.options.contains("predicate"); });
}

}  // namespace holdfast::relay::commands
