// Regular expressions of java.util.regex, as Debezium's options hold them.  Patterns become
// ECMAScript's with Java's named groups.  What Java knows and ECMAScript does not (look-behind,
// inline flags, possessive quantifiers, \p{...}, classes inside of classes) is refused, never
// reinterpreted.
#pragma once

#include <cstddef>
#include <map>
#include <regex>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::relay::debezium {

/// What is wrong with a pattern.
class JavaPatternError : public std::invalid_argument {
 public:
    using std::invalid_argument::invalid_argument;
};

/// A Java pattern in ECMAScript's words.
struct EcmaPattern {
    std::string text;
    std::map<std::string, std::size_t, std::less<>> names;  ///< numbers of the named groups
    std::size_t groups = 0;
};

/// Throws JavaPatternError.
[[nodiscard]] EcmaPattern translate_java_pattern(std::string_view java);

/// The expressions of an include or exclude list: anchored at both ends, upper and lower case of
/// ASCII letters are the same, a `.` is one character of the UTF-8 text.  Thread-safe once made.
class PatternList {
 public:
    PatternList() = default;
    /// Throws JavaPatternError naming the pattern.
    explicit PatternList(std::span<const std::string> patterns);

    [[nodiscard]] bool empty() const noexcept { return patterns_.empty(); }
    /// Whether one of them matches the whole text.  Slow: callers keep the result.
    [[nodiscard]] bool matches(std::string_view text) const;

 private:
    std::vector<std::wregex> patterns_;
};

}  // namespace holdfast::relay::debezium
