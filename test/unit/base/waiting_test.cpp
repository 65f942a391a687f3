#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "base/event_fd.hpp"
#include "base/poll.hpp"
#include "base/scope_exit.hpp"

namespace holdfast::relay {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

TEST(EventFd, WakesAWaitAndCanBeDrained) {
    const EventFd event;
    std::array<pollfd, 2> set{pollfd{event.fd(), POLLIN, 0}, pollfd{-1, POLLIN, 0}};
    EXPECT_EQ(wait_for(set, microseconds(0)), 0);
    EXPECT_FALSE(event.drain());

    const std::jthread other([&] { event.signal(); });
    EXPECT_EQ(wait_for(set, seconds(10)), 1);
    EXPECT_EQ(set[0].revents, POLLIN);
    event.signal();
    EXPECT_TRUE(event.drain());
    EXPECT_EQ(wait_for(set, microseconds(-5)), 0);
}

TEST(ScopeExit, RunsUnlessReleased) {
    int runs = 0;
    {
        const ScopeExit guard([&]() noexcept { ++runs; });
    }
    {
        ScopeExit guard([&]() noexcept { ++runs; });
        guard.release();
    }
    EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace holdfast::relay
