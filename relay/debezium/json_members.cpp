#include "debezium/json_members.hpp"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <cstdint>

namespace holdfast::relay::debezium {

namespace {

/// A piece of the JSON text or of the unescaped strings, found after parsing is over, as the latter
/// move while they grow.
struct Piece {
    bool in_text = false;
    std::size_t offset = 0;
    std::size_t length = 0;
};

struct ParsedMember {
    Member::Kind kind = Member::Kind::kNull;
    Piece name;
    Piece value;
};

/// RapidJSON's SAX handler.  Everything below the first level is only measured.
class Handler {
 public:
    Handler(std::vector<ParsedMember>& members, std::string& strings)
        : members_(members), strings_(strings) {}

    void read_from(const rapidjson::MemoryStream& stream) { stream_ = &stream; }
    /// The text is valid JSON but not an object.
    [[nodiscard]] bool is_object() const { return is_object_; }

    // NOLINTBEGIN(readability-identifier-naming): names that RapidJSON calls
    bool Null() { return scalar(Member::Kind::kNull, "null"); }
    bool Bool(bool value) { return scalar(Member::Kind::kScalar, value ? "true" : "false"); }
    bool RawNumber(const char* text, rapidjson::SizeType length, bool /*copy*/) {
        return scalar(Member::Kind::kScalar, {text, length});
    }
    bool String(const char* text, rapidjson::SizeType length, bool /*copy*/) {
        return scalar(Member::Kind::kString, {text, length});
    }
    bool Key(const char* text, rapidjson::SizeType length, bool /*copy*/) {
        if (depth_ == 1) {
            members_.push_back({Member::Kind::kNull, keep({text, length}), {}});
        }
        return true;
    }
    bool StartObject() { return start(Member::Kind::kObject); }
    bool EndObject(rapidjson::SizeType /*members*/) { return end(); }
    bool StartArray() { return start(Member::Kind::kArray); }
    bool EndArray(rapidjson::SizeType /*elements*/) { return end(); }
    // Never called: kParseNumbersAsStringsFlag.
    bool Int(int /*value*/) { return false; }
    bool Uint(unsigned /*value*/) { return false; }
    bool Int64(std::int64_t /*value*/) { return false; }
    bool Uint64(std::uint64_t /*value*/) { return false; }
    bool Double(double /*value*/) { return false; }
    // NOLINTEND(readability-identifier-naming)

 private:
    Piece keep(std::string_view text) {
        const Piece piece{false, strings_.size(), text.size()};
        strings_.append(text);
        return piece;
    }

    bool scalar(Member::Kind kind, std::string_view text) {
        if (depth_ == 0) {
            return false;
        }
        if (depth_ == 1) {
            members_.back().kind = kind;
            members_.back().value = keep(text);
        }
        return true;
    }

    // The iterative parser calls start and end while the stream stands *at* the bracket.
    bool start(Member::Kind kind) {
        if (depth_ == 0 && kind != Member::Kind::kObject) {
            return false;
        }
        is_object_ = true;
        if (depth_ == 1) {
            members_.back().kind = kind;
            members_.back().value = {true, stream_->Tell(), 0};
        }
        ++depth_;
        return true;
    }

    bool end() {
        --depth_;
        if (depth_ == 1) {
            Piece& value = members_.back().value;
            value.length = stream_->Tell() + 1 - value.offset;
        }
        return true;
    }

    std::vector<ParsedMember>& members_;
    std::string& strings_;
    const rapidjson::MemoryStream* stream_ = nullptr;
    std::size_t depth_ = 0;
    bool is_object_ = false;
};

}  // namespace

struct JsonMembers::State {
    rapidjson::Reader reader;
    std::vector<ParsedMember> members;
    std::string strings;
};

JsonMembers::JsonMembers() : state_(std::make_unique<State>()) {}
JsonMembers::~JsonMembers() = default;

std::span<const Member> JsonMembers::parse(std::string_view json) {
    constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                                rapidjson::kParseNumbersAsStringsFlag |
                                rapidjson::kParseValidateEncodingFlag;
    members_.clear();
    state_->members.clear();
    state_->strings.clear();
    rapidjson::MemoryStream stream(json.data(), json.size());
    Handler handler(state_->members, state_->strings);
    handler.read_from(stream);
    const rapidjson::ParseResult result = state_->reader.Parse<kFlags>(stream, handler);
    if (result.Code() == rapidjson::kParseErrorTermination ||
        (!result.IsError() && !handler.is_object())) {
        throw JsonError("not a JSON object");
    }
    if (result.IsError()) {
        throw JsonError("not valid JSON at offset " + std::to_string(result.Offset()) + ": " +
                        rapidjson::GetParseError_En(result.Code()));
    }
    // The parser takes a zero byte for the end of the text.
    if (stream.Tell() != json.size()) {
        throw JsonError("not valid JSON at offset " + std::to_string(stream.Tell()) +
                        ": a zero byte");
    }
    const auto view = [&](const Piece& piece) {
        return piece.in_text ? json.substr(piece.offset, piece.length)
                             : std::string_view(state_->strings).substr(piece.offset, piece.length);
    };
    members_.reserve(state_->members.size());
    for (const ParsedMember& member : state_->members) {
        members_.push_back({view(member.name), member.kind, view(member.value)});
    }
    return members_;
}

}  // namespace holdfast::relay::debezium
