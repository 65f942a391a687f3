// Gives a client its bootstrap servers back.  When the only broker is fenced (it was frozen, and
// woke), brokers tell of a cluster without brokers; librdkafka 2.14 then drops the last one that it
// knows, and as it bootstraps anew while that one is still on its way out, it can end up with none,
// for ever.
//
// Thread rule: the thread that polls the client.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <optional>
#include <string>

namespace holdfast::relay::kafka {

class Bootstrap {
 public:
    /// `client` must outlive this.
    explicit Bootstrap(rd_kafka_t* client);

    /// The client says that all brokers are down.
    void all_brokers_down();

    /// Call it regularly.  Adds the servers a moment after they were reported down, when a broker
    /// that the client drops is gone, and ever more seldom (librdkafka keeps a note of each time)
    /// until it is `connected` again.  Those that it still has are left alone.
    void poll(bool connected);

 private:
    rd_kafka_t* client_;
    std::string servers_;
    std::optional<std::chrono::steady_clock::time_point> due_;  ///< while all are down
    std::chrono::seconds interval_{};
};

}  // namespace holdfast::relay::kafka
