#include "debezium/json_expansion.hpp"

#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "debezium/json_text.hpp"

namespace holdfast::relay::debezium {
namespace {

constexpr const char* kNotJson = "it is not JSON";
constexpr const char* kHeterogeneous = "an array in it has no common schema";
constexpr const char* kTopLevelArray = "an array has no schema of a struct";
constexpr const char* kTooLargeInteger = "a number in it is beyond int64";

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

/// The schema of a value and of all in it, as Debezium infers it.
class Inference {
 public:
    using Value = rapidjson::Value;

    explicit Inference(const JsonExpansionOptions& options) : options_(options) {}

    /// nullopt = the value has no schema and is left out; or see problem().
    std::optional<ConnectSchema> schema_of(const std::string& key, const Value& value) {
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
        if (value.IsObject()) {
            write_object(value, schema, json);
        } else if (value.IsArray()) {
            json += '[';
            for (const Value& element : value.GetArray()) {
                json += json.back() == '[' ? "" : ",";
                write(element, schema.items.front(), json);
            }
            json += ']';
        } else if (value.IsString()) {
            append_json_string({value.GetString(), value.GetStringLength()}, json);
        } else if (value.IsBool()) {
            json += value.GetBool() ? "true" : "false";
        } else if (value.IsInt64()) {
            append_json_int(value.GetInt64(), json);
        } else if (value.IsUint64()) {
            problem_ = kTooLargeInteger;
        } else if (value.IsNumber()) {
            append_json_double(value.GetDouble(), json);
        } else {
            json += "null";
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

    std::optional<ConnectSchema> schema_of_object(const std::string& key, const Value& value) {
        ConnectSchema schema{.type = "struct", .optional = true, .name = key};
        for (const auto& member : value.GetObject()) {
            const std::string name(member.name.GetString(), member.name.GetStringLength());
            auto field = schema_of((key.empty() ? "" : key + ".") + name, member.value);
            if (field && std::ranges::find(schema.fields, name, &ConnectField::name) ==
                             schema.fields.end()) {
                schema.fields.push_back({name, std::move(*field)});
            }
        }
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
        auto items = sample->IsObject() ? merged_schema(key, value) : schema_of("", *sample);
        if (!items) {
            problem_ = kHeterogeneous;
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
        json += '{';
        for (const ConnectField& field : schema.fields) {
            json += json.back() == '{' ? "" : ",";
            append_json_string(field.name, json);
            json += ':';
            const auto member = value.FindMember(rapidjson::StringRef(
                field.name.data(), static_cast<rapidjson::SizeType>(field.name.size())));
            if (member == value.MemberEnd()) {
                json += "null";
            } else {
                write(member->value, field.schema, json);
            }
        }
        json += '}';
    }

    const JsonExpansionOptions& options_;
    const char* problem_ = nullptr;
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
    return parser_->reader.Parse<kFlags | rapidjson::kParseNumbersAsStringsFlag>(stream, writer)
                   .IsError()
               ? kNotJson
               : nullptr;
}

const char* JsonExpansion::infer(std::string_view text, std::string& json) {
    rapidjson::Document document;
    document.Parse<kFlags | rapidjson::kParseFullPrecisionFlag>(text.data(), text.size());
    if (document.HasParseError()) {
        return kNotJson;
    }
    if (document.IsArray()) {
        return kTopLevelArray;
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
