#include "commands/workers.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::relay::commands {

void Workers::start(std::string name, std::function<void(std::stop_token)> body) {
    auto owned = std::make_unique<Worker>();
    Worker& worker = *owned;
    worker.name = std::move(name);
    {
        const std::lock_guard lock(mutex_);
        workers_.push_back(std::move(owned));
    }
    worker.thread = std::jthread([this, &worker, body = std::move(body)](std::stop_token stop) {
        std::exception_ptr failure;
        try {
            body(std::move(stop));
        } catch (...) {
            failure = std::current_exception();
        }
        {
            const std::lock_guard lock(mutex_);
            worker.ended = true;
            if (failure_ == nullptr) {
                failure_ = failure;
            }
        }
        ended_.signal();
    });
}

std::exception_ptr Workers::failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
}

void Workers::request_stop() {
    for (const auto& worker : workers_) {
        worker->thread.request_stop();
    }
}

bool Workers::all_ended() const {
    const std::lock_guard lock(mutex_);
    return std::ranges::all_of(workers_, [](const auto& worker) { return worker->ended; });
}

std::string Workers::running() const {
    const std::lock_guard lock(mutex_);
    std::string names;
    for (const auto& worker : workers_) {
        if (!worker->ended) {
            names += (names.empty() ? "" : ",") + worker->name;
        }
    }
    return names;
}

}  // namespace holdfast::relay::commands
