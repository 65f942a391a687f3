// Ends lingering on demand.  A long linger.ms makes the batches that a backlog needs, and would
// cost every lone record its length; librdkafka can only be told otherwise by rd_kafka_flush(),
// which blocks.  So a thread of its own calls it.
//
// Thread rule: any thread.
#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <semaphore>
#include <thread>

namespace holdfast::relay::kafka {

class Flusher {
 public:
    /// `client` must outlive the flusher, and use events for its delivery reports.
    explicit Flusher(rd_kafka_t* client);
    ~Flusher();
    Flusher(const Flusher&) = delete;
    Flusher& operator=(const Flusher&) = delete;

    /// What is queued, and what is produced until all of that is acknowledged (for some
    /// milliseconds at most), is sent without lingering.  Never waits.
    void send_now();

 private:
    void run();

    rd_kafka_t* client_;
    std::atomic<bool> wanted_{false};  ///< and not taken up yet
    std::atomic<bool> ended_{false};
    std::binary_semaphore wake_{0};
    std::thread thread_;
};

}  // namespace holdfast::relay::kafka
