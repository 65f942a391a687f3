// The relay's threads.  The first that ends with an exception decides how the process ends; the
// others are asked to stop.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/event_fd.hpp"

namespace holdfast::relay::commands {

class Workers {
 public:
    /// Runs `body` in a thread of its own.  `body` gets the token that request_stop() triggers.
    void start(std::string name, std::function<void(std::stop_token)> body);

    /// Readable whenever a worker has ended.
    [[nodiscard]] const EventFd& ended() const noexcept { return ended_; }

    /// What the first failed worker threw; nullptr = none has failed.
    [[nodiscard]] std::exception_ptr failure() const;

    void request_stop();
    [[nodiscard]] bool all_ended() const;
    /// Names of those that still run, for logs.
    [[nodiscard]] std::string running() const;

 private:
    struct Worker {
        std::string name;
        bool ended = false;
        std::jthread thread;
    };

    EventFd ended_;
    mutable std::mutex mutex_;
    std::exception_ptr failure_;
    std::vector<std::unique_ptr<Worker>> workers_;  // last: threads end before what they use
};

}  // namespace holdfast::relay::commands
