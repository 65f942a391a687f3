#include "commands/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include "base/errors.hpp"

namespace holdfast::relay::commands {

Signals::Signals() {
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        sigaddset(&set, signal);
    }
    const int failed = ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    fd_ = failed == 0 ? ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC) : -1;
    if (fd_ < 0) {
        throw Error(std::string("cannot listen for signals: ") +
                    std::strerror(failed != 0 ? failed : errno));
    }
}

Signals::~Signals() {
    ::close(fd_);
}

std::optional<int> Signals::take() const noexcept {
    signalfd_siginfo signal{};
    if (::read(fd_, &signal, sizeof signal) != sizeof signal) {
        return std::nullopt;
    }
    return static_cast<int>(signal.ssi_signo);
}

}  // namespace holdfast::relay::commands
