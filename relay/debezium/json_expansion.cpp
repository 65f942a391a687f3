#include "debezium/json_expansion.hpp"

#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "debezium/json_text.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr const char* kNotJson = "it is not JSON";
constexpr const char* kHeterogeneous = "an array in it has no common schema";
constexpr const char* kTopLevelArray = "an array has no schema of a struct";
constexpr const char* kTooLargeInteger = "a number in it is beyond int64";
constexpr const char* kTooLargeNumber = "a number in it is beyond what a double holds";
constexpr const char* kTooDeep = "it is nested deeper than 1000";

/// Jackson's limit (StreamReadConstraints), so that no payload takes all of the stack.
constexpr int kMaxDepth = 1000;

/// Nesting is only limited by memory: the parser keeps its own stack.
constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;

/// Writes what is parsed, as it is parsed.
class CompactWriter : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, CompactWriter> {
 public:
    explicit CompactWriter(std::string& json) : json_(json) {}

    bool Null() { return scalar("null"); }
    bool Bool(bool value) { return scalar(value ? "true" : "false"); }
    bool RawNumber(const char* text, rapidjson::SizeType length, bool /*copy*/) {
        return scalar({text, length});
    }
    bool String(const char* text, rapidjson::SizeType length, bool /*copy*/) {
        separate();
        append_json_string({text, length}, json_);
        return true;
    }
    bool Key(const char* text, rapidjson::SizeType length, bool /*copy*/) {
        separate();
        append_json_string({text, length}, json_);
        json_ += ':';
        return true;
    }
    bool StartObject() { return open('{'); }
    bool EndObject(rapidjson::SizeType /*members*/) { return close('}'); }
    bool StartArray() { return open('['); }
    bool EndArray(rapidjson::SizeType /*elements*/) { return close(']'); }

 private:
    void separate() {
        // Before the first token, what is in the text is not ours.
        if (std::exchange(started_, true) && json_.back() != '{' && json_.back() != '[' &&
            json_.back() != ':') {
            json_ += ',';
        }
    }
    bool scalar(std::string_view text) {
        separate();
        json_ += text;
        return true;
    }
    bool open(char bracket) {
        separate();
        json_ += bracket;
        return true;
    }
    bool close(char bracket) {
        json_ += bracket;
        return true;
    }

    std::string& json_;
    bool started_ = false;
};

const char* problem_of(const rapidjson::ParseResult& result) {
    if (!result.IsError()) {
        return nullptr;
    }
    return result.Code() == rapidjson::kParseErrorNumberTooBig ? kTooLargeNumber : kNotJson;
}

/// Whether a number without fraction and exponent is beyond int64: the parser makes a double of it.
/// `json` is valid.
bool has_large_integer(std::string_view json) {
    for (std::size_t at = 0; at < json.size(); ++at) {
        const char c = json[at];
        if (c == '"') {
            for (++at; json[at] != '"'; ++at) {
                at += json[at] == '\\' ? 1 : 0;
            }
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            const std::size_t end =
                std::min(json.find_first_not_of("0123456789+-.eE", at), json.size());
            std::int64_t number = 0;
            const auto [stop, error] = std::from_chars(&json[at], json.data() + end, number);
            if (stop == json.data() + end && error == std::errc::result_out_of_range) {
                return true;
            }
            at = end - 1;
        }
    }
    return false;
}

/// The schema of a value and of all in it, as Debezium infers it.
class Inference {
 public:
    using Value = rapidjson::Value;

    explicit Inference(const JsonExpansionOptions& options) : options_(options) {}

    /// nullopt = the value has no schema and is left out; or see problem().
    std::optional<ConnectSchema> schema_of(const std::string& key, const Value& value) {
        if (depth_ > kMaxDepth) {
            problem_ = kTooDeep;
            return std::nullopt;
        }
        switch (value.GetType()) {
            case rapidjson::kStringType:
                return scalar("string");
            case rapidjson::kTrueType:
            case rapidjson::kFalseType:
                return scalar("boolean");
            case rapidjson::kNumberType:
                return scalar(number_type(value));
            case rapidjson::kArrayType:
                return schema_of_array(key, value);
            case rapidjson::kObjectType:
                return schema_of_object(key, value);
            case rapidjson::kNullType:
                break;
        }
        return options_.keep_null_members ? std::optional(scalar("bytes")) : std::nullopt;
    }

    /// Appends the value as its schema has it.
    void write(const Value& value, const ConnectSchema& schema, std::string& json) {
        if (value.IsNull()) {
            json += "null";
        } else if (schema.type != type_of(value)) {
            // Elements of an array of objects may have a member in common that is of another type.
            problem_ = kHeterogeneous;
        } else if (value.IsObject()) {
            write_object(value, schema, json);
        } else if (value.IsArray()) {
            json += '[';
            const std::size_t begin = json.size();
            for (const Value& element : value.GetArray()) {
                json += json.size() == begin ? "" : ",";
                write(element, schema.items.front(), json);
            }
            json += ']';
        } else if (value.IsString()) {
            append_json_string({value.GetString(), value.GetStringLength()}, json);
        } else if (value.IsBool()) {
            json += value.GetBool() ? "true" : "false";
        } else if (value.IsInt64()) {
            append_json_int(value.GetInt64(), json);
        } else {
            append_json_double(value.GetDouble(), json);
        }
    }

    [[nodiscard]] const char* problem() const { return problem_; }

 private:
    static ConnectSchema scalar(const char* type) { return {.type = type, .optional = true}; }

    static const char* number_type(const Value& value) {
        if (value.IsInt()) {
            return "int32";
        }
        return value.IsInt64() ? "int64" : "double";
    }

    /// Of a value that is not null.
    static std::string_view type_of(const Value& value) {
        if (value.IsNumber()) {
            return number_type(value);
        }
        if (value.IsObject()) {
            return "struct";
        }
        if (value.IsArray()) {
            return "array";
        }
        return value.IsString() ? "string" : "boolean";
    }

    /// By name; of members that share one the last, as Jackson has it.
    using Members = std::unordered_map<std::string_view, const Value*>;
    static Members members_of(const Value& object) {
        Members members;
        members.reserve(object.MemberCount());
        for (const auto& member : object.GetObject()) {
            members[{member.name.GetString(), member.name.GetStringLength()}] = &member.value;
        }
        return members;
    }

    std::optional<ConnectSchema> schema_of_object(const std::string& key, const Value& value) {
        ConnectSchema schema{.type = "struct", .optional = true, .name = key};
        ++depth_;
        Members members = members_of(value);
        for (const auto& member : value.GetObject()) {
            const auto node =
                members.extract({member.name.GetString(), member.name.GetStringLength()});
            if (node.empty()) {
                continue;
            }
            const std::string name(node.key());
            std::string path = key;
            path += key.empty() ? "" : ".";
            path += name;
            auto field = schema_of(path, *node.mapped());
            if (field) {
                schema.fields.push_back({name, std::move(*field)});
            }
        }
        --depth_;
        return schema;
    }

    std::optional<ConnectSchema> schema_of_array(const std::string& key, const Value& value) {
        ConnectSchema schema{.type = "array", .optional = true};
        if (value.Empty()) {
            if (!options_.keep_empty_arrays) {
                return std::nullopt;
            }
            schema.items.push_back(scalar("string"));
            return schema;
        }
        const Value* const sample = common_sample(value);
        if (sample == nullptr) {
            return std::nullopt;
        }
        ++depth_;
        auto items = sample->IsObject() ? merged_schema(key, value) : schema_of("", *sample);
        --depth_;
        if (!items) {
            problem_ = problem_ == nullptr ? kHeterogeneous : problem_;
            return std::nullopt;
        }
        schema.items.push_back(std::move(*items));
        return schema;
    }

    /// The first element that is not null, if all others are of its kind; the last null else.
    const Value* common_sample(const Value& array) {
        const auto kind = [](const Value& value) {
            return value.IsBool() ? rapidjson::kTrueType : value.GetType();
        };
        const Value* sample = nullptr;
        for (const Value& element : array.GetArray()) {
            if (element.IsNull()) {
                continue;
            }
            if (sample == nullptr) {
                sample = &element;
            }
            if (kind(element) != kind(*sample) ||
                (element.IsNumber() &&
                 std::string_view(number_type(element)) != number_type(*sample))) {
                problem_ = kHeterogeneous;
                return nullptr;
            }
        }
        return sample == nullptr ? &*array.Begin() : sample;
    }

    std::optional<ConnectSchema> merged_schema(const std::string& key, const Value& array) {
        std::optional<ConnectSchema> merged;
        for (const Value& element : array.GetArray()) {
            if (!element.IsObject()) {
                continue;
            }
            auto schema = schema_of(key, element);
            if (!merged) {
                merged = std::move(schema);
                continue;
            }
            for (ConnectField& field : schema->fields) {
                const auto known =
                    std::ranges::find(merged->fields, field.name, &ConnectField::name);
                if (known == merged->fields.end()) {
                    merged->fields.push_back(std::move(field));
                } else if (known->schema.type == "bytes" && field.schema.type != "bytes") {
                    *known = std::move(field);
                }
            }
        }
        return merged;
    }

    void write_object(const Value& value, const ConnectSchema& schema, std::string& json) {
        const Members members = members_of(value);
        json += '{';
        for (const ConnectField& field : schema.fields) {
            json += &field == schema.fields.data() ? "" : ",";
            append_json_string(field.name, json);
            json += ':';
            const auto member = members.find(field.name);
            if (member == members.end()) {
                json += "null";
            } else {
                write(*member->second, field.schema, json);
            }
        }
        json += '}';
    }

    const JsonExpansionOptions& options_;
    const char* problem_ = nullptr;
    int depth_ = 0;
};

}  // namespace

struct JsonExpansion::Parser {
    rapidjson::Reader reader;
};

JsonExpansion::JsonExpansion(JsonExpansionOptions options)
    : options_(std::move(options)), parser_(std::make_unique<Parser>()) {}

JsonExpansion::~JsonExpansion() = default;

const char* JsonExpansion::expand(std::string_view text, std::string& json) {
    if (!text.starts_with('{') && !text.starts_with('[')) {
        return "it begins neither with { nor with [";
    }
    const std::size_t before = json.size();
    const char* const problem = options_.infer_schema ? infer(text, json) : compact(text, json);
    if (problem != nullptr) {
        json.resize(before);
    }
    return problem;
}

const char* JsonExpansion::compact(std::string_view text, std::string& json) {
    rapidjson::MemoryStream stream(text.data(), text.size());
    CompactWriter writer(json);
    return problem_of(
        parser_->reader.Parse<kFlags | rapidjson::kParseNumbersAsStringsFlag>(stream, writer));
}

const char* JsonExpansion::infer(std::string_view text, std::string& json) {
    rapidjson::Document document;
    document.Parse<kFlags | rapidjson::kParseFullPrecisionFlag>(text.data(), text.size());
    if (const char* const problem = problem_of(document)) {
        return problem;
    }
    if (document.IsArray()) {
        return kTopLevelArray;
    }
    if (has_large_integer(text)) {
        return kTooLargeInteger;
    }
    Inference inference(options_);
    auto schema = inference.schema_of(options_.name, document);
    if (inference.problem() != nullptr) {
        return inference.problem();
    }
    schema_ = std::move(*schema);
    inference.write(document, schema_, json);
    return inference.problem();
}

}  // namespace holdfast::relay::debezium
