#include "postgres/copy_row.hpp"

#include <cstring>

namespace holdfast::relay::postgres {
namespace {

/// COPY TO writes these letters; every other character behind a backslash stands for itself.
char unescaped(char c) {
    switch (c) {
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        case 'v':
            return '\v';
        default:
            return c;
    }
}

CopyField make_field(char* begin, const char* end) {
    if (end - begin == 2 && begin[0] == '\\' && begin[1] == 'N') {
        return {.is_null = true, .text = {}};
    }
    const auto size = static_cast<std::size_t>(end - begin);
    auto* escape = static_cast<char*>(std::memchr(begin, '\\', size));
    if (escape == nullptr) {
        return {.is_null = false, .text = {begin, size}};
    }
    char* to = escape;
    for (const char* from = escape; from != end; ++from) {
        if (*from == '\\' && from + 1 != end) {
            ++from;
            *to++ = unescaped(*from);
        } else {
            *to++ = *from;
        }
    }
    return {.is_null = false, .text = {begin, static_cast<std::size_t>(to - begin)}};
}

}  // namespace

void split_copy_row(std::span<char> row, std::vector<CopyField>& fields) {
    fields.clear();
    char* begin = row.data();
    char* const end = row.data() + row.size() - (!row.empty() && row.back() == '\n' ? 1 : 0);
    while (true) {
        // A tab within a value is escaped.
        auto* tab =
            static_cast<char*>(std::memchr(begin, '\t', static_cast<std::size_t>(end - begin)));
        fields.push_back(make_field(begin, tab == nullptr ? end : tab));
        if (tab == nullptr) {
            return;
        }
        begin = tab + 1;
    }
}

}  // namespace holdfast::relay::postgres
