#include "commands/service_notifier.hpp"

#include <systemd/sd-daemon.h>

#include <cstdint>

namespace holdfast::relay::commands {

ServiceNotifier::ServiceNotifier() {
    std::uint64_t limit_us = 0;
    if (sd_watchdog_enabled(0, &limit_us) > 0) {
        ping_interval_ = std::chrono::microseconds(limit_us / 2);
    }
}

void ServiceNotifier::ready() {
    if (!ready_) {
        ready_ = true;
        sd_notify(0, "READY=1");
    }
}

void ServiceNotifier::status(const std::string& text) {
    if (text != last_status_) {
        last_status_ = text;
        sd_notify(0, ("STATUS=" + text).c_str());
    }
}

void ServiceNotifier::stopping() {
    sd_notify(0, "STOPPING=1");
}

void ServiceNotifier::ping_watchdog() {
    sd_notify(0, "WATCHDOG=1");
}

}  // namespace holdfast::relay::commands
