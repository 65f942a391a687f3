// Waiting for descriptors with a deadline: poll(2) with the odd outcomes dealt with in one place.
#pragma once

#include <poll.h>

#include <chrono>
#include <span>

namespace holdfast::relay {

/// Waits until a descriptor is ready or `timeout` has passed; zero or less looks without waiting.
/// Entries with a negative fd are ignored.  Returns how many are ready: 0 after the timeout and
/// also when a signal arrived, so callers look at their clock and call again.
/// Throws Error on anything else.
int wait_for(std::span<pollfd> descriptors, std::chrono::microseconds timeout);

}  // namespace holdfast::relay
