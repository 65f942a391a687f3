#include "kafka/flusher.hpp"

namespace holdfast::relay::kafka {
namespace {

/// Lingering begins again at most this long after it was last to end.
constexpr int kFlushLimitMs = 10;

}  // namespace

Flusher::Flusher(rd_kafka_t* client) : client_(client), thread_([this] { run(); }) {}

Flusher::~Flusher() {
    ended_ = true;
    if (!wanted_.exchange(true)) {
        wake_.release();
    }
    thread_.join();
}

void Flusher::send_now() {
    if (!wanted_.exchange(true)) {
        wake_.release();
    }
}

void Flusher::run() {
    while (true) {
        wake_.acquire();
        // First, so that a wish during the flush, which may miss its records, leads to another one.
        wanted_ = false;
        if (ended_) {
            return;
        }
        // A time-out means only that something is still unacknowledged.
        static_cast<void>(rd_kafka_flush(client_, kFlushLimitMs));
    }
}

}  // namespace holdfast::relay::kafka
