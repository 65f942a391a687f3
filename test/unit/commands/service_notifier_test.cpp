#include "commands/service_notifier.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace holdfast::relay::commands {
namespace {

/// Stands in for systemd: a datagram socket that NOTIFY_SOCKET names.
class ServiceNotifierTest : public testing::Test {
 protected:
    ServiceNotifierTest() {
        // An abstract address: nothing is left in the file system.
        const std::string name = "holdfast-notifier-test-" + std::to_string(::getpid());
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path + 1, name.data(), name.size());
        const auto length =
            static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
        socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), length), 0);
        ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
    }
    ~ServiceNotifierTest() override {
        ::unsetenv("NOTIFY_SOCKET");
        ::unsetenv("WATCHDOG_USEC");
        ::close(socket_);
    }
    std::vector<std::string> received() const {
        std::vector<std::string> all;
        char buffer[1024];
        for (ssize_t n = 0; (n = ::recv(socket_, buffer, sizeof buffer, 0)) >= 0;) {
            all.emplace_back(buffer, static_cast<std::size_t>(n));
        }
        return all;
    }

    int socket_ = -1;
};

TEST_F(ServiceNotifierTest, SaysReadyOnceAndStatusOnlyWhenItChanges) {
    ServiceNotifier notifier;
    notifier.ready();
    notifier.ready();
    notifier.status("streaming");
    notifier.status("streaming");
    notifier.status("waiting");
    notifier.stopping();
    EXPECT_EQ(received(), (std::vector<std::string>{"READY=1", "STATUS=streaming", "STATUS=waiting",
                                                    "STOPPING=1"}));
}

TEST_F(ServiceNotifierTest, PingsAtHalfOfTheWatchdogsTime) {
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    ServiceNotifier notifier;
    EXPECT_EQ(notifier.ping_interval(), std::chrono::seconds(15));
    notifier.ping_watchdog();
    EXPECT_EQ(received(), std::vector<std::string>{"WATCHDOG=1"});
}

TEST_F(ServiceNotifierTest, WithoutAWatchdogThereIsNoInterval) {
    EXPECT_EQ(ServiceNotifier().ping_interval().count(), 0);
}

}  // namespace
}  // namespace holdfast::relay::commands
