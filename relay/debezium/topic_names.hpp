// The topics that records go to, numbered in order of first mention, so that a record carries a
// number instead of a name.  One for all that make records for the same sink.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace holdfast::relay::debezium {

/// Not thread-safe.  Only ever grows; names stay where they are.
class TopicNames {
 public:
    /// Number of that topic.  Linear in the number of topics: callers keep the result.
    std::uint32_t add(std::string_view name) {
        for (std::uint32_t index = 0; index < names_.size(); ++index) {
            if (names_[index] == name) {
                return index;
            }
        }
        names_.emplace_back(name);
        return static_cast<std::uint32_t>(names_.size() - 1);
    }
    [[nodiscard]] const std::string& operator[](std::uint32_t index) const { return names_[index]; }
    [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }

 private:
    std::deque<std::string> names_;
};

}  // namespace holdfast::relay::debezium
