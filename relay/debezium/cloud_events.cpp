#include "debezium/cloud_events.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::relay::debezium {

namespace {

constexpr std::string_view kContentType = "content-type";

}  // namespace

bool is_uri_reference(std::string_view text) {
    constexpr std::string_view kMarks = "-._~:/?#[]@!$&'()*+,;=%";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               kMarks.find(c) != std::string_view::npos;
    });
}

CloudEventHeaders::CloudEventHeaders(std::string source) : source_(std::move(source)) {}

void CloudEventHeaders::append(const Attributes& event, std::vector<Header>& headers) {
    if (event.id.empty() || !event.type || event.type->empty()) {
        return;
    }
    // Looked for once for all of them: an event rarely brings any.
    const bool brings_some = std::any_of(headers.begin(), headers.end(), [](const Header& header) {
        return header.name.starts_with("ce_") || header.name == kContentType;
    });
    const auto add = [&](std::string_view name, std::string_view value) {
        const bool there =
            brings_some && std::any_of(headers.begin(), headers.end(),
                                       [&](const Header& header) { return header.name == name; });
        // An attribute that is empty is not allowed; one that is missing is.
        if (!there && !value.empty()) {
            headers.push_back({name, value});
        }
    };
    add("ce_specversion", "1.0");
    add("ce_id", event.id);
    add("ce_source", source_);
    add("ce_type", *event.type);
    add("ce_subject", event.subject.value_or(std::string_view()));
    add("ce_time", format_rfc3339(event.time_us, time_));
    if (event.data_is_json) {
        add(kContentType, "application/json");
    }
}

}  // namespace holdfast::relay::debezium
