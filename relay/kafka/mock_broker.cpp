#include "kafka/mock_broker.hpp"

#include <array>

#include "base/errors.hpp"
#include "kafka/errors.hpp"
#include "kafka/properties.hpp"

namespace holdfast::relay::kafka {

MockBroker::MockBroker(const MockBrokerOptions& options) {
    ConfHandle conf = make_conf({}, ClientKind::kProducer);
    std::array<char, 512> problem{};
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), problem.data(), problem.size()));
    if (!client_) {
        throw FatalError(ExitCode::kInternal, problem.data());
    }
    static_cast<void>(conf.release());  // rd_kafka_new() has taken it
    cluster_ = rd_kafka_mock_cluster_new(client_.get(), options.brokers);
    if (cluster_ == nullptr) {
        throw FatalError(ExitCode::kInternal, "the in-memory broker cannot be started");
    }
    rd_kafka_mock_group_initial_rebalance_delay_ms(cluster_,
                                                   options.group_initial_rebalance_delay_ms);
}

MockBroker::~MockBroker() {
    rd_kafka_mock_cluster_destroy(cluster_);
}

std::string MockBroker::bootstrap_servers() const {
    return rd_kafka_mock_cluster_bootstraps(cluster_);
}

void MockBroker::create_topic(const std::string& name, int partitions) {
    const rd_kafka_resp_err_t code =
        rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 1);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        throw FatalError(ExitCode::kInternal, "topic " + name + ": " + describe(code));
    }
}

}  // namespace holdfast::relay::kafka
