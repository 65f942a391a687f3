#include "base/poll.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>

#include "base/errors.hpp"

namespace holdfast::relay {

int wait_for(std::span<pollfd> descriptors, std::chrono::microseconds timeout) {
    const auto wait = std::max(timeout, std::chrono::microseconds::zero());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
    const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(wait - seconds);
    timespec limit{};
    limit.tv_sec = static_cast<std::time_t>(seconds.count());
    limit.tv_nsec = static_cast<decltype(limit.tv_nsec)>(rest.count());
    const int ready = ::ppoll(descriptors.data(), descriptors.size(), &limit, nullptr);
    if (ready >= 0) {
        return ready;
    }
    if (errno == EINTR) {
        return 0;
    }
    throw Error("cannot wait for descriptors: " + std::generic_category().message(errno));
}

}  // namespace holdfast::relay
