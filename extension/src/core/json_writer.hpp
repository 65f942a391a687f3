// Writes flat JSON through RapidJSON, which escapes; used by events and answers.  Not a general
// serialiser.
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::core {

class JsonWriter {
 public:
    void begin_object() { writer_.StartObject(); }
    void end_object() { writer_.EndObject(); }
    void begin_array() { writer_.StartArray(); }
    void end_array() { writer_.EndArray(); }
    void key(std::string_view name) { writer_.Key(name.data(), size(name)); }
    void number(std::int64_t value) { writer_.Int64(value); }
    void boolean(bool value) { writer_.Bool(value); }
    void text(std::string_view value) { writer_.String(value.data(), size(value)); }
    // A complete JSON value, copied as it is.
    void raw(std::string_view json) {
        writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType);
    }

    void field(std::string_view name, std::int64_t value) {
        key(name);
        number(value);
    }
    void field(std::string_view name, std::string_view value) {
        key(name);
        text(value);
    }

    std::string finish() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
    static rapidjson::SizeType size(std::string_view value) {
        return static_cast<rapidjson::SizeType>(value.size());
    }

    rapidjson::StringBuffer buffer_{nullptr, 512};
    rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

}  // namespace holdfast::core
