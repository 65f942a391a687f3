#include "commands/debezium_import.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "base/errors.hpp"
#include "commands/toml_section.hpp"
#include "config/config.hpp"
#include "config/debezium_properties.hpp"
#include "config/keys.hpp"

namespace holdfast::relay::commands {
namespace {

using config::debezium_property;
using config::DebeziumProperty;
using config::PropertyOwner;
using config::PropertyVerdict;
using Weight = ImportFinding::Weight;

constexpr std::string_view kEventRouter = "io.debezium.transforms.outbox.EventRouter";
constexpr std::string_view kDecodeMessages =
    "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent";
constexpr std::string_view kConnectorClass = "io.debezium.connector.postgresql.PostgresConnector";
constexpr std::string_view kTopicNameMatches = "TopicNameMatches";
/// The one property that may name groups of an expression, as ${group}.
constexpr std::string_view kGroups = "route.topic.replacement";
constexpr std::array<std::string_view, 3> kConverters = {"key.converter", "value.converter",
                                                         "header.converter"};

/// A value that Debezium has given another name: end of the property's name, before, now.
constexpr std::array<std::array<std::string_view, 3>, 4> kRenamedValues = {{
    {"snapshot.mode", "never", "no_data"},
    {"snapshot.mode", "schema_only", "no_data"},
    {"snapshot.mode", "exported", "initial"},
    {".converter", "io.debezium.converters.ByteBufferConverter",
     "io.debezium.converters.BinaryDataConverter"},
}};

/// A property of the connector, and the libpq keyword that says the same.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kKeywords = {{
    {"database.hostname", "host"},
    {"database.port", "port"},
    {"database.dbname", "dbname"},
    {"database.user", "user"},
    {"database.sslmode", "sslmode"},
    {"database.sslrootcert", "sslrootcert"},
    {"database.sslcert", "sslcert"},
    {"database.sslkey", "sslkey"},
}};

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return result;
}

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

/// A value of a libpq connection string.
std::string dsn_value(std::string_view text) {
    if (!text.empty() && text.find_first_of(" \t\r\n'\\") == std::string_view::npos) {
        return std::string(text);
    }
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') {
            result += '\\';
        }
        result += c;
    }
    return result + "'";
}

/// Whether the value stands elsewhere: "${file:/path:key}" with one of Connect's config providers,
/// "${NAME}" with whatever fills in a template.  No expression and no name has "${" otherwise,
/// but the groups in `kGroups`.
bool is_reference(std::string_view value) {
    const std::size_t begin = value.find("${");
    return begin != std::string_view::npos && value.find('}', begin) != std::string_view::npos;
}

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

/// transforms.<alias>.* or predicates.<alias>.*
struct Plugin {
    std::string alias;
    std::string type;
    ConnectProperties options;  ///< without prefix and type
};

class Importer {
 public:
    Importer(const ConnectProperties& connector, const std::optional<ConnectProperties>& worker,
             const std::optional<TakenOver>& taken_over)
        : connector_(connector), worker_(worker), taken_over_(taken_over) {}

    DebeziumImport run() {
        require_connector();
        result_.connector_name = own("name");
        result_.topic_prefix = value_or("topic.prefix", "");
        if (own("topic.prefix").empty()) {
            find(
                "topic.prefix",
                "it is missing, and Debezium needs it since version 2: write into [connector] what "
                "topics begin with",
                Weight::kOtherMessages);
        }
        postgres();
        capture();
        find_plugins();
        outboxes();
        connector_section();
        kafka();
        rest();
        write();
        return std::move(result_);
    }

 private:
    // ---- Properties

    void require_connector() const {
        const auto found = connector_.find("connector.class");
        if (found == connector_.end()) {
            throw FatalError(ExitCode::kConfig, "there is no \"connector.class\"",
                             "Give the configuration of one connector, as JSON or .properties "
                             "without a command around it; a worker's goes to --worker.");
        }
        if (found->second != kConnectorClass && found->second != "PostgresConnector" &&
            found->second != "PostgresSourceConnector") {
            throw FatalError(ExitCode::kConfig,
                             "\"connector.class\" is " + found->second +
                                 ", which is not Debezium's PostgreSQL connector",
                             "Only " + std::string(kConnectorClass) + " can be imported.");
        }
    }

    /// The connector's value, "" when it has none.
    [[nodiscard]] std::string own(std::string_view name) const {
        const auto found = connector_.find(name);
        return found == connector_.end() ? std::string() : found->second;
    }

    /// As own(), noted as dealt with; a reference to elsewhere counts as no value.
    std::string value_or(std::string_view name, std::string_view otherwise) {
        const auto found = connector_.find(name);
        if (found == connector_.end()) {
            return std::string(otherwise);
        }
        done_.insert(found->first);
        if (is_reference(found->second)) {
            find(found->first, reference_text(found->second), Weight::kOtherMessages);
            return std::string(otherwise);
        }
        return found->second;
    }

    /// As the converters are found: the connector's own, else the worker's.
    [[nodiscard]] std::optional<std::string> effective(const std::string& name) const {
        if (const auto found = connector_.find(name); found != connector_.end()) {
            return found->second;
        }
        if (worker_) {
            if (const auto found = worker_->find(name); found != worker_->end()) {
                return found->second;
            }
        }
        return std::nullopt;
    }

    static std::string reference_text(const std::string& value) {
        return "its value " + value +
               " is for a config provider or a template to find: write what it stands for";
    }

    void find(const std::string& property, std::string text, Weight weight) {
        result_.findings.push_back({property, std::move(text), weight});
    }

    // ---- Into our sections

    static const config::Key* key(std::string_view section, std::string_view name) {
        const auto keys = config::keys();
        const auto found = std::ranges::find_if(keys, [&](const config::Key& candidate) {
            return candidate.section == section && config::fits(candidate, name);
        });
        return found == keys.end() ? nullptr : &*found;
    }

    /// Writes a property of Debezium's into a section that has it by the same name, or finds why
    /// it cannot.  `property` is its name in the connector's configuration.
    void put(TomlSection& section, std::string_view which, const std::string& name,
             std::string value, const std::string& property) {
        const config::Key* known = key(which, name);
        if (known == nullptr) {
            find(property, config::bracketed(which) + " has no such key in this version",
                 Weight::kOtherMessages);
            return;
        }
        if (is_reference(value) && (name != kGroups || value.find(':') != std::string::npos)) {
            find(property, reference_text(value), Weight::kOtherMessages);
            return;
        }
        value = current_name(name, value, property);
        if (!known->choices.empty() || known->type == "boolean") {
            const auto same = std::ranges::find_if(known->choices, [&](std::string_view choice) {
                return lower(choice) == lower(value);
            });
            if (same != known->choices.end()) {
                value = *same;
            } else if (known->type == "boolean" &&
                       (lower(value) == "true" || lower(value) == "false")) {
                value = lower(value);
            } else {
                find(property,
                     "its value " + quoted(value) + " is not to be had here" + choices_text(*known),
                     Weight::kOtherMessages);
                return;
            }
        }
        if (known->type == "integer" && !is_number(*known, value)) {
            find(property,
                 "its value " + quoted(value) + " is no number from " + std::to_string(known->min) +
                     " to " + std::to_string(known->max),
                 Weight::kOtherMessages);
            return;
        }
        section.add(name,
                    known->type == "string" || known->type == "path" ? toml_string(value) : value);
    }

    /// What Debezium calls the value today, with a finding if it had another name.
    std::string current_name(std::string_view name, const std::string& value,
                             const std::string& property) {
        for (const auto& [suffix, old, now] : kRenamedValues) {
            if (name.ends_with(suffix) && lower(value) == lower(old)) {
                find(property, quoted(value) + " is called " + quoted(now) + " since Debezium 2",
                     Weight::kNote);
                return std::string(now);
            }
        }
        return value;
    }

    static std::string choices_text(const config::Key& known) {
        std::string text = ": ";
        if (known.type == "boolean") {
            return text + "true or false";
        }
        for (const std::string_view choice : known.choices) {
            text += (text.size() == 2 ? "" : ", ") + quoted(choice);
        }
        return text;
    }

    static bool is_number(const config::Key& known, const std::string& value) {
        std::int64_t number = 0;
        const auto [end, error] =
            std::from_chars(value.data(), value.data() + value.size(), number);
        return error == std::errc() && end == value.data() + value.size() && number >= known.min &&
               number <= known.max;
    }

    void postgres() {
        std::string dsn;
        for (const auto& [property, keyword] : kKeywords) {
            const std::string value = value_or(property, "");
            if (!value.empty()) {
                dsn += (dsn.empty() ? "" : " ") + std::string(keyword) + "=" + dsn_value(value);
            } else if (keyword == "host" || keyword == "dbname" || keyword == "user") {
                // A reference has been found already.
                if (connector_.find(property) == connector_.end()) {
                    find(std::string(property), "it is missing: complete [postgres] dsn",
                         Weight::kDifference);
                }
            }
        }
        if (lower(value_or("database.tcpKeepAlive", "true")) == "false") {
            dsn += (dsn.empty() ? "" : " ") + std::string("keepalives=0");
        }
        if (!own("database.sslkey").empty()) {
            note_entry("database.sslkey", Weight::kDifference);
        }
        result_.dsn = dsn;
        result_.slot = value_or("slot.name", "debezium");
        result_.publication = value_or("publication.name", "dbz_publication");
        postgres_.add("dsn", toml_string(dsn));
        postgres_.comment(
            "The password: in libpq's password file, or in place of these words as a line");
        postgres_.comment(R"(password = { file = "..." }   or   { credential = "..." })");
        postgres_.add("slot", toml_string(result_.slot));
        postgres_.add("publication", toml_string(result_.publication));
        if (taken_over_ && !taken_over_->system_identifier.empty()) {
            postgres_.comment("The position below means nothing in another cluster.");
            postgres_.add("system_identifier", toml_string(taken_over_->system_identifier));
        }
        // Without the property, Debezium takes decoderbufs.
        if (own("plugin.name").empty()) {
            find("plugin.name",
                 "it is missing, so the slot is one of decoderbufs: " +
                     std::string(
                         debezium_property(PropertyOwner::kConnector, "plugin.name")->advice),
                 Weight::kDifference);
        }
    }

    void capture() {
        if (taken_over_) {
            capture_.comment("Where the connector left the slot. source.sequence goes on with \"" +
                             taken_over_->sequence_start + "\" as its first element.");
            capture_.add("resume_after", toml_string(taken_over_->resume_after));
        }
    }

    // ---- Transformations and predicates

    [[nodiscard]] std::vector<Plugin> plugins(const std::string& kind) {
        std::vector<Plugin> found;
        const auto list = connector_.find(kind);
        if (list == connector_.end()) {
            return found;
        }
        done_.insert(kind);
        for (const std::string& alias : config::comma_separated(list->second)) {
            Plugin plugin{alias, {}, {}};
            std::string prefix = kind;
            prefix.append(".").append(alias).append(".");
            for (const auto& [name, value] : connector_) {
                if (!name.starts_with(prefix)) {
                    continue;
                }
                done_.insert(name);
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

    void find_plugins() {
        for (Plugin& predicate : plugins("predicates")) {
            std::string alias = predicate.alias;
            predicates_.emplace(std::move(alias), std::move(predicate));
        }
        for (Plugin& transform : plugins("transforms")) {
            const std::string property = "transforms." + transform.alias;
            if (transform.type == kEventRouter) {
                routers_.push_back(std::move(transform));
            } else if (transform.type == kDecodeMessages) {
                decoder_ = std::move(transform);
            } else if (transform.type.empty()) {
                find(property, "it has no type, so Connect would not start it",
                     Weight::kOtherMessages);
            } else {
                const std::string_view type = std::string_view(transform.type);
                // RegexRouter, but Cast$Value
                const std::size_t nested = type.find('$', 1);
                const auto* entry =
                    debezium_property(PropertyOwner::kTransform, type.substr(0, nested));
                find(property, transform.type + ": " + std::string(entry->advice),
                     entry->changes_messages ? Weight::kOtherMessages : Weight::kNote);
            }
        }
    }

    /// The tables whose events a router routes; empty and a finding when that cannot be told.
    std::vector<std::string> tables_of(const Plugin& router) {
        const std::string property = "transforms." + router.alias;
        const auto predicate = router.options.find("predicate");
        if (predicate != router.options.end()) {
            return tables_of_predicate(router, predicate->second);
        }
        std::vector<std::string> tables;
        for (const std::string& pattern : config::comma_separated(own("table.include.list"))) {
            const auto table = literal(pattern);
            if (!table || !is_table(*table)) {
                tables.clear();
                break;
            }
            tables.push_back(*table);
        }
        if (tables.empty()) {
            find(property,
                 "which table is the outbox cannot be told from table.include.list: write `table` "
                 "into [outbox]",
                 Weight::kOtherMessages);
        }
        return tables;
    }

    std::vector<std::string> tables_of_predicate(const Plugin& router, const std::string& alias) {
        const std::string property = "transforms." + router.alias + ".predicate";
        const auto predicate = predicates_.find(alias);
        const auto negate = router.options.find("negate");
        if (predicate != predicates_.end() && predicate->second.type.ends_with(kTopicNameMatches) &&
            (negate == router.options.end() || lower(negate->second) != "true")) {
            const auto pattern = predicate->second.options.find("pattern");
            const auto topic = pattern == predicate->second.options.end()
                                   ? std::nullopt
                                   : literal(pattern->second);
            const std::string prefix = result_.topic_prefix + own_or("topic.delimiter", ".");
            if (topic && topic->starts_with(prefix)) {
                const std::string table = topic->substr(prefix.size());
                if (is_table(table)) {
                    return {table};
                }
            }
        }
        find(property,
             "which table is the outbox cannot be told from the predicate " + quoted(alias) +
                 ": write `table` into [outbox]",
             Weight::kOtherMessages);
        return {};
    }

    [[nodiscard]] std::string own_or(std::string_view name, std::string_view otherwise) const {
        const std::string value = own(name);
        return value.empty() ? std::string(otherwise) : value;
    }

    void outboxes() {
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
            outbox(section, *router);
            outboxes_.push_back(std::move(section));
        }
        if (decoder_ && routers_.empty()) {
            find("transforms." + decoder_->alias,
                 decoder_->type +
                     " without an event router: the relay writes such messages as `m` "
                     "events",
                 Weight::kOtherMessages);
        }
    }

    void outbox(TomlSection& section, const Plugin& router) {
        const std::string prefix = "transforms." + router.alias + ".";
        section.add("message.prefix", toml_string(decoder_ ? message_prefix() : ""));
        // Where our defaults are not Debezium's.
        ConnectProperties options = {
            {"route.topic.replacement", "outbox.event.${routedByValue}"},
            {"table.field.event.headers", ""},
            {"table.fields.additional.placement", ""},
            {"extended.headers.enabled", own_or("extended.headers.enabled", "true")},
        };
        if (const auto expand = router.options.find("table.expand.json.payload");
            expand != router.options.end() && lower(expand->second) == "true") {
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
                find_entry(prefix + name, name, value, entry, PropertyOwner::kRouter);
            }
        }
        for (const auto& [name, value] : options) {
            put(section, "outbox", name, value, prefix + name);
        }
        for (const std::string_view converter : kConverters) {
            put_converter(section, "outbox", std::string(converter));
        }
    }

    /// The one prefix whose messages are outbox events.
    std::string message_prefix() {
        const auto prefixes = config::comma_separated(own("message.prefix.include.list"));
        const auto prefix = prefixes.size() == 1 ? literal(prefixes.front()) : std::nullopt;
        if (!prefix) {
            find(
                "transforms." + decoder_->alias,
                "which messages are outbox events cannot be told from message.prefix.include.list: "
                "write message.prefix into [outbox]",
                Weight::kOtherMessages);
            return "";
        }
        return *prefix;
    }

    // ---- Converters

    /// A converter with its options, as far as the section has keys for them.
    void put_converter(TomlSection& section, std::string_view which, const std::string& name) {
        const auto converter = effective(name);
        if (!converter) {
            return;
        }
        put(section, which, name, *converter, name);
        for (const ConnectProperties* properties : {worker_ ? &*worker_ : nullptr, &connector_}) {
            if (properties == nullptr) {
                continue;
            }
            for (const auto& [option, value] : *properties) {
                // Its options belong to the converter: the worker's count only with the worker's.
                const bool overridden = properties != &connector_ &&
                                        (connector_.contains(name) || connector_.contains(option));
                const auto* entry = debezium_property(PropertyOwner::kConnector, option);
                if (!overridden && option.starts_with(name + ".") && entry != nullptr &&
                    entry->verdict == PropertyVerdict::kSupported) {
                    put(section, which, option, value, option);
                }
            }
        }
    }

    void converters() {
        for (const std::string_view converter : kConverters) {
            const std::string name(converter);
            for (const auto& [option, value] : connector_) {
                const auto* entry = debezium_property(PropertyOwner::kConnector, option);
                if (option == name || (option.starts_with(name + ".") && entry != nullptr &&
                                       entry->verdict == PropertyVerdict::kSupported)) {
                    done_.insert(option);
                }
            }
            // What only an outbox has is written with the outbox.
            if (!all_routed()) {
                put_converter(connector_section_, "connector", name);
            }
            if (!effective(name) && name != "header.converter" && !worker_) {
                find(name,
                     "it is the worker's: give the worker's properties with --worker, or see that "
                     "it is JsonConverter with schemas",
                     Weight::kOtherMessages);
            }
        }
    }

    /// Whether a router takes the events of every table.
    [[nodiscard]] bool all_routed() const {
        return std::ranges::any_of(
            routers_, [](const Plugin& router) { return !router.options.contains("predicate"); });
    }

    // ---- [connector]

    void connector_section() {
        for (const auto& [name, value] : connector_) {
            const auto* entry = debezium_property(PropertyOwner::kConnector, name);
            if (done_.contains(name) && (name != "topic.prefix" || is_reference(value))) {
                continue;
            }
            const bool converter = std::ranges::any_of(
                kConverters, [&name = name](auto which) { return name.starts_with(which); });
            if (entry != nullptr && entry->verdict == PropertyVerdict::kSupported && !converter) {
                done_.insert(name);
                if (name == "snapshot.mode" && taken_over_) {
                    continue;
                }
                put(connector_section_, "connector", name, value, name);
            }
        }
        if (taken_over_ && key("connector", "snapshot.mode") != nullptr) {
            connector_section_.comment("The connector has taken its snapshot.");
            connector_section_.add("snapshot.mode", toml_string("no_data"));
        }
        converters();
    }

    // ---- [kafka]

    void kafka() {
        std::map<std::string, std::pair<std::string, std::string>> settings;  // value, property
        if (worker_) {
            for (const auto& [name, value] : *worker_) {
                if (name == "bootstrap.servers") {
                    settings[name] = {value, name};
                } else if (name.starts_with("producer.")) {
                    settings[name.substr(std::string_view("producer.").size())] = {value, name};
                }
            }
        }
        constexpr std::string_view kOverride = "producer.override.";
        for (const auto& [name, value] : connector_) {
            if (name.starts_with(kOverride)) {
                settings[name.substr(kOverride.size())] = {value, name};
                done_.insert(name);
            }
        }
        if (!settings.contains("bootstrap.servers")) {
            find("bootstrap.servers",
                 "it is the worker's: give the worker's properties with --worker, or write it into "
                 "[kafka]",
                 Weight::kDifference);
            kafka_.comment("\"bootstrap.servers\" = \"host:port\"");
        }
        for (const auto& [name, setting] : settings) {
            const auto& [value, property] = setting;
            const auto* entry = debezium_property(PropertyOwner::kProducer, name);
            if (entry == nullptr || entry->verdict != PropertyVerdict::kReplaced) {
                find_entry(property, name, value, entry, PropertyOwner::kProducer);
            } else if (is_reference(value)) {
                find(property, reference_text(value), Weight::kDifference);
            } else if (value != "-1") {  // as the system has it
                const std::string ours(entry->advice);
                const std::string text = value.empty() ? "none" : value;
                kafka_.add(ours, toml_string(text));
                result_.kafka.emplace_back(ours, text);
            }
        }
    }

    // ---- What is left

    /// Says of a property that is not carried over what the table says.  `name` is what its owner
    /// calls it.
    void find_entry(const std::string& property, const std::string& name, const std::string& value,
                    const DebeziumProperty* entry, PropertyOwner owner) {
        if (entry == nullptr) {
            find(property, "nothing is known of it" + suggestion(name, owner, name.size()),
                 Weight::kOtherMessages);
            return;
        }
        if (value.empty() || config::is_harmless(*entry, value)) {
            return;
        }
        const Weight weight = entry->changes_messages ? Weight::kOtherMessages
                              : entry->verdict == PropertyVerdict::kUnsupported
                                  ? Weight::kDifference
                                  : Weight::kNote;
        // What a wildcard takes may be a slip of the pen.
        const bool known = entry->pattern.find('*') == std::string_view::npos;
        find(property,
             std::string(entry->advice) + (known ? std::string() : suggestion(name, owner, 2)),
             weight);
    }

    void note_entry(const std::string& property, Weight weight) {
        find(property, std::string(debezium_property(PropertyOwner::kConnector, property)->advice),
             weight);
    }

    static std::string suggestion(std::string_view name, PropertyOwner owner,
                                  std::size_t distance) {
        const auto near = config::nearest_property(owner, name, distance);
        return near ? "; is " + quoted(*near) + " meant?" : std::string();
    }

    /// What has a name of its own in a list, as the classes of `converters`, takes options behind
    /// it.
    [[nodiscard]] std::optional<std::string> list_of_option(std::string_view name) const {
        for (const char* list : {"converters", "post.processors"}) {
            for (const std::string& alias : config::comma_separated(own(list))) {
                if (name.starts_with(alias + ".")) {
                    return list;
                }
            }
        }
        return std::nullopt;
    }

    /// Whether it is a setting of Java's producer, which Connect takes from the worker or by
    /// producer.override. alone.
    static bool is_of_producer(std::string_view name) {
        constexpr std::string_view kPrefix = "producer.";
        name.remove_prefix(name.starts_with(kPrefix) ? kPrefix.size() : 0);
        return debezium_property(PropertyOwner::kProducer, name) != nullptr;
    }

    void rest() {
        for (const auto& [name, value] : connector_) {
            if (done_.contains(name)) {
                continue;
            }
            if (name.starts_with("transforms.") || name.starts_with("predicates.")) {
                find(name, "it belongs to nothing that is listed in transforms or predicates",
                     Weight::kNote);
                continue;
            }
            const auto* entry = debezium_property(PropertyOwner::kConnector, name);
            if (const auto list = list_of_option(name); entry == nullptr && list) {
                find(name, "it is an option of what " + quoted(*list) + " names", Weight::kNote);
            } else if (entry == nullptr && is_of_producer(name)) {
                find(name,
                     "Connect does not look at it in a connector, only at producer.override.* and "
                     "at the worker's producer.*",
                     Weight::kNote);
            } else {
                find_entry(name, name, value, entry, PropertyOwner::kConnector);
            }
        }
    }

    // ---- The file

    void write() {
        std::ranges::stable_sort(result_.findings, [](const auto& a, const auto& b) {
            return a.weight != b.weight ? a.weight > b.weight : a.property < b.property;
        });
        std::string& toml = result_.toml;
        toml = "# Made by `holdfast-relay import-debezium` from the connector " +
               (result_.connector_name.empty() ? "without a name"
                                               : quoted(one_line(result_.connector_name))) +
               ".\n# Compare it with docs/migrating-from-debezium.md, then run `holdfast-relay "
               "check`.\n";
        Weight weight{};
        bool first = true;
        for (const ImportFinding& finding : result_.findings) {
            if (first || finding.weight != weight) {
                toml += std::string("#\n# ") + heading(finding.weight) + "\n";
                weight = finding.weight;
                first = false;
            }
            toml += "#   " + one_line(finding.property + ": " + finding.text) + "\n";
        }
        toml += postgres_.text() + capture_.text() + connector_section_.text();
        for (const TomlSection& section : outboxes_) {
            toml += section.text();
        }
        toml += kafka_.text();
    }

    static const char* heading(Weight weight) {
        switch (weight) {
            case Weight::kOtherMessages:
                return "Not carried over, and messages may be others without it:";
            case Weight::kDifference:
                return "Not carried over:";
            case Weight::kNote:
                break;
        }
        return "Left out, as nothing here depends on it or it is said elsewhere:";
    }

    /// Text of others, safe in a comment.
    static std::string one_line(std::string text) {
        for (char& c : text) {
            const auto byte = static_cast<unsigned char>(c);
            c = byte < 0x20 || byte == 0x7F ? ' ' : c;
        }
        return text;
    }

    const ConnectProperties& connector_;
    const std::optional<ConnectProperties>& worker_;
    const std::optional<TakenOver>& taken_over_;
    std::set<std::string, std::less<>> done_;  ///< properties that need no more attention
    std::map<std::string, Plugin> predicates_;
    std::vector<Plugin> routers_;
    std::optional<Plugin> decoder_;
    TomlSection postgres_{"[postgres]"};
    TomlSection capture_{"[capture]"};
    TomlSection connector_section_{"[connector]"};
    std::vector<TomlSection> outboxes_;
    TomlSection kafka_{"[kafka]"};
    DebeziumImport result_;
};

}  // namespace

bool DebeziumImport::changes_messages() const {
    return std::ranges::any_of(findings, [](const ImportFinding& finding) {
        return finding.weight == Weight::kOtherMessages;
    });
}

DebeziumImport import_connector(const ConnectProperties& connector,
                                const std::optional<ConnectProperties>& worker,
                                const std::optional<TakenOver>& taken_over) {
    return Importer(connector, worker, taken_over).run();
}

}  // namespace holdfast::relay::commands
