#include "debezium/connect_schema.hpp"

#include "debezium/json_text.hpp"

namespace holdfast::relay::debezium {

void ConnectSchema::write(std::string& json, std::string_view field) const {
    const auto member = [&json](std::string_view member_name) {
        json += ',';
        append_json_string(member_name, json);
        json += ':';
    };
    json += "{\"type\":";
    append_json_string(type, json);
    if (type == "struct") {
        member("fields");
        json += '[';
        for (const ConnectField& child : fields) {
            if (&child != fields.data()) {
                json += ',';
            }
            child.schema.write(json, child.name);
        }
        json += ']';
    } else if (type == "array") {
        member("items");
        items.front().write(json);
    } else if (type == "map") {
        member("keys");
        items.front().write(json);
        member("values");
        items.back().write(json);
    }
    member("optional");
    json += optional ? "true" : "false";
    if (!name.empty()) {
        member("name");
        append_json_string(name, json);
    }
    if (version) {
        member("version");
        json += std::to_string(*version);
    }
    if (!doc.empty()) {
        member("doc");
        append_json_string(doc, json);
    }
    if (!parameters.empty()) {
        member("parameters");
        json += '{';
        for (const auto& parameter : parameters) {
            if (&parameter != parameters.data()) {
                json += ',';
            }
            append_json_string(parameter.first, json);
            json += ':';
            append_json_string(parameter.second, json);
        }
        json += '}';
    }
    if (default_json) {
        member("default");
        json += *default_json;
    }
    if (!field.empty()) {
        member("field");
        append_json_string(field, json);
    }
    json += '}';
}

}  // namespace holdfast::relay::debezium
