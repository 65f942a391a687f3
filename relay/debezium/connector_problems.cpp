// find_problems(): everything that is wrong with the connector's options, by their names.
#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "debezium/change_events.hpp"
#include "debezium/column_mapper.hpp"
#include "debezium/java_pattern.hpp"
#include "debezium/key_columns.hpp"
#include "debezium/topic_naming.hpp"
#include "debezium/topic_router.hpp"

namespace holdfast::relay::debezium {

namespace {

using Problems = std::vector<std::string>;

bool is_topic_part(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
}

void check_topics(const ConnectorOptions& options, Problems& problems) {
    using Part = std::pair<std::string_view, std::string_view>;
    const std::array<Part, 5> parts{{{"topic.prefix", options.topic_prefix},
                                     {"topic.delimiter", options.topic_delimiter},
                                     {"topic.transaction", options.topic_transaction},
                                     {"topic.heartbeat.prefix", options.topic_heartbeat_prefix},
                                     {"topic.heartbeat.name", options.topic_heartbeat_name}}};
    bool legal = true;
    for (const auto& [name, text] : parts) {
        if (!is_topic_part(text)) {
            problems.push_back(std::string(name) + ": \"" + std::string(text) +
                               "\" has characters other than letters, digits, '.', '_' and '-'");
            legal = false;
        }
    }
    for (const std::string& topic :
         {transaction_topic(options), heartbeat_topic(options), message_topic(options)}) {
        if (legal && !is_legal_topic(topic)) {
            problems.push_back("topic.prefix: Kafka does not take \"" + topic + "\" as a topic");
        }
    }
}

void check_list(std::string_view name, const std::vector<std::string>& include,
                const std::vector<std::string>& exclude, Problems& problems) {
    const std::string stem(name);
    if (!include.empty() && !exclude.empty()) {
        problems.push_back(stem + ".exclude.list: " + stem +
                           ".include.list is set too, and only one of them can be");
    }
    for (const bool is_include : {true, false}) {
        try {
            const PatternList list(is_include ? include : exclude);
        } catch (const JavaPatternError& error) {
            problems.push_back(stem + (is_include ? ".include.list: " : ".exclude.list: ") +
                               error.what());
        }
    }
}

void check_columns(const ConnectorOptions& options, Problems& problems) {
    // Rule by rule, so that each that is wrong is told.
    const auto check = [&problems](const ConnectorOptions& one) {
        try {
            const ColumnMapper mapper(one);
        } catch (const std::invalid_argument& error) {
            problems.emplace_back(error.what());
        }
    };
    using Rules = std::vector<ColumnRule> ConnectorOptions::*;
    for (const Rules rules :
         {&ConnectorOptions::truncate_to_chars, &ConnectorOptions::mask_with_chars,
          &ConnectorOptions::mask_hash, &ConnectorOptions::mask_hash_v2}) {
        for (const ColumnRule& rule : options.*rules) {
            ConnectorOptions one;
            (one.*rules).push_back(rule);
            check(one);
        }
    }
    ConnectorOptions propagate;
    propagate.column_propagate_source_type = options.column_propagate_source_type;
    check(propagate);
    propagate.column_propagate_source_type.clear();
    propagate.datatype_propagate_source_type = options.datatype_propagate_source_type;
    check(propagate);
    try {
        const KeyColumns keys(options.message_key_columns);
    } catch (const JavaPatternError& error) {
        problems.push_back(std::string("message.key.columns: ") + error.what());
    }
}

void check_converters(const ConnectorOptions& options, Problems& problems) {
    const auto check = [&problems](std::string_view name, const ConverterOptions& converter) {
        const bool is_json = converter.converter == Converter::kJson ||
                             (converter.converter == Converter::kBinaryData &&
                              converter.delegate == Converter::kJson);
        if (!is_json) {
            problems.push_back(std::string(name) +
                               ": change events are structs, which only JsonConverter (or "
                               "BinaryDataConverter that delegates to it) turns into a message");
        }
    };
    check("key.converter", options.key_converter);
    check("value.converter", options.value_converter);
    if (options.header_converter.converter == Converter::kJson) {
        if (options.header_converter.decimal_format_numeric !=
            options.key_converter.decimal_format_numeric) {
            problems.emplace_back(
                "header.converter.decimal.format: it has to be that of key.converter");
        }
    } else if (options.header_converter.converter != Converter::kSimpleHeader) {
        problems.emplace_back(
            "header.converter: headers of change events need SimpleHeaderConverter or "
            "JsonConverter");
    }
}

void check_operations(const std::string& operations, Problems& problems) {
    if (operations != "none" && operations.find_first_not_of("cudt, ") != std::string::npos) {
        problems.push_back("skipped.operations: \"" + operations +
                           "\" is neither none nor made of c, u, d and t");
    }
}

}  // namespace

std::vector<std::string> find_problems(const ConnectorOptions& options) {
    Problems problems;
    check_topics(options, problems);
    check_list("schema", options.schema_include_list, options.schema_exclude_list, problems);
    check_list("table", options.table_include_list, options.table_exclude_list, problems);
    check_list("column", options.column_include_list, options.column_exclude_list, problems);
    check_list("message.prefix", options.message_prefix_include_list,
               options.message_prefix_exclude_list, problems);
    check_columns(options, problems);
    check_operations(options.skipped_operations, problems);
    check_converters(options, problems);
    return problems;
}

}  // namespace holdfast::relay::debezium
