// The members of one JSON object, one level deep: strings unescaped, everything else as its bytes
// in the text.  For header objects and logical messages; not a document model.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::relay::debezium {

/// The text is not one JSON object; says where.  Holds nothing of the text itself.
class JsonError : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

struct Member {
    enum class Kind { kNull, kString, kScalar, kObject, kArray };  ///< kScalar: number or boolean
    std::string_view name;
    Kind kind = Kind::kNull;
    /// kString: the text.  Others: the bytes between the colon and the comma, without white space.
    std::string_view text;
};

/// Not thread-safe.  Keeps its memory between calls.
class JsonMembers {
 public:
    JsonMembers();
    ~JsonMembers();
    JsonMembers(const JsonMembers&) = delete;
    JsonMembers& operator=(const JsonMembers&) = delete;

    /// Parses `json`, UTF-8.  The members, in their order, view `json` and this object, until the
    /// next call.  Nesting is limited only by the length of the text.  Throws JsonError.
    std::span<const Member> parse(std::string_view json);

    /// As parse() has returned them last.
    [[nodiscard]] std::span<const Member> members() const { return members_; }

 private:
    struct State;
    std::unique_ptr<State> state_;
    std::vector<Member> members_;
};

}  // namespace holdfast::relay::debezium
