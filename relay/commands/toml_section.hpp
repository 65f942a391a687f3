// A configuration file while it is written: lines of one section, with what TOML asks to be quoted.
//
// Source: TOML v1.0.0, "Keys" and "String".
#pragma once

#include <string>
#include <string_view>

namespace holdfast::relay::commands {

/// A basic string.  `text` is UTF-8.
[[nodiscard]] std::string toml_string(std::string_view text);

class TomlSection {
 public:
    /// `header` is the name in its brackets, as [kafka] or [[outbox]].
    explicit TomlSection(std::string header);

    /// `value` is TOML already; the key is quoted where it has to be.
    void add(std::string_view key, const std::string& value);
    /// `text` is one line.
    void comment(const std::string& text);

    /// Behind an empty line; "" as long as nothing was added.
    [[nodiscard]] std::string text() const;

 private:
    std::string header_;
    std::string lines_;
};

}  // namespace holdfast::relay::commands
