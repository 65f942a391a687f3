// The name that somebody who mistyped may have meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::relay::config {

/// Insertions, deletions, replacements and swaps of neighbours that lead from one word to the
/// other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate with the smallest distance, unless it is further away than a third of the word
/// (at least 2).
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 const std::vector<std::string>& candidates);

}  // namespace holdfast::relay::config
