// Positions in PostgreSQL's write-ahead log, and transaction ids.
//
// Both are types of their own, so that neither can be mistaken for a count or for one another.
// Source: PostgreSQL manual, "pg_lsn Type" and "Transactions and Identifiers".
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::relay {

/// A byte position in the WAL.  0 is "none": no record starts there.
struct Lsn {
    std::uint64_t value = 0;

    auto operator<=>(const Lsn&) const = default;

    /// Reads "16/B374D848": two hexadecimal halves of up to eight digits, nothing around them.
    /// Anything else gives nullopt.
    [[nodiscard]] static std::optional<Lsn> parse(std::string_view text);

    /// As PostgreSQL prints it: "16/B374D848".
    [[nodiscard]] std::string to_string() const;
};

/// A 32-bit transaction id.  It wraps around: compare for equality only.
struct Xid {
    std::uint32_t value = 0;

    bool operator==(const Xid&) const = default;
};

}  // namespace holdfast::relay
