// route.topic.regex and route.topic.replacement: from the value of the routing column to the name
// of a topic, with the semantics of java.util.regex that Debezium's users know: when the whole
// value matches, the first match in it is replaced; otherwise the value is the topic.
//
// Patterns are Java's as far as java_pattern.hpp takes them.
#pragma once

#include <cstddef>
#include <map>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::relay::debezium {

/// What is wrong with a pattern or a replacement; names the option.
class TopicRouterError : public std::invalid_argument {
 public:
    using std::invalid_argument::invalid_argument;
};

/// Thread-safe once made.
class TopicRouter {
 public:
    /// `replacement` is Java's: `$1`, `${name}`, and `\` before a character that is meant
    /// literally.  Throws TopicRouterError.
    TopicRouter(std::string_view regex, std::string_view replacement);

    [[nodiscard]] std::string apply(const std::string& value) const;

 private:
    /// A piece of the replacement: a group if `group` is set, else `text`.
    struct Piece {
        std::string text;
        std::size_t group = 0;
        bool is_group = false;
    };

    void parse_replacement(std::string_view replacement);

    std::map<std::string, std::size_t, std::less<>> group_names_;
    std::size_t group_count_ = 0;
    std::regex regex_;
    std::vector<Piece> pieces_;
};

/// Whether Kafka takes it as a name: 1 to 249 of [a-zA-Z0-9._-], but neither "." nor "..".
[[nodiscard]] bool is_legal_topic(std::string_view name);

}  // namespace holdfast::relay::debezium
