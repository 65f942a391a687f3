#include "debezium/java_pattern.hpp"

#include <algorithm>

#include "debezium/java_string.hpp"

namespace holdfast::relay::debezium {

namespace {

[[noreturn]] void bad_pattern(const std::string& what) {
    throw JavaPatternError(what);
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

    EcmaPattern result;

 private:
    void one() {
        const char c = java_[next_];
        if (c == '\\') {
            escape();
            return;
        }
        if (c == '[') {
            if (in_class_) {
                bad_pattern("a class inside of a class is not supported");
            }
            in_class_ = true;
        } else if (c == ']') {
            in_class_ = false;
        } else if (c == '&' && in_class_ && java_.substr(next_).starts_with("&&")) {
            bad_pattern("an intersection of classes (&&) is not supported");
        } else if (c == '(' && !in_class_) {
            group();
            return;
        } else if (c == '+' && !in_class_ && after_quantifier_) {
            bad_pattern("possessive quantifiers are not supported");
        }
        after_quantifier_ = c == '*' || c == '+' || c == '?' || c == '}';
        result.text += c;
        ++next_;
    }

    void escape() {
        constexpr std::string_view kSame = "dDwWsSbBtnrfv";
        if (next_ + 1 == java_.size()) {
            bad_pattern("it ends with a backslash");
        }
        const char c = java_[next_ + 1];
        if (is_letter(c) && kSame.find(c) == std::string_view::npos) {
            bad_pattern(std::string("\\") + c + " is not supported");
        }
        result.text += '\\';
        result.text += c;
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
                bad_pattern("a group's name is letters and digits: \"" + name + "\"");
            }
            if (!result.names.emplace(name, ++result.groups).second) {
                bad_pattern("two groups are named \"" + name + "\"");
            }
            result.text += '(';
            next_ += end + 1;
        } else if (starts("(?:") || starts("(?=") || starts("(?!")) {
            result.text += rest.substr(0, 3);
            next_ += 3;
        } else if (starts("(?")) {
            bad_pattern("\"" + std::string(rest.substr(0, 4)) + "\" is not supported");
        } else {
            ++result.groups;
            result.text += '(';
            ++next_;
        }
    }

    std::string_view java_;
    std::size_t next_ = 0;
    bool in_class_ = false;
    bool after_quantifier_ = false;
};

/// One character per code point, so that a `.` takes a whole one.
std::wstring widen(std::string_view utf8) {
    std::wstring wide;
    for (std::size_t at = 0; at < utf8.size();) {
        wide += static_cast<wchar_t>(next_code_point(utf8, at));
    }
    return wide;
}

}  // namespace

EcmaPattern translate_java_pattern(std::string_view java) {
    return Translation(java).result;
}

PatternList::PatternList(std::span<const std::string> patterns) {
    for (const std::string& pattern : patterns) {
        try {
            patterns_.emplace_back(
                widen(translate_java_pattern(pattern).text),
                std::wregex::ECMAScript | std::wregex::icase | std::wregex::optimize);
        } catch (const JavaPatternError& error) {
            bad_pattern("\"" + pattern + "\": " + error.what());
        } catch (const std::regex_error& error) {
            bad_pattern("\"" + pattern + "\": not a regular expression: " + error.what());
        }
    }
}

bool PatternList::matches(std::string_view text) const {
    if (patterns_.empty()) {
        return false;
    }
    const std::wstring wide = widen(text);
    return std::any_of(patterns_.begin(), patterns_.end(), [&wide](const std::wregex& pattern) {
        return std::regex_match(wide, pattern);
    });
}

}  // namespace holdfast::relay::debezium
