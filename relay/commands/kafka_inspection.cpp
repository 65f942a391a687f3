#include "commands/kafka_inspection.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <span>
#include <string_view>

#include "base/errors.hpp"
#include "kafka/errors.hpp"
#include "kafka/handles.hpp"

namespace holdfast::relay::commands {
namespace {

using std::chrono::milliseconds;

/// Brokers that know this question answer at once; the in-memory broker does not know it.
constexpr milliseconds kDescribeLimit{1'500};

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

kafka::ClientHandle make_client(const kafka::Properties& properties) {
    kafka::ConfHandle conf = kafka::make_conf(properties, kafka::ClientKind::kProducer);
    std::array<char, 512> reason{};
    kafka::ClientHandle client(
        rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), reason.data(), reason.size()));
    if (!client) {
        throw FatalError(ExitCode::kConfig, std::string("kafka client: ") + reason.data());
    }
    static_cast<void>(conf.release());  // the client's now
    return client;
}

/// Configuration entries of one resource by name; empty when the cluster does not tell.
std::map<std::string, std::string> describe_configuration(rd_kafka_t* client,
                                                          rd_kafka_ResourceType_t type,
                                                          const std::string& name,
                                                          milliseconds limit) {
    const kafka::QueueHandle queue(rd_kafka_queue_new(client));
    const OptionsHandle options(
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
    std::array<char, 256> reason{};
    rd_kafka_AdminOptions_set_request_timeout(options.get(), static_cast<int>(limit.count()),
                                              reason.data(), reason.size());
    const ResourceHandle resource(rd_kafka_ConfigResource_new(type, name.c_str()));
    rd_kafka_ConfigResource_t* resources[] = {resource.get()};
    rd_kafka_DescribeConfigs(client, resources, 1, options.get(), queue.get());

    std::map<std::string, std::string> entries;
    const kafka::EventHandle event(
        rd_kafka_queue_poll(queue.get(), static_cast<int>(limit.count()) + 500));
    if (!event || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return entries;
    }
    const rd_kafka_DescribeConfigs_result_t* result =
        rd_kafka_event_DescribeConfigs_result(event.get());
    std::size_t count = 0;
    const rd_kafka_ConfigResource_t** answers =
        result == nullptr ? nullptr : rd_kafka_DescribeConfigs_result_resources(result, &count);
    for (const rd_kafka_ConfigResource_t* answer : std::span(answers, count)) {
        std::size_t entry_count = 0;
        const rd_kafka_ConfigEntry_t** found =
            rd_kafka_ConfigResource_configs(answer, &entry_count);
        for (const rd_kafka_ConfigEntry_t* entry : std::span(found, entry_count)) {
            const char* value = rd_kafka_ConfigEntry_value(entry);
            entries[rd_kafka_ConfigEntry_name(entry)] = value == nullptr ? "" : value;
        }
    }
    return entries;
}

std::optional<std::int64_t> number(const std::map<std::string, std::string>& entries,
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

}  // namespace

ClusterFacts inspect_cluster(const kafka::Properties& properties,
                             const std::vector<std::string>& described, milliseconds limit) {
    const kafka::ClientHandle client = make_client(properties);
    const rd_kafka_metadata_t* raw = nullptr;
    const rd_kafka_resp_err_t code =
        rd_kafka_metadata(client.get(), 1, nullptr, &raw, static_cast<int>(limit.count()));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka::throw_error(code, "asking the Kafka cluster for its topics");
    }
    const kafka::MetadataHandle metadata(raw);

    ClusterFacts facts;
    facts.brokers = metadata->broker_cnt;
    for (const rd_kafka_metadata_topic& topic :
         std::span(metadata->topics, static_cast<std::size_t>(metadata->topic_cnt))) {
        if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR || topic.partition_cnt == 0) {
            continue;
        }
        const std::span partitions(topic.partitions, static_cast<std::size_t>(topic.partition_cnt));
        facts.topics[topic.topic] = {
            .partitions = topic.partition_cnt,
            .replicas = std::ranges::min(partitions, {}, &rd_kafka_metadata_partition::replica_cnt)
                            .replica_cnt,
            .max_message_bytes = std::nullopt,
            .min_insync_replicas = std::nullopt};
    }
    bool tells = true;
    for (const std::string& name : described) {
        const auto topic = facts.topics.find(name);
        if (topic == facts.topics.end()) {
            continue;
        }
        const auto entries =
            describe_configuration(client.get(), RD_KAFKA_RESOURCE_TOPIC, name, kDescribeLimit);
        if (entries.empty()) {
            tells = false;  // for one topic, so for none
            break;
        }
        topic->second.max_message_bytes = number(entries, "max.message.bytes");
        topic->second.min_insync_replicas = number(entries, "min.insync.replicas");
    }
    if (tells && facts.brokers > 0) {
        const auto entries =
            describe_configuration(client.get(), RD_KAFKA_RESOURCE_BROKER,
                                   std::to_string(metadata->brokers[0].id), kDescribeLimit);
        if (const auto found = entries.find("auto.create.topics.enable"); found != entries.end()) {
            facts.auto_create = found->second == "true";
        }
    }
    return facts;
}

std::map<std::string, std::vector<std::int64_t>> high_watermarks(
    const kafka::Properties& properties, const std::map<std::string, int>& partitions,
    milliseconds limit) {
    const kafka::ClientHandle client = make_client(properties);
    std::map<std::string, std::vector<std::int64_t>> result;
    for (const auto& [topic, count] : partitions) {
        std::vector<std::int64_t>& highs = result[topic];
        for (int partition = 0; partition < count; ++partition) {
            std::int64_t low = -1;
            std::int64_t high = -1;
            const auto code =
                rd_kafka_query_watermark_offsets(client.get(), topic.c_str(), partition, &low,
                                                 &high, static_cast<int>(limit.count()));
            highs.push_back(code == RD_KAFKA_RESP_ERR_NO_ERROR ? high : -1);
        }
    }
    return result;
}

}  // namespace holdfast::relay::commands
