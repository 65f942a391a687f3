// What one key alone cannot tell of a configuration: what is missing, names that do not fit, and
// what two sections claim for themselves.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace holdfast::relay::config {

/// Where a configuration was written: "file:line", or the name of an environment variable.
struct Origins {
    std::string file;
    std::map<std::string, std::string> keys;  ///< by full_name()
    /// Of sections in double brackets, by section: where each of them begins.
    std::map<std::string, std::vector<std::string>, std::less<>> elements;

    /// The file, when the key is not in it.
    [[nodiscard]] std::string of(std::string_view section, std::string_view name) const;
    /// Empty when there is none.
    [[nodiscard]] const std::vector<std::string>& of_elements(std::string_view section) const;
};

[[nodiscard]] std::vector<Problem> inconsistencies(const Config& config, const Origins& origins);

}  // namespace holdfast::relay::config
