#include "commands/workers.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>

#include "base/poll.hpp"
#include "commands/stop_signal.hpp"

namespace holdfast::relay::commands {
namespace {

void wait_until_ended(const Workers& workers) {
    while (!workers.all_ended()) {
        std::array<pollfd, 1> descriptors{{{workers.ended().fd(), POLLIN, 0}}};
        wait_for(descriptors, std::chrono::seconds(10));
        workers.ended().drain();
    }
}

TEST(Workers, TellsTheFirstFailureAndWhoStillRuns) {
    StopSignal stop;
    Workers workers;
    workers.start("patient", [&stop](const std::stop_token&) { stop.wait(std::chrono::hours(1)); });
    workers.start("hasty", [](const std::stop_token&) { throw std::runtime_error("no more"); });
    while (workers.failure() == nullptr) {
        std::array<pollfd, 1> descriptors{{{workers.ended().fd(), POLLIN, 0}}};
        wait_for(descriptors, std::chrono::seconds(10));
        workers.ended().drain();
    }
    EXPECT_EQ(workers.running(), "patient");
    EXPECT_THROW(std::rethrow_exception(workers.failure()), std::runtime_error);
    EXPECT_FALSE(workers.all_ended());
    stop.request();
    wait_until_ended(workers);
    EXPECT_EQ(workers.running(), "");
}

TEST(Workers, PassesTheStopRequestOn) {
    Workers workers;
    std::atomic<bool> stopped{false};
    workers.start("loop", [&stopped](const std::stop_token& stop) {
        const std::stop_callback note(stop, [&stopped] { stopped = true; });
        while (!stop.stop_requested()) {
            std::this_thread::yield();
        }
    });
    workers.request_stop();
    wait_until_ended(workers);
    EXPECT_TRUE(stopped);
    EXPECT_EQ(workers.failure(), nullptr);
}

TEST(StopSignal, StaysSignalled) {
    StopSignal stop;
    EXPECT_FALSE(stop.requested());
    stop.request();
    EXPECT_TRUE(stop.requested());
    stop.wait(std::chrono::hours(1));
    stop.wait(std::chrono::hours(1));
}

}  // namespace
}  // namespace holdfast::relay::commands
