#include "config/consistency.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <iterator>
#include <regex>
#include <set>
#include <string_view>
#include <utility>

#include "base/errors.hpp"
#include "base/url.hpp"
#include "config/keys.hpp"

namespace holdfast::relay::config {
namespace {

/// A token of RFC 9110, and none of the headers that are the request's own.
bool is_header_name(std::string_view name) {
    constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
    std::string lower;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte > '~' || std::isalnum(byte) == 0) &&
            kTokenMarks.find(c) == std::string_view::npos) {
            return false;
        }
        lower += static_cast<char>(std::tolower(byte));
    }
    constexpr std::string_view kOwn[] = {"host",       "content-type",      "content-length",
                                         "connection", "transfer-encoding", "user-agent"};
    return !name.empty() && std::ranges::find(kOwn, lower) == std::end(kOwn) &&
           !lower.starts_with("holdfast-");
}

class Check {
 public:
    Check(const Config& config, const Origins& origins) : config_(config), origins_(origins) {}

    std::vector<Problem> run() {
        check_slot_name();
        check_listen();
        check_connector();
        check_outboxes();
        if (config_.postgres.publication.empty()) {
            report(origins_.of("postgres", "publication"), "[postgres] publication is empty");
        }
        for (const char c : config_.postgres.system_identifier) {
            if (c < '0' || c > '9') {
                report(origins_.of("postgres", "system_identifier"),
                       "[postgres] system_identifier is a number, as "
                       "pg_control_system() shows it");
                break;
            }
        }
        if (!kafka_property(config_, "bootstrap.servers") &&
            !kafka_property(config_, "metadata.broker.list")) {
            report(origins_.file,
                   "[kafka] \"bootstrap.servers\" is missing: the brokers' host:port, "
                   "separated by commas");
        }
        check_bindings();
        check_notifications();
        check_too_large();
        return std::move(problems_);
    }

 private:
    void report(std::string origin, std::string message) {
        problems_.push_back({std::move(origin), std::move(message)});
    }

    void check_slot_name() {
        const std::string& slot = config_.postgres.slot;
        const bool good =
            !slot.empty() && slot.size() <= 63 &&
            slot.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
        if (!good) {
            report(origins_.of("postgres", "slot"),
                   "[postgres] slot may have up to 63 lower case letters, digits and underscores");
        }
    }

    void check_listen() {
        const std::string& listen = config_.http.listen;
        if (listen.empty()) {
            return;
        }
        const std::size_t colon = listen.rfind(':');
        int port = -1;
        if (colon != std::string::npos && colon > 0) {
            const char* begin = listen.data() + colon + 1;
            const char* end = listen.data() + listen.size();
            const auto [stop, error] = std::from_chars(begin, end, port);
            port = error == std::errc() && stop == end ? port : -1;
        }
        if (port < 0 || port > 65'535) {
            report(
                origins_.of("http", "listen"),
                "[http] listen has to be host:port, as \"127.0.0.1:9464\", not " + quoted(listen));
        }
    }

    void check_connector() {
        if (config_.connector.has_change_events()) {
            return;
        }
        const auto given = std::ranges::find_if(origins_.keys, [](const auto& origin) {
            return origin.first.starts_with(bracketed("connector")) &&
                   origin.first != full_name("connector", "topic.prefix");
        });
        if (given != origins_.keys.end()) {
            report(given->second,
                   "[connector] topic.prefix is missing: without it no table becomes change "
                   "events, whatever else the section says; leave all of it out if none should");
        }
    }

    void check_outboxes() {
        std::set<std::string_view> tables;
        for (std::size_t i = 0; i < config_.outboxes.size(); ++i) {
            const std::vector<std::string>& origins = origins_.of_elements("outbox");
            const std::string origin =
                i < origins.size() ? origins[i] : origins_.of("outbox", "table");
            const std::string& table = config_.outboxes[i].table;
            const std::size_t dot = table.find('.');
            if (dot == std::string::npos || dot == 0 || dot + 1 == table.size()) {
                report(origin, "[outbox] table has to be schema.table, not " + quoted(table));
            } else if (!tables.insert(table).second) {
                report(origin, "table " + quoted(table) + " is already an outbox");
            }
        }
    }

    void check_bindings() {
        const std::vector<std::string>& origins = origins_.of_elements("inbox");
        for (std::size_t i = 0; i < config_.inbox.size(); ++i) {
            const InboxBinding& binding = config_.inbox[i];
            check_binding("inbox", binding.topic, binding.group, origins[i]);
            if (!binding.call.empty() && binding.call.find('.') == std::string::npos) {
                report(origins[i],
                       "[[inbox]] call needs its schema, as "
                       "\"holdfast.on_order_failed\", not " +
                           quoted(binding.call));
            }
        }
    }

    void check_notifications() {
        const std::vector<std::string>& origins = origins_.of_elements("notify");
        for (std::size_t i = 0; i < config_.notify.size(); ++i) {
            const NotifyBinding& binding = config_.notify[i];
            check_binding("notify", binding.topic, binding.group, origins[i]);
            if (!binding.url.empty()) {
                try {
                    static_cast<void>(parse_url(binding.url));
                } catch (const Error& error) {
                    report(origins[i], std::string("[[notify]] url: ") + error.what());
                }
            }
            if (!is_header_name(binding.secret_header)) {
                report(origins[i],
                       "[[notify]] secret_header has to be the name of an HTTP header, not " +
                           quoted(binding.secret_header));
            }
            // Without the text: it is the secret.
            if (std::ranges::any_of(binding.secret, [](char c) { return c < ' ' || c > '~'; })) {
                report(origins[i],
                       "[[notify]] secret has a character that no HTTP header can carry, such as a "
                       "line break");
            }
        }
    }

    void check_too_large() {
        const std::vector<std::string>& origins = origins_.of_elements("too_large");
        for (std::size_t i = 0; i < config_.too_large.size(); ++i) {
            try {
                const std::regex expression(config_.too_large[i].topic);
            } catch (const std::regex_error& error) {
                report(origins[i], "[[too_large]] topic " + quoted(config_.too_large[i].topic) +
                                       " is neither a topic nor an expression: " + error.what());
            }
        }
    }

    void check_binding(const std::string& section, const std::string& topic,
                       const std::string& group, const std::string& origin) {
        if (group.empty()) {
            report(origin, full_name(section, "group") + " is empty");
        }
        if (!topic.empty() && !bound_.emplace(group, topic).second) {
            report(origin, "topic " + quoted(topic) + " is already bound in group " +
                               quoted(group) + ": give this binding a group of its own");
        }
    }

    const Config& config_;
    const Origins& origins_;
    std::vector<Problem> problems_;
    std::set<std::pair<std::string, std::string>> bound_;  ///< group, topic
};

}  // namespace

std::string Origins::of(std::string_view section, std::string_view name) const {
    const auto found = keys.find(full_name(section, name));
    return found == keys.end() ? file : found->second;
}

const std::vector<std::string>& Origins::of_elements(std::string_view section) const {
    static const std::vector<std::string> none;
    const auto found = elements.find(section);
    return found == elements.end() ? none : found->second;
}

std::vector<Problem> inconsistencies(const Config& config, const Origins& origins) {
    return Check(config, origins).run();
}

}  // namespace holdfast::relay::config
