#include "kafka/topic_configuration.hpp"

#include <array>
#include <charconv>
#include <memory>
#include <span>

namespace holdfast::relay::kafka {
namespace {

struct ResourceDeleter {
    void operator()(rd_kafka_ConfigResource_t* resource) const noexcept {
        rd_kafka_ConfigResource_destroy(resource);
    }
};
struct OptionsDeleter {
    void operator()(rd_kafka_AdminOptions_t* options) const noexcept {
        rd_kafka_AdminOptions_destroy(options);
    }
};
using ResourceHandle = std::unique_ptr<rd_kafka_ConfigResource_t, ResourceDeleter>;
using OptionsHandle = std::unique_ptr<rd_kafka_AdminOptions_t, OptionsDeleter>;

/// librdkafka times the request itself; this is for one that it loses sight of.
constexpr int kGraceMs = 500;

}  // namespace

std::optional<std::map<std::string, std::string>> describe_configuration(
    rd_kafka_t* client, rd_kafka_ResourceType_t type, const std::string& name,
    std::chrono::milliseconds limit, std::string* reason) {
    const QueueHandle queue(rd_kafka_queue_new(client));
    const OptionsHandle options(
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
    std::array<char, 256> problem{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), static_cast<int>(limit.count()),
                                              problem.data(), problem.size());
    const ResourceHandle resource(rd_kafka_ConfigResource_new(type, name.c_str()));
    rd_kafka_ConfigResource_t* resources[] = {resource.get()};
    rd_kafka_DescribeConfigs(client, resources, 1, options.get(), queue.get());

    const auto refuse = [&](const char* why) {
        if (reason != nullptr) {
            *reason = why == nullptr ? "no reason given" : why;
        }
        return std::nullopt;
    };
    const EventHandle event(
        rd_kafka_queue_poll(queue.get(), static_cast<int>(limit.count()) + kGraceMs));
    if (!event) {
        return refuse("no answer");
    }
    if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return refuse(rd_kafka_event_error_string(event.get()));
    }
    const rd_kafka_DescribeConfigs_result_t* result =
        rd_kafka_event_DescribeConfigs_result(event.get());
    std::size_t count = 0;
    const rd_kafka_ConfigResource_t** answers =
        result == nullptr ? nullptr : rd_kafka_DescribeConfigs_result_resources(result, &count);
    std::map<std::string, std::string> entries;
    for (const rd_kafka_ConfigResource_t* answer : std::span(answers, count)) {
        if (rd_kafka_ConfigResource_error(answer) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return refuse(rd_kafka_ConfigResource_error_string(answer));
        }
        std::size_t entry_count = 0;
        const rd_kafka_ConfigEntry_t** found =
            rd_kafka_ConfigResource_configs(answer, &entry_count);
        for (const rd_kafka_ConfigEntry_t* entry : std::span(found, entry_count)) {
            const char* value = rd_kafka_ConfigEntry_value(entry);
            entries[rd_kafka_ConfigEntry_name(entry)] = value == nullptr ? "" : value;
        }
    }
    if (entries.empty()) {
        return refuse("an empty answer");
    }
    return entries;
}

std::optional<std::int64_t> number_in(const std::map<std::string, std::string>& entries,
                                      const std::string& name) {
    const auto found = entries.find(name);
    std::int64_t value = 0;
    if (found == entries.end() ||
        std::from_chars(found->second.data(), found->second.data() + found->second.size(), value)
                .ec != std::errc{}) {
        return std::nullopt;
    }
    return value;
}

}  // namespace holdfast::relay::kafka
