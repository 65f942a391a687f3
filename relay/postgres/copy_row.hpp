// A row in the text format of COPY.
//
// Source: PostgreSQL manual, "COPY", File Formats, Text Format.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace holdfast::relay::postgres {

struct CopyField {
    bool is_null = false;
    std::string_view text;  ///< views the row

    bool operator==(const CopyField&) const = default;
};

/// Takes the row apart in place: what was escaped in `row` is not any more.  `row` ends in a
/// newline or not.  The fields are put into `fields`, instead of what was there.
void split_copy_row(std::span<char> row, std::vector<CopyField>& fields);

}  // namespace holdfast::relay::postgres
