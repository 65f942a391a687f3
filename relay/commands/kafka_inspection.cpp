#include "commands/kafka_inspection.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "base/errors.hpp"
#include "kafka/errors.hpp"
#include "kafka/handles.hpp"
#include "kafka/topic_configuration.hpp"

namespace holdfast::relay::commands {
namespace {

using std::chrono::milliseconds;

/// Brokers that know this question answer at once; the in-memory broker does not know it.
constexpr milliseconds kDescribeLimit{1'500};

kafka::ClientHandle make_client(const kafka::Properties& properties) {
    kafka::ConfHandle conf = kafka::make_conf(properties, kafka::ClientKind::kProducer);
    rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_ERROR);
    std::array<char, 512> reason{};
    kafka::ClientHandle client(
        rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), reason.data(), reason.size()));
    if (!client) {
        throw FatalError(ExitCode::kConfig, std::string("kafka client: ") + reason.data());
    }
    static_cast<void>(conf.release());  // the client's now
    return client;
}

/// The answer to a question that a refused login leaves open is only that no broker gave one.
void throw_if_login_refused(rd_kafka_t* client) {
    const kafka::QueueHandle queue(rd_kafka_queue_get_main(client));
    while (const kafka::EventHandle event{rd_kafka_queue_poll(queue.get(), 0)}) {
        if (rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
            kafka::throw_error(RD_KAFKA_RESP_ERR__AUTHENTICATION,
                               rd_kafka_event_error_string(event.get()));
        }
    }
}

}  // namespace

ClusterFacts inspect_cluster(const kafka::Properties& properties,
                             const std::vector<std::string>& described, milliseconds limit) {
    const kafka::ClientHandle client = make_client(properties);
    const rd_kafka_metadata_t* raw = nullptr;
    const rd_kafka_resp_err_t code =
        rd_kafka_metadata(client.get(), 1, nullptr, &raw, static_cast<int>(limit.count()));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        throw_if_login_refused(client.get());
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
        const auto entries = kafka::describe_configuration(client.get(), RD_KAFKA_RESOURCE_TOPIC,
                                                           name, kDescribeLimit);
        if (!entries) {
            tells = false;  // for one topic, so for none
            break;
        }
        topic->second.max_message_bytes = kafka::number_in(*entries, "max.message.bytes");
        topic->second.min_insync_replicas = kafka::number_in(*entries, "min.insync.replicas");
    }
    if (tells && facts.brokers > 0) {
        const auto entries =
            kafka::describe_configuration(client.get(), RD_KAFKA_RESOURCE_BROKER,
                                          std::to_string(metadata->brokers[0].id), kDescribeLimit);
        if (entries && entries->contains("auto.create.topics.enable")) {
            facts.auto_create = entries->at("auto.create.topics.enable") == "true";
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
