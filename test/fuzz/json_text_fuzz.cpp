// Arbitrary bytes as a JSON string: valid JSON that reads back as what it was, and the same as
// RapidJSON writes, but for characters beyond U+FFFF, which we escape.

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "debezium/json_text.hpp"

namespace holdfast::relay::debezium {
namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

/// Whether `text` has a byte with which a character beyond U+FFFF may begin.
bool has_supplementary(std::string_view text) {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) >= 0xF0) {
            return true;
        }
    }
    return false;
}

bool is_utf8(std::string_view text) {
    // RapidJSON's check reads all bytes that a lead promises.
    const std::string padded = std::string(text) + std::string(3, '\0');
    rapidjson::StringBuffer out;
    rapidjson::Writer<rapidjson::StringBuffer, rapidjson::UTF8<>, rapidjson::UTF8<>,
                      rapidjson::CrtAllocator, rapidjson::kWriteValidateEncodingFlag>
        writer(out);
    return writer.String(padded.data(), static_cast<rapidjson::SizeType>(text.size()));
}

std::string parsed(const std::string& json) {
    rapidjson::Document document;
    document.Parse(json.data(), json.size());
    require(!document.HasParseError() && document.IsString());
    return {document.GetString(), document.GetStringLength()};
}

void run(std::string_view text) {
    const bool valid = is_utf8(text);
    std::string json = "before";
    append_json_string(text, json);
    require(json.starts_with("before"));
    json.erase(0, std::string_view("before").size());
    std::string inner;
    append_inner_json_string(text, inner);
    if (valid || !has_supplementary(text)) {
        require(parsed(json) == text && parsed(inner) == text);
    } else {
        static_cast<void>(parsed(json));
    }
    if (!has_supplementary(text)) {
        rapidjson::StringBuffer out;
        rapidjson::Writer<rapidjson::StringBuffer> writer(out);
        writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
        require(json == std::string_view(out.GetString(), out.GetSize()) && inner == json);
    }
}

}  // namespace
}  // namespace holdfast::relay::debezium

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    holdfast::relay::debezium::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
