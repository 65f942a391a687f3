#include "debezium/topic_router.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

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

/// A Java pattern as ECMAScript, with the numbers of its named groups.
class Translation {
 public:
    explicit Translation(std::string_view java) : java_(java) {
        while (next_ < java_.size()) {
            one();
        }
    }

    std::string pattern;
    std::map<std::string, std::size_t, std::less<>> names;
    std::size_t groups = 0;

 private:
    void one() {
        const char c = java_[next_];
        if (c == '\\') {
            escape();
            return;
        }
        if (c == '[') {
            if (in_class_) {
                bad_regex("a class inside of a class is not supported");
            }
            in_class_ = true;
        } else if (c == ']') {
            in_class_ = false;
        } else if (c == '(' && !in_class_) {
            group();
            return;
        } else if (c == '+' && !in_class_ && after_quantifier_) {
            bad_regex("possessive quantifiers are not supported");
        }
        after_quantifier_ = c == '*' || c == '+' || c == '?' || c == '}';
        pattern += c;
        ++next_;
    }

    void escape() {
        constexpr std::string_view kSame = "dDwWsSbBtnrfv";
        if (next_ + 1 == java_.size()) {
            bad_regex("it ends with a backslash");
        }
        const char c = java_[next_ + 1];
        if (is_letter(c) && kSame.find(c) == std::string_view::npos) {
            bad_regex(std::string("\\") + c + " is not supported");
        }
        pattern += '\\';
        pattern += c;
        next_ += 2;
        after_quantifier_ = false;
    }

    void group() {
        after_quantifier_ = false;
        const std::string_view rest = java_.substr(next_);
        const auto starts = [&](std::string_view text) { return rest.starts_with(text); };
        if (starts("(?<") && !starts("(?<=") && !starts("(?<!")) {
            const std::size_t end = rest.find('>');
            const std::string name(rest.substr(3, end == std::string_view::npos ? end : end - 3));
            if (end == std::string_view::npos || name.empty() || !is_letter(name.front()) ||
                !std::all_of(name.begin(), name.end(),
                             [](char c) { return is_letter(c) || is_digit(c); })) {
                bad_regex("a group's name is letters and digits: \"" + name + "\"");
            }
            if (!names.emplace(name, ++groups).second) {
                bad_regex("two groups are named \"" + name + "\"");
            }
            pattern += '(';
            next_ += end + 1;
        } else if (starts("(?:") || starts("(?=") || starts("(?!")) {
            pattern += rest.substr(0, 3);
            next_ += 3;
        } else if (starts("(?")) {
            bad_regex("\"" + std::string(rest.substr(0, 4)) + "\" is not supported");
        } else {
            ++groups;
            pattern += '(';
            ++next_;
        }
    }

    std::string_view java_;
    std::size_t next_ = 0;
    bool in_class_ = false;
    bool after_quantifier_ = false;
};

}  // namespace

TopicRouter::TopicRouter(std::string_view regex, std::string_view replacement) {
    Translation translation(regex);
    group_names_ = std::move(translation.names);
    group_count_ = translation.groups;
    try {
        regex_ = std::regex(translation.pattern, std::regex::ECMAScript | std::regex::optimize);
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
