// PostgreSQL's text form of a one-dimensional array, '{"a","b",NULL}', built in one reused buffer,
// so that a batch of messages is a handful of parameters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::relay::postgres {

class ArrayLiteral {
 public:
    ArrayLiteral() { clear(); }

    /// Empties the array and keeps the memory.
    void clear();
    /// Any text without NUL; quotes and backslashes are escaped.
    void append(std::string_view text);
    void append(std::int64_t number);
    void append_null();

    /// Closes the literal; valid until the next append or clear().
    [[nodiscard]] const char* c_str();

 private:
    void separate();

    std::string literal_;
    bool closed_ = false;
};

}  // namespace holdfast::relay::postgres
