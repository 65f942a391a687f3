// What systemd is told (sd_notify): ready, status text, stopping, and the watchdog's pings. Without
// systemd every call does nothing.
#pragma once

#include <chrono>
#include <string>

namespace holdfast::relay::commands {

class ServiceNotifier {
 public:
    ServiceNotifier();

    /// Once: further calls do nothing.
    void ready();
    void status(const std::string& text);
    void stopping();
    void ping_watchdog();

    /// Half of what systemd waits for a ping; 0 = there is no watchdog.
    [[nodiscard]] std::chrono::microseconds ping_interval() const { return ping_interval_; }

 private:
    std::chrono::microseconds ping_interval_{0};
    bool ready_ = false;
    std::string last_status_;
};

}  // namespace holdfast::relay::commands
