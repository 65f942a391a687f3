#include "debezium/topic_router.hpp"

#include <algorithm>
#include <utility>

#include "debezium/java_pattern.hpp"

namespace holdfast::relay::debezium {

namespace {

[[noreturn]] void bad_regex(const std::string& what) {
    throw TopicRouterError("route.topic.regex: " + what);
}

[[noreturn]] void bad_replacement(const std::string& what) {
    throw TopicRouterError("route.topic.replacement: " + what);
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

TopicRouter::TopicRouter(std::string_view regex, std::string_view replacement) {
    try {
        EcmaPattern pattern = translate_java_pattern(regex);
        group_names_ = std::move(pattern.names);
        group_count_ = pattern.groups;
        regex_ = std::regex(pattern.text, std::regex::ECMAScript | std::regex::optimize);
    } catch (const JavaPatternError& error) {
        bad_regex(error.what());
    } catch (const std::regex_error& error) {
        bad_regex(std::string("not a regular expression: ") + error.what());
    }
    parse_replacement(replacement);
}

void TopicRouter::parse_replacement(std::string_view replacement) {
    const auto literal = [&](char c) {
        if (pieces_.empty() || pieces_.back().is_group) {
            pieces_.push_back({});
        }
        pieces_.back().text += c;
    };
    for (std::size_t i = 0; i < replacement.size(); ++i) {
        const char c = replacement[i];
        if (c == '\\') {
            if (++i == replacement.size()) {
                bad_replacement("it ends with a backslash");
            }
            literal(replacement[i]);
        } else if (c != '$') {
            literal(c);
        } else if (++i < replacement.size() && replacement[i] == '{') {
            const std::size_t end = replacement.find('}', i);
            const std::string name(
                replacement.substr(i + 1, end == std::string_view::npos ? end : end - i - 1));
            const auto group = group_names_.find(name);
            if (end == std::string_view::npos || group == group_names_.end()) {
                bad_replacement("route.topic.regex has no group named \"" + name + "\"");
            }
            pieces_.push_back({{}, group->second, true});
            i = end;
        } else if (i < replacement.size() && is_digit(replacement[i])) {
            // As Java: the first digit always belongs to the number, further ones only while a
            // group of that number exists.
            auto group = static_cast<std::size_t>(replacement[i] - '0');
            while (i + 1 < replacement.size() && is_digit(replacement[i + 1])) {
                const std::size_t longer =
                    (group * 10) + static_cast<std::size_t>(replacement[i + 1] - '0');
                if (longer > group_count_) {
                    break;
                }
                group = longer;
                ++i;
            }
            if (group > group_count_) {
                bad_replacement("route.topic.regex has no group " + std::to_string(group));
            }
            pieces_.push_back({{}, group, true});
        } else {
            bad_replacement("a $ is followed by a number or a {name}; write \\$ for a dollar sign");
        }
    }
}

std::string TopicRouter::apply(const std::string& value) const {
    std::smatch match;
    if (!std::regex_match(value, regex_) || !std::regex_search(value, match, regex_)) {
        return value;
    }
    std::string topic = match.prefix().str();
    for (const Piece& piece : pieces_) {
        topic += piece.is_group ? match[piece.group].str() : piece.text;
    }
    topic += match.suffix().str();
    return topic;
}

bool is_legal_topic(std::string_view name) {
    constexpr std::size_t kMaxLength = 249;
    return !name.empty() && name.size() <= kMaxLength && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
           });
}

}  // namespace holdfast::relay::debezium
