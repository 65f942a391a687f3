// Counts the C++ objects of this module that are alive, so that a test can prove that no error path
// of the server has jumped over a destructor.  Not thread-safe: a backend has one thread.
#pragma once

#include <cstdint>

namespace holdfast::core {

// Base of each class that owns something while the server may be called.
class LiveObject {
 public:
    // How many exist in this process.
    static std::int64_t count() noexcept { return live_count; }

 protected:
    LiveObject() noexcept { ++live_count; }
    LiveObject(const LiveObject&) noexcept { ++live_count; }
    LiveObject(LiveObject&&) noexcept { ++live_count; }
    LiveObject& operator=(const LiveObject&) noexcept = default;
    LiveObject& operator=(LiveObject&&) noexcept = default;
    ~LiveObject() { --live_count; }

 private:
    inline static std::int64_t live_count = 0;
};

}  // namespace holdfast::core
