#include "base/event_fd.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "base/errors.hpp"

namespace holdfast::relay {

EventFd::EventFd() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (fd_ < 0) {
        throw Error("cannot create an event descriptor: " + std::generic_category().message(errno));
    }
}

EventFd::~EventFd() {
    ::close(fd_);
}

void EventFd::signal() const noexcept {
    const int saved = errno;
    const std::uint64_t one = 1;
    // The only failure is a counter at its limit, and then the descriptor is readable anyway.
    [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
    errno = saved;
}

bool EventFd::drain() const noexcept {
    std::uint64_t count = 0;
    return ::read(fd_, &count, sizeof count) == static_cast<ssize_t>(sizeof count);
}

}  // namespace holdfast::relay
