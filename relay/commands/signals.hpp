// Signals as something to poll: SIGTERM, SIGINT and SIGHUP are blocked in every thread and read
// from a descriptor, so that nothing runs in a handler.  SIGPIPE is ignored: a broken connection is
// an error code of its write.
#pragma once

#include <optional>

namespace holdfast::relay::commands {

/// Construct before the first thread starts.
class Signals {
 public:
    /// Throws Error when the kernel refuses.
    Signals();
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    /// Wait for POLLIN.
    [[nodiscard]] int fd() const noexcept { return fd_; }

    /// The next signal's number, without waiting.
    [[nodiscard]] std::optional<int> take() const noexcept;

 private:
    int fd_;
};

}  // namespace holdfast::relay::commands
