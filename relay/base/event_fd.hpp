// A file descriptor that becomes readable when somebody calls signal(): how another thread or a
// signal handler wakes a loop that waits in poll().
#pragma once

namespace holdfast::relay {

class EventFd {
 public:
    /// Throws Error when the process is out of descriptors.
    EventFd();
    ~EventFd();
    EventFd(const EventFd&) = delete;
    EventFd& operator=(const EventFd&) = delete;

    /// Makes fd() readable.  Any thread; async-signal-safe; keeps errno.
    void signal() const noexcept;

    /// Makes fd() unreadable again.  Returns whether it had been signalled.
    bool drain() const noexcept;

    /// Wait for POLLIN.  Non-blocking, close-on-exec.
    [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
    int fd_;
};

}  // namespace holdfast::relay
