#include "postgres/array_literal.hpp"

#include <array>
#include <charconv>

namespace holdfast::relay::postgres {

void ArrayLiteral::clear() {
    literal_.assign(1, '{');
    closed_ = false;
}

void ArrayLiteral::separate() {
    if (closed_) {
        literal_.pop_back();
        closed_ = false;
    }
    if (literal_.size() > 1) {
        literal_ += ',';
    }
}

void ArrayLiteral::append(std::string_view text) {
    separate();
    literal_ += '"';
    // Runs between the two characters that need a backslash are copied as they are.
    std::size_t from = 0;
    for (std::size_t at = text.find_first_of("\"\\"); at != std::string_view::npos;
         at = text.find_first_of("\"\\", at + 1)) {
        literal_.append(text, from, at - from);
        literal_ += '\\';
        from = at;
    }
    literal_.append(text, from);
    literal_ += '"';
}

void ArrayLiteral::append(std::int64_t number) {
    separate();
    std::array<char, 24> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    literal_.append(digits.data(), end);
}

void ArrayLiteral::append_null() {
    separate();
    literal_ += "NULL";
}

const char* ArrayLiteral::c_str() {
    if (!closed_) {
        literal_ += '}';
        closed_ = true;
    }
    return literal_.c_str();
}

}  // namespace holdfast::relay::postgres
