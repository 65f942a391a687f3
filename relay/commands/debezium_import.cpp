#include "commands/debezium_import.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/errors.hpp"
#include "commands/import_outboxes.hpp"
#include "commands/toml_section.hpp"
#include "config/config.hpp"
#include "config/debezium_properties.hpp"

namespace holdfast::relay::commands {
namespace {

using config::debezium_property;
using config::PropertyOwner;
using config::PropertyVerdict;
using Weight = ImportFinding::Weight;

constexpr std::string_view kConnectorClass = "io.debezium.connector.postgresql.PostgresConnector";

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

const char* heading(Weight weight) {
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
std::string one_line(std::string text) {
    for (char& c : text) {
        const auto byte = static_cast<unsigned char>(c);
        c = byte < 0x20 || byte == 0x7F ? ' ' : c;
    }
    return text;
}

class Importer {
 public:
    Importer(const ConnectProperties& connector, const std::optional<ConnectProperties>& worker,
             const std::optional<TakenOver>& taken_over)
        : properties_(connector, worker), taken_over_(taken_over) {}

    DebeziumImport run() {
        require_connector();
        result_.connector_name = properties_.own("name");
        result_.topic_prefix = properties_.value_or("topic.prefix", "");
        if (properties_.own("topic.prefix").empty()) {
            properties_.find(
                "topic.prefix",
                "it is missing, and Debezium needs it since version 2: write into [connector] what "
                "topics begin with",
                Weight::kOtherMessages);
        }
        postgres();
        capture();
        ImportOutboxes outboxes(properties_, result_.topic_prefix);
        outboxes_ = outboxes.sections();
        connector(outboxes.all_routed());
        kafka();
        rest();
        write();
        return std::move(result_);
    }

 private:
    void require_connector() const {
        const auto found = properties_.connector().find("connector.class");
        if (found == properties_.connector().end()) {
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

    void postgres() {
        std::string dsn;
        for (const auto& [property, keyword] : kKeywords) {
            const std::string value = properties_.value_or(property, "");
            if (!value.empty()) {
                dsn += (dsn.empty() ? "" : " ") + std::string(keyword) + "=" + dsn_value(value);
            } else if (keyword == "host" || keyword == "dbname" || keyword == "user") {
                // A reference has been found already.
                if (properties_.connector().find(property) == properties_.connector().end()) {
                    properties_.find(std::string(property),
                                     "it is missing: complete [postgres] dsn", Weight::kDifference);
                }
            }
        }
        if (lower_case(properties_.value_or("database.tcpKeepAlive", "true")) == "false") {
            dsn += (dsn.empty() ? "" : " ") + std::string("keepalives=0");
        }
        if (!properties_.own("database.sslkey").empty()) {
            properties_.find_advice("database.sslkey", Weight::kDifference);
        }
        result_.dsn = dsn;
        result_.slot = properties_.value_or("slot.name", "debezium");
        result_.publication = properties_.value_or("publication.name", "dbz_publication");
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
        if (properties_.own("plugin.name").empty()) {
            properties_.find(
                "plugin.name",
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

    // ---- [connector]

    /// `all_routed`: a router takes the events of every table.
    void connector(bool all_routed) {
        for (const auto& [name, value] : properties_.connector()) {
            const auto* entry = debezium_property(PropertyOwner::kConnector, name);
            if (properties_.is_dealt_with(name) &&
                (name != "topic.prefix" || is_reference(value))) {
                continue;
            }
            const bool converter = std::ranges::any_of(
                kConverters, [&name = name](auto which) { return name.starts_with(which); });
            if (entry != nullptr && entry->verdict == PropertyVerdict::kSupported && !converter) {
                properties_.deal_with(name);
                if (name == "snapshot.mode" && taken_over_) {
                    continue;
                }
                properties_.put(connector_section_, "connector", name, value, name);
            }
        }
        if (taken_over_) {
            connector_section_.comment("The connector has taken its snapshot.");
            connector_section_.add("snapshot.mode", toml_string("no_data"));
        }
        converters(all_routed);
    }

    void converters(bool all_routed) {
        for (const std::string_view converter : kConverters) {
            const std::string name(converter);
            for (const auto& [option, value] : properties_.connector()) {
                const auto* entry = debezium_property(PropertyOwner::kConnector, option);
                if (option == name || (option.starts_with(name + ".") && entry != nullptr &&
                                       entry->verdict == PropertyVerdict::kSupported)) {
                    properties_.deal_with(option);
                }
            }
            // What only an outbox has is written with the outbox.
            if (!all_routed) {
                properties_.put_converter(connector_section_, "connector", name);
            }
            if (!properties_.effective(name) && name != "header.converter" &&
                !properties_.worker()) {
                properties_.find(
                    name,
                    "it is the worker's: give the worker's properties with --worker, or see that "
                    "it is JsonConverter with schemas",
                    Weight::kOtherMessages);
            }
        }
    }

    // ---- [kafka]

    void kafka() {
        std::map<std::string, std::pair<std::string, std::string>> settings;  // value, property
        if (properties_.worker()) {
            for (const auto& [name, value] : *properties_.worker()) {
                if (name == "bootstrap.servers") {
                    settings[name] = {value, name};
                } else if (name.starts_with("producer.")) {
                    settings[name.substr(std::string_view("producer.").size())] = {value, name};
                }
            }
        }
        constexpr std::string_view kOverride = "producer.override.";
        for (const auto& [name, value] : properties_.connector()) {
            if (name.starts_with(kOverride)) {
                settings[name.substr(kOverride.size())] = {value, name};
                properties_.deal_with(name);
            }
        }
        if (!settings.contains("bootstrap.servers")) {
            properties_.find(
                "bootstrap.servers",
                "it is the worker's: give the worker's properties with --worker, or write it into "
                "[kafka]",
                Weight::kDifference);
            kafka_.comment("\"bootstrap.servers\" = \"host:port\"");
        }
        for (const auto& [name, setting] : settings) {
            const auto& [value, property] = setting;
            const auto* entry = debezium_property(PropertyOwner::kProducer, name);
            if (entry == nullptr || entry->verdict != PropertyVerdict::kReplaced) {
                properties_.find_entry(property, name, value, entry, PropertyOwner::kProducer);
            } else if (is_reference(value)) {
                properties_.find(property, reference_text(value), Weight::kDifference);
            } else if (value != "-1") {  // as the system has it
                const std::string ours(entry->advice);
                const std::string text = value.empty() ? "none" : value;
                kafka_.add(ours, toml_string(text));
                result_.kafka.emplace_back(ours, text);
            }
        }
    }

    // ---- What is left

    /// What has a name of its own in a list, as the classes of `converters`, takes options behind
    /// it.
    [[nodiscard]] std::optional<std::string> list_of_option(std::string_view name) const {
        for (const char* list : {"converters", "post.processors"}) {
            for (const std::string& alias : config::comma_separated(properties_.own(list))) {
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
        for (const auto& [name, value] : properties_.connector()) {
            if (properties_.is_dealt_with(name)) {
                continue;
            }
            if (name.starts_with("transforms.") || name.starts_with("predicates.")) {
                properties_.find(name,
                                 "it belongs to nothing that is listed in transforms or predicates",
                                 Weight::kNote);
                continue;
            }
            const auto* entry = debezium_property(PropertyOwner::kConnector, name);
            if (const auto list = list_of_option(name); entry == nullptr && list) {
                properties_.find(name, "it is an option of what " + quoted(*list) + " names",
                                 Weight::kNote);
            } else if (entry == nullptr && is_of_producer(name)) {
                properties_.find(
                    name,
                    "Connect does not look at it in a connector, only at producer.override.* and "
                    "at the worker's producer.*",
                    Weight::kNote);
            } else {
                properties_.find_entry(name, name, value, entry, PropertyOwner::kConnector);
            }
        }
    }

    // ---- The file

    void write() {
        result_.findings = properties_.findings();
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

    ImportProperties properties_;
    const std::optional<TakenOver>& taken_over_;
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
