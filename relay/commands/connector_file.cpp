#include "commands/connector_file.hpp"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <algorithm>
#include <utility>

#include "base/errors.hpp"

namespace holdfast::relay::commands {
namespace {

constexpr std::string_view kJsonSpace = " \t\r\n";
constexpr std::string_view kPropertySpace = " \t\f";
constexpr std::string_view kYaml =
    "is YAML, which is not read: what an operator makes of it, Connect has as JSON";

[[noreturn]] void refuse(const std::string& origin, const std::string& what) {
    throw FatalError(ExitCode::kConfig, origin + ": " + what,
                     "Give the connector's configuration as Connect's REST API answers it (GET "
                     "/connectors/NAME or /connectors/NAME/config, for one connector), or as a "
                     ".properties file.");
}

std::string text_of(const rapidjson::Value& value) {
    return {value.GetString(), value.GetStringLength()};
}

class JsonReader {
 public:
    JsonReader(std::string_view text, const std::string& origin) : origin_(origin) {
        document_
            .Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag>(
                text.data(), text.size());
        if (document_.HasParseError()) {
            const std::string_view before = text.substr(0, document_.GetErrorOffset());
            std::string problem = rapidjson::GetParseError_En(document_.GetParseError());
            problem.erase(problem.find_last_not_of('.') + 1);
            refuse(origin + ":" + std::to_string(std::ranges::count(before, '\n') + 1),
                   "no JSON: " + problem);
        }
    }

    ConnectProperties read() {
        const rapidjson::Value* config = member("config");
        if (config == nullptr || !config->IsObject()) {
            take(document_);
            return std::move(properties_);
        }
        take(*config);
        if (const rapidjson::Value* name = member("name"); name != nullptr && name->IsString()) {
            properties_.try_emplace("name", text_of(*name));
        }
        return std::move(properties_);
    }

 private:
    /// nullptr = the document has none.
    [[nodiscard]] const rapidjson::Value* member(std::string_view name) const {
        for (rapidjson::SizeType i = 0; i < document_.MemberCount(); ++i) {
            const auto& candidate = document_.MemberBegin()[i];
            if (text_of(candidate.name) == name) {
                return &candidate.value;
            }
        }
        return nullptr;
    }

    void take(const rapidjson::Value& object) {
        for (rapidjson::SizeType i = 0; i < object.MemberCount(); ++i) {
            const auto& member = object.MemberBegin()[i];
            const std::string name = text_of(member.name);
            if (member.value.IsNull()) {
                continue;
            }
            std::string value;
            if (member.value.IsBool()) {
                value = member.value.GetBool() ? "true" : "false";
            } else if (member.value.IsString()) {  // numbers too: as they are written
                value = text_of(member.value);
            } else {
                refuse(origin_, "\"" + name + "\" is no string, number or boolean");
            }
            if (!properties_.emplace(name, std::move(value)).second) {
                refuse(origin_, "\"" + name + "\" appears twice");
            }
        }
    }

    const std::string& origin_;
    rapidjson::Document document_;
    ConnectProperties properties_;
};

void append_utf8(std::string& text, unsigned code) {
    if (code < 0x80) {
        text += static_cast<char>(code);
    } else if (code < 0x800) {
        text += static_cast<char>(0xC0U | (code >> 6U));
        text += static_cast<char>(0x80U | (code & 0x3FU));
    } else if (code < 0x10000) {
        text += static_cast<char>(0xE0U | (code >> 12U));
        text += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
        text += static_cast<char>(0x80U | (code & 0x3FU));
    } else {
        text += static_cast<char>(0xF0U | (code >> 18U));
        text += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
        text += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
        text += static_cast<char>(0x80U | (code & 0x3FU));
    }
}

/// Lines of a .properties file.  Bytes are Latin-1, as Java reads them; results are UTF-8.
class PropertiesReader {
 public:
    PropertiesReader(std::string_view text, const std::string& origin)
        : text_(text), origin_(origin) {}

    ConnectProperties read() {
        ConnectProperties properties;
        while (!text_.empty()) {
            const std::string line = logical_line();
            const std::size_t start = line.find_first_not_of(kPropertySpace);
            if (start == std::string::npos || line[start] == '#' || line[start] == '!') {
                continue;
            }
            rest_ = std::string_view(line).substr(start);
            const std::string name = key();
            // The last one wins, as in Java.
            properties.insert_or_assign(name, unescape(rest_));
        }
        return properties;
    }

 private:
    std::string_view natural_line() {
        const std::size_t end = std::min(text_.find_first_of("\r\n"), text_.size());
        const std::string_view line = text_.substr(0, end);
        std::size_t next = end;
        if (next < text_.size()) {
            next += text_.substr(next, 2) == "\r\n" ? 2 : 1;
        }
        text_.remove_prefix(next);
        ++line_number_;
        return line;
    }

    static bool continues(std::string_view line) {
        const std::size_t last = line.find_last_not_of('\\');
        const std::size_t backslashes =
            line.size() - (last == std::string_view::npos ? 0 : last + 1);
        return backslashes % 2 == 1;
    }

    /// A line with those that continue it, without the backslashes between and the space that the
    /// later ones begin with.  A comment does not continue.
    std::string logical_line() {
        std::string line(natural_line());
        const std::size_t start = line.find_first_not_of(kPropertySpace);
        if (start != std::string::npos && (line[start] == '#' || line[start] == '!')) {
            return line;
        }
        while (continues(line)) {
            line.pop_back();
            if (text_.empty()) {
                break;
            }
            const std::string_view next = natural_line();
            line += next.substr(std::min(next.find_first_not_of(kPropertySpace), next.size()));
        }
        return line;
    }

    /// Up to the first "=", ":" or space that is not escaped; leaves `rest_` at the value.
    std::string key() {
        std::size_t end = 0;
        while (end < rest_.size() && rest_[end] != '=' && rest_[end] != ':' &&
               kPropertySpace.find(rest_[end]) == std::string_view::npos) {
            end += rest_[end] == '\\' ? 2 : 1;
        }
        end = std::min(end, rest_.size());
        std::string name = unescape(rest_.substr(0, end));
        rest_.remove_prefix(end);
        skip_space();
        if (!rest_.empty() && (rest_.front() == '=' || rest_.front() == ':')) {
            rest_.remove_prefix(1);
            skip_space();
        }
        return name;
    }

    void skip_space() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(kPropertySpace), rest_.size()));
    }

    [[nodiscard]] std::string unescape(std::string_view text) const {
        std::string result;
        unsigned high = 0;  // a surrogate that waits for its other half
        for (std::size_t i = 0; i < text.size(); ++i) {
            unsigned code = static_cast<unsigned char>(text[i]);
            if (text[i] == '\\' && i + 1 < text.size()) {
                const char c = text[++i];
                constexpr std::string_view kLetters = "tnrf";
                constexpr std::string_view kMeanings = "\t\n\r\f";
                const std::size_t letter = kLetters.find(c);
                code = static_cast<unsigned char>(
                    letter == std::string_view::npos ? c : kMeanings[letter]);
                if (c == 'u') {
                    code = four_digits(text.substr(i + 1));
                    i += 4;
                }
            }
            if (code >= 0xD800 && code < 0xDC00 && high == 0) {
                high = code;
                continue;
            }
            const bool low = code >= 0xDC00 && code < 0xE000;
            if (low != (high != 0)) {
                refuse_line("half of a surrogate pair");
            }
            append_utf8(result, low ? 0x10000 + ((high - 0xD800) << 10U) + (code - 0xDC00) : code);
            high = 0;
        }
        if (high != 0) {
            refuse_line("half of a surrogate pair");
        }
        return result;
    }

    [[nodiscard]] unsigned four_digits(std::string_view text) const {
        constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
        if (text.size() < 4) {
            refuse_line("\\u without four digits");
        }
        unsigned code = 0;
        for (const char c : text.substr(0, 4)) {
            const std::size_t digit = kDigits.find(c);
            if (digit == std::string_view::npos) {
                refuse_line("\\u without four digits");
            }
            code = code * 16 + static_cast<unsigned>(digit < 16 ? digit : digit - 6);
        }
        return code;
    }

    [[noreturn]] void refuse_line(const std::string& what) const {
        refuse(origin_ + ":" + std::to_string(line_number_), what);
    }

    std::string_view text_;
    const std::string& origin_;
    std::string_view rest_;  ///< of the logical line
    int line_number_ = 0;
};

}  // namespace

ConnectProperties read_connect_properties(std::string_view text, const std::string& origin) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    text.remove_prefix(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
    const std::size_t first = text.find_first_not_of(kJsonSpace);
    if (first == std::string_view::npos) {
        refuse(origin, "is empty");
    }
    if (text[first] == '{') {
        ConnectProperties properties = JsonReader(text, origin).read();
        if (properties.contains("error_code") && properties.contains("message")) {
            refuse(origin, "Connect has answered with an error: " + properties["message"]);
        }
        return properties;
    }
    if (text[first] == '[') {
        refuse(origin, "is a JSON array, not the object of one connector");
    }
    if (origin.ends_with(".yaml") || origin.ends_with(".yml")) {
        refuse(origin, std::string(kYaml));
    }
    ConnectProperties properties = PropertiesReader(text, origin).read();
    if (properties.contains("apiVersion") && properties.contains("kind")) {
        refuse(origin, std::string(kYaml));
    }
    if (properties.contains("debezium.source.connector.class")) {
        refuse(origin,
               "is of Debezium Server, whose formats and sinks have defaults of their own: write "
               "the debezium.source.* properties without that prefix, debezium.transforms.* as "
               "transforms.*, and the converters that its format stands for");
    }
    return properties;
}

}  // namespace holdfast::relay::commands
