#include "kafka/bootstrap.hpp"

#include <algorithm>
#include <cstddef>

namespace holdfast::relay::kafka {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kFirstInterval{2};
constexpr std::chrono::seconds kLongestInterval{600};

std::string bootstrap_servers(rd_kafka_t* client) {
    const rd_kafka_conf_t* conf = rd_kafka_conf(client);
    std::size_t size = 0;
    if (rd_kafka_conf_get(conf, "bootstrap.servers", nullptr, &size) != RD_KAFKA_CONF_OK) {
        return {};
    }
    std::string servers(size, '\0');
    rd_kafka_conf_get(conf, "bootstrap.servers", servers.data(), &size);
    servers.resize(size > 0 ? size - 1 : 0);  // without the terminator
    return servers;
}

}  // namespace

Bootstrap::Bootstrap(rd_kafka_t* client) : client_(client), servers_(bootstrap_servers(client)) {}

void Bootstrap::all_brokers_down() {
    if (!due_) {
        interval_ = kFirstInterval;
        due_ = steady_clock::now() + interval_;
    }
}

void Bootstrap::poll(bool connected) {
    if (!due_) {
        return;
    }
    if (connected) {
        due_.reset();
    } else if (const auto now = steady_clock::now(); now >= *due_) {
        rd_kafka_brokers_add(client_, servers_.c_str());
        interval_ = std::min(interval_ * 2, kLongestInterval);
        due_ = now + interval_;
    }
}

}  // namespace holdfast::relay::kafka
