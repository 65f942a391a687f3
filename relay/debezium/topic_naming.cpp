#include "debezium/topic_naming.hpp"

#include <initializer_list>

#include "debezium/java_string.hpp"

namespace holdfast::relay::debezium {

namespace {

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\n\r\f\v") == std::string_view::npos;
}

bool is_topic_character(char16_t unit) {
    return (unit >= u'a' && unit <= u'z') || (unit >= u'A' && unit <= u'Z') ||
           (unit >= u'0' && unit <= u'9') || unit == u'.' || unit == u'_' || unit == u'-';
}

std::string sanitized(std::string_view name) {
    constexpr std::size_t kMaxLength = 249;
    std::string topic;
    for_each_utf16_unit(name, [&topic](char16_t unit) {
        topic += is_topic_character(unit) ? static_cast<char>(unit) : '_';
    });
    if (topic.size() > kMaxLength) {
        topic.resize(kMaxLength);
    } else if (topic == "." || topic == "..") {
        topic.assign(topic.size(), '_');
    }
    return topic;
}

}  // namespace

std::string data_change_topic(const ConnectorOptions& options, std::string_view schema,
                              std::string_view table) {
    std::string name;
    for (const std::string_view part : {std::string_view(options.topic_prefix), schema, table}) {
        if (is_blank(part)) {
            continue;
        }
        if (!name.empty()) {
            name += options.topic_delimiter;
        }
        name += part;
    }
    return sanitized(name);
}

std::string transaction_topic(const ConnectorOptions& options) {
    return options.topic_prefix + options.topic_delimiter + options.topic_transaction;
}

std::string heartbeat_topic(const ConnectorOptions& options) {
    return options.topic_heartbeat_name.empty()
               ? options.topic_heartbeat_prefix + options.topic_delimiter + options.topic_prefix
               : options.topic_heartbeat_name;
}

std::string message_topic(const ConnectorOptions& options) {
    return options.topic_prefix + ".message";
}

}  // namespace holdfast::relay::debezium
