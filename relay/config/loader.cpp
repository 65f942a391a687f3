#include "config/loader.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <utility>

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include "config/consistency.hpp"
#include "config/debezium_properties.hpp"
#include "config/keys.hpp"
#include "config/nearest.hpp"
#include "config/redact.hpp"

namespace holdfast::relay::config {
namespace {

constexpr const char* kEnvironmentPrefix = "HOLDFAST_";

/// "; did you mean "slot"?", or nothing when no candidate is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
    const auto found = nearest(word, candidates);
    return found ? "; did you mean " + quoted(*found) + "?" : std::string();
}

const std::vector<std::string>& section_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> found;
        for (const Key& key : keys()) {
            if (found.empty() || found.back() != key.section) {
                found.emplace_back(key.section);
            }
        }
        found.emplace_back("kafka");
        return found;
    }();
    return names;
}

std::vector<std::string> key_names(std::string_view section) {
    std::vector<std::string> names;
    for (const Key& key : keys()) {
        if (key.section == section) {
            names.emplace_back(key.name);
        }
    }
    return names;
}

std::optional<std::string> variable(const Environment& environment, std::string_view name) {
    for (const std::string& entry : environment) {
        if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
            return entry.substr(name.size() + 1);
        }
    }
    return std::nullopt;
}

/// Reads a configuration and collects what is wrong with it.
class Loader {
 public:
    Loader(std::string file, Privacy privacy, const Environment& environment)
        : privacy_(privacy), environment_(environment) {
        origins_.file = std::move(file);
        config_.outboxes.emplace_back();
        for (const Key& key : keys()) {
            if (!is_list(key.section)) {
                assign_default(key);
            }
        }
    }

    void read_file(std::string_view text) {
        try {
            const toml::table root = toml::parse(text, std::string_view(origins_.file));
            for (const auto& [name, node] : root) {
                read_section(std::string(name.str()), node);
            }
        } catch (const toml::parse_error& error) {
            report(at(error.source()), std::string(error.description()));
        }
    }

    void read_environment() {
        for (const std::string& entry : environment_) {
            const std::size_t equals = entry.find('=');
            if (entry.starts_with(kEnvironmentPrefix) && equals != std::string::npos) {
                read_variable(entry.substr(0, equals), entry.substr(equals + 1));
            }
        }
    }

    Config finish() {
        if (config_.connector.has_change_events() && !has_outbox_) {
            config_.outboxes.clear();  // nobody has asked for an event router
        }
        std::ranges::move(inconsistencies(config_, origins_), std::back_inserter(problems_));
        if (!problems_.empty()) {
            std::stable_sort(problems_.begin(), problems_.end(), [](const auto& a, const auto& b) {
                return line_of(a.origin) < line_of(b.origin);
            });
            throw ConfigError(std::move(problems_));
        }
        return std::move(config_);
    }

 private:
    static int line_of(const std::string& origin) {
        const std::size_t colon = origin.rfind(':');
        return colon == std::string::npos ? 0 : std::atoi(origin.c_str() + colon + 1);
    }

    [[nodiscard]] std::string at(const toml::source_region& source) const {
        return origins_.file + ":" + std::to_string(source.begin.line);
    }

    void report(std::string origin, std::string message) {
        problems_.push_back({std::move(origin), std::move(message)});
    }

    void read_section(const std::string& name, const toml::node& node) {
        has_outbox_ = has_outbox_ || name == "outbox";
        if (name == "outbox" && node.is_array_of_tables()) {
            config_.outboxes.clear();
            read_bindings(name, node);
            return;
        }
        if (is_list(name)) {
            read_bindings(name, node);
            return;
        }
        if (std::ranges::find(section_names(), name) == section_names().end()) {
            report(at(node.source()),
                   "unknown section " + quoted(name) + suggestion(name, section_names()));
            return;
        }
        const toml::table* table = node.as_table();
        if (table == nullptr) {
            report(at(node.source()), quoted(name) + " has to be a section: [" + name + "]");
            return;
        }
        read_table(name, "", *table);
    }

    void read_bindings(const std::string& section, const toml::node& node) {
        const toml::array* list = node.as_array();
        if (list == nullptr || !list->is_array_of_tables()) {
            report(at(node.source()),
                   "this section is a list, written in double brackets: " + bracketed(section));
            return;
        }
        for (const toml::node& element : *list) {
            if (section == "inbox") {
                config_.inbox.emplace_back();
            } else if (section == "notify") {
                config_.notify.emplace_back();
            } else if (section == "outbox") {
                config_.outboxes.emplace_back();
            } else {
                config_.too_large.emplace_back();
            }
            origins_.elements[section].push_back(at(element.source()));
            seen_.clear();
            for (const Key& key : keys()) {
                if (key.section == section) {
                    assign_default(key);
                }
            }
            read_table(section, "", *element.as_table());
            for (const Key& key : keys()) {
                if (key.section == section && key.required && !seen_.contains(key.name)) {
                    report(at(element.source()),
                           full_name(section, key.name) + " is missing: " + std::string(key.help));
                }
            }
        }
    }

    // Dotted keys without quotes make nested tables (a.b = 1): they are put together again.  An
    // inline table is a value: { file = ... }.
    void read_table(const std::string& section, const std::string& prefix,
                    const toml::table& table) {
        for (const auto& [name, node] : table) {
            const std::string key = prefix + std::string(name.str());
            const toml::table* nested = node.as_table();
            if (nested != nullptr && !nested->is_inline()) {
                read_table(section, key + ".", *nested);
            } else {
                read_value(section, key, node);
            }
        }
    }

    void read_value(const std::string& section, const std::string& name, const toml::node& node) {
        const std::string origin = at(node.source());
        const Key* key = section == "kafka" ? nullptr : find_key(section, name);
        if (section == "capture" && name == "topic_prefix") {
            report(
                origin,
                "[capture] topic_prefix is written as Debezium's \"topic.prefix\" in [connector]");
            return;
        }
        if (section != "kafka" && key == nullptr) {
            if (const auto refusal = debezium_refusal(section, name)) {
                report(origin, *refusal);
                return;
            }
            report(origin, "unknown key " + quoted(name) + " in " + bracketed(section) +
                               suggestion(name, key_names(section)));
            return;
        }
        if (key != nullptr) {
            seen_.insert(key->name);
        }
        if (const toml::table* reference = node.as_table()) {
            const bool is_path = key != nullptr && key->type == "path";
            const auto value =
                is_path ? resolve_path(origin, *reference) : resolve_content(origin, *reference);
            if (value) {
                assign(section, name, key, *value, origin);
            }
            return;
        }
        const std::optional<std::string> text = scalar_text(node);
        if (!text) {
            report(origin, full_name(section, name) + " has to be " + wanted(key) + ", not " +
                               type_name(node));
            return;
        }
        if (key != nullptr && !type_fits(*key, node)) {
            report(origin, full_name(section, name) + " has to be " + wanted(key) + ", not " +
                               type_name(node));
            return;
        }
        if (holds_secret(section, name, key, *text) && privacy_ == Privacy::kReadableByOthers) {
            report(origin, full_name(section, name) +
                               " holds a secret, and the file can be read by group or others: "
                               "chmod 600 the file, or write { file = \"...\" } or "
                               "{ credential = \"...\" } in place of the value");
            return;
        }
        assign(section, name, key, *text, origin);
    }

    void read_variable(const std::string& name, const std::string& value) {
        for (const std::string& section : section_names()) {
            const std::string prefix = environment_name(section, "");
            if (!name.starts_with(prefix)) {
                continue;
            }
            if (is_list(section)) {
                report(name, "lists cannot be given by the environment; use " + bracketed(section) +
                                 " in a file");
                return;
            }
            if (section == "outbox") {
                if (origins_.elements.contains("outbox")) {
                    report(name, "[[outbox]] in the file cannot be overridden by the environment");
                    return;
                }
                has_outbox_ = true;
            }
            if (section == "kafka") {
                assign("kafka", kafka_name(name.substr(prefix.size())), nullptr, value, name);
                return;
            }
            std::vector<std::string> names;
            for (const Key& key : keys()) {
                if (key.section != section) {
                    continue;
                }
                names.push_back(environment_name(section, key.name));
                if (names.back() == name) {
                    assign(section, std::string(key.name), &key, value, name);
                    return;
                }
            }
            report(name, "unknown environment variable" + suggestion(name, names));
            return;
        }
        // Others (HOLDFAST_CONFIG, a container's own) are nobody's business here.
    }

    static std::string kafka_name(std::string name) {
        for (char& c : name) {
            c = c == '_' ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
        return name;
    }

    static std::string wanted(const Key* key) {
        if (key == nullptr) {
            return "a string, an integer, a boolean or { file = ... }";
        }
        if (key->type == "integer") {
            return "an integer" + (key->unit.empty() ? "" : " (" + std::string(key->unit) + ")");
        }
        return key->type == "boolean" ? "true or false" : "a string";
    }

    static std::string type_name(const toml::node& node) {
        std::ostringstream text;
        text << node.type();
        return text.str();
    }

    static bool type_fits(const Key& key, const toml::node& node) {
        if ((key.section == "connector" || key.section == "outbox") && node.is_string()) {
            return true;  // Connect's properties are all written as strings
        }
        if (key.type == "integer") {
            return node.is_integer();
        }
        return key.type == "boolean" ? node.is_boolean() : node.is_string();
    }

    static std::optional<std::string> scalar_text(const toml::node& node) {
        if (const auto* text = node.as_string()) {
            return text->get();
        }
        if (const auto* number = node.as_integer()) {
            return std::to_string(number->get());
        }
        if (const auto* flag = node.as_boolean()) {
            return flag->get() ? "true" : "false";
        }
        if (const auto* number = node.as_floating_point()) {
            std::ostringstream text;
            text << number->get();
            return text.str();
        }
        return std::nullopt;
    }

    static bool holds_secret(const std::string& section, const std::string& name, const Key* key,
                             const std::string& value) {
        if (section == "kafka") {
            return is_secret_kafka_property(name) && !value.empty();
        }
        if (key->sensitivity == Sensitivity::kPublic) {
            return false;
        }
        return name == "dsn" ? dsn_has_password(value) : !value.empty();
    }

    /// The path that { file = ... } or { credential = ... } means.
    std::optional<std::string> resolve_path(const std::string& origin,
                                            const toml::table& reference) {
        auto file = reference["file"].value<std::string>();
        const auto credential = reference["credential"].value<std::string>();
        if (reference.size() != 1 || (!file && !credential)) {
            report(origin,
                   "in place of a value there may be { file = \"path\" } or "
                   "{ credential = \"name\" }");
            return std::nullopt;
        }
        if (file) {
            return file;
        }
        const auto directory = variable(environment_, "CREDENTIALS_DIRECTORY");
        if (!directory || directory->empty()) {
            report(origin, "credential " + quoted(*credential) +
                               " is asked for, but $CREDENTIALS_DIRECTORY is not set: it comes "
                               "from systemd's LoadCredential=");
            return std::nullopt;
        }
        if (credential->empty() || credential->find('/') != std::string::npos) {
            report(origin, "a credential's name has no slash and is not empty");
            return std::nullopt;
        }
        return *directory + "/" + *credential;
    }

    std::optional<std::string> resolve_content(const std::string& origin,
                                               const toml::table& reference) {
        const auto path = resolve_path(origin, reference);
        if (!path) {
            return std::nullopt;
        }
        std::ifstream stream(*path, std::ios::binary);
        std::string content{std::istreambuf_iterator<char>(stream), {}};
        if (!stream.is_open() || stream.bad()) {
            report(origin, "cannot read " + *path + ": " + std::strerror(errno));
            return std::nullopt;
        }
        if (content.ends_with('\n')) {
            content.pop_back();
        }
        return content;
    }

    static void assign_default(const Key& key, std::string& place) { place = key.default_value; }
    static void assign_default(const Key& key, bool& place) { place = key.default_value == "true"; }
    static void assign_default(const Key& key, std::int64_t& place) {
        std::from_chars(key.default_value.data(),
                        key.default_value.data() + key.default_value.size(), place);
    }

    void assign_default(const Key& key) {
        std::visit(
            [&](auto target) {
                if constexpr (std::is_same_v<decltype(target), Kept>) {
                    config_.connector.values[std::string(key.name)] = key.default_value;
                } else {
                    assign_default(key, target(config_));
                }
            },
            key.target);
    }

    void assign(const std::string& section, const std::string& name, const Key* key,
                const std::string& value, const std::string& origin) {
        if (value.find('\0') != std::string::npos) {
            report(origin, full_name(section, name) + " contains a zero byte");
            return;
        }
        if (key == nullptr) {
            assign_kafka(name, value, origin);
            return;
        }
        if (key->required && value.empty()) {
            report(origin, full_name(section, name) + " is empty");
            return;
        }
        std::visit(
            [&](auto target) {
                if constexpr (std::is_same_v<decltype(target), Kept>) {
                    keep(*key, name, value, origin);
                } else {
                    store(*key, target(config_), value, origin);
                }
            },
            key->target);
        origins_.keys[full_name(section, name)] = origin;
    }

    /// Checks the value as its type demands, and keeps its text.
    void keep(const Key& key, const std::string& name, const std::string& value,
              const std::string& origin) {
        if (key.name != name) {
            config_.connector.named.push_back({name, value, origin});
            return;
        }
        const std::size_t problems = problems_.size();
        if (key.type == "integer") {
            std::int64_t number = 0;
            store(key, number, value, origin);
        } else if (key.type == "boolean") {
            bool flag = false;
            store(key, flag, value, origin);
        } else {
            std::string text;
            store(key, text, value, origin);
        }
        if (problems_.size() == problems) {
            config_.connector.values[name] = value;
        }
    }

    void assign_kafka(const std::string& name, const std::string& value,
                      const std::string& origin) {
        for (const RefusedProperty& refused : refused_kafka_properties()) {
            const bool all = refused.accepted == "all" && value == "-1";
            if (refused.name == name && (refused.accepted.empty() || value != refused.accepted) &&
                !all) {
                report(origin, "[kafka] " + name +
                                   " is not for the configuration: " + std::string(refused.reason) +
                                   (refused.accepted.empty()
                                        ? ""
                                        : " (only " + quoted(refused.accepted) + " is accepted)"));
                return;
            }
        }
        // The environment comes last and wins over the file.
        std::erase_if(config_.kafka,
                      [&](const KafkaProperty& property) { return property.name == name; });
        config_.kafka.push_back({name, value, origin});
    }

    void store(const Key& key, std::string& place, const std::string& value,
               const std::string& origin) {
        if (!key.choices.empty() && std::ranges::find(key.choices, value) == key.choices.end()) {
            if (key.name == "delivery" && value == "exactly-once") {
                report(origin,
                       "[capture] delivery \"exactly-once\" is not in this version: use "
                       "\"at-least-once\", and let consumers drop repeated event ids (header "
                       "\"id\"), as the inbox does");
                return;
            }
            std::string list;
            for (const std::string_view choice : key.choices) {
                list += (list.empty() ? "" : ", ") + quoted(choice);
            }
            report(origin, full_name(key.section, key.name) + " has to be one of " + list +
                               ", not " + quoted(value));
            return;
        }
        place = value;
    }

    void store(const Key& key, std::int64_t& place, const std::string& value,
               const std::string& origin) {
        std::int64_t number = 0;
        const auto [end, error] =
            std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc() || end != value.data() + value.size()) {
            report(origin, full_name(key.section, key.name) + " has to be " + wanted(&key));
        } else if (number < key.min || number > key.max) {
            report(origin, full_name(key.section, key.name) + " has to be from " +
                               std::to_string(key.min) + " to " + std::to_string(key.max) +
                               (key.unit.empty() ? "" : " " + std::string(key.unit)) + ", not " +
                               std::to_string(number));
        } else {
            place = number;
        }
    }

    void store(const Key& key, bool& place, const std::string& value, const std::string& origin) {
        if (value == "true" || value == "false") {
            place = value == "true";
        } else {
            report(origin, full_name(key.section, key.name) + " has to be true or false");
        }
    }

    Config config_;
    Privacy privacy_;
    const Environment& environment_;
    std::vector<Problem> problems_;
    Origins origins_;
    std::set<std::string_view> seen_;
    bool has_outbox_ = false;  ///< [outbox] is in the file, or in the environment
};

ConfigError unreadable(const std::string& path) {
    return ConfigError({{path, std::string("cannot be read: ") + std::strerror(errno)}});
}

}  // namespace

Environment process_environment() {
    Environment environment;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        environment.emplace_back(*entry);
    }
    return environment;
}

Config parse(std::string_view text, const std::string& name, Privacy privacy,
             const Environment& environment) {
    Loader loader(name, privacy, environment);
    loader.read_file(text);
    loader.read_environment();
    return loader.finish();
}

Config load(const std::string& path, const Environment& environment) {
    if (path.empty()) {
        return parse("", "environment", Privacy::kOwnerOnly, environment);
    }
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        throw unreadable(path);
    }
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) {
        throw ConfigError({{path, "is not a file"}});
    }
    std::ifstream stream(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (!stream.is_open() || stream.bad()) {
        throw unreadable(path);
    }
    return parse(text, path,
                 (status.st_mode & (S_IRGRP | S_IROTH)) != 0 ? Privacy::kReadableByOthers
                                                             : Privacy::kOwnerOnly,
                 environment);
}

}  // namespace holdfast::relay::config
