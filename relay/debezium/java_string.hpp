// What Java's String does with UTF-16, done with UTF-8: Debezium counts, cuts and hashes text by
// UTF-16 units, and its messages show it.
//
// Sources: java.lang.String; Java Object Serialization Specification, "Stream Elements"; java.io
// DataInput, "Modified UTF-8".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::relay::debezium {

/// The code point at `at`, which moves behind it.  A byte that is not UTF-8 gives U+FFFD.
[[nodiscard]] char32_t next_code_point(std::string_view utf8, std::size_t& at);

/// Calls `unit(char16_t)` for each UTF-16 unit.
template <typename Unit>
void for_each_utf16_unit(std::string_view utf8, Unit unit) {
    constexpr char32_t kFirstPair = 0x10000;
    for (std::size_t at = 0; at < utf8.size();) {
        const char32_t point = next_code_point(utf8, at);
        if (point < kFirstPair) {
            unit(static_cast<char16_t>(point));
        } else {
            unit(static_cast<char16_t>(0xD800U + ((point - kFirstPair) >> 10U)));
            unit(static_cast<char16_t>(0xDC00U + ((point - kFirstPair) & 0x3FFU)));
        }
    }
}

/// Appends what ObjectOutputStream.writeObject() makes of a String, stream header included.
void append_java_serialized(std::string_view utf8, std::string& bytes);

}  // namespace holdfast::relay::debezium
