#include "http/health.hpp"

#include <cstdio>

namespace holdfast::relay::http {
namespace {

void append_json_string(std::string& out, const std::string& text) {
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20) {
            char escaped[7];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(byte));
            out += escaped;
        } else {
            out += c;
        }
    }
    out += '"';
}

}  // namespace

Health assess(const HealthInputs& inputs) {
    Health health;
    if (inputs.halt_code != 0) {
        health.reasons.push_back(
            {"halted", inputs.halt_reason + ", exit code " + std::to_string(inputs.halt_code)});
    }
    if (!inputs.postgres_connected) {
        health.reasons.push_back(
            {"postgres_disconnected",
             inputs.waiting_for.empty()
                 ? "the replication stream does not run"
                 : "the replication stream does not run: " + inputs.waiting_for});
    }
    if (!inputs.kafka_connected) {
        health.reasons.push_back({"kafka_disconnected", "no broker is reachable"});
    }
    // Growth is what tells a stall from a quiet database, whose lag stays as it is.
    if (inputs.since_last_confirm >= kStallLimit &&
        inputs.lag_bytes > inputs.lag_bytes_at_last_confirm) {
        const auto seconds =
            std::chrono::duration_cast<std::chrono::seconds>(inputs.since_last_confirm).count();
        health.reasons.push_back({"stalled", "lag has grown from " +
                                                 std::to_string(inputs.lag_bytes_at_last_confirm) +
                                                 " to " + std::to_string(inputs.lag_bytes) +
                                                 " bytes and nothing has been confirmed for " +
                                                 std::to_string(seconds) + " s"});
    }
    health.ready = health.reasons.empty();
    return health;
}

std::string to_json(const Health& health) {
    if (health.ready) {
        return "{\"status\":\"ready\"}\n";
    }
    std::string out = "{\"status\":\"not ready\",\"reasons\":[";
    bool first = true;
    for (const Health::Reason& reason : health.reasons) {
        out += first ? "{\"code\":" : ",{\"code\":";
        first = false;
        append_json_string(out, reason.code);
        out += ",\"detail\":";
        append_json_string(out, reason.detail);
        out += '}';
    }
    out += "]}\n";
    return out;
}

void StallWatch::sample(std::chrono::steady_clock::time_point now, std::uint64_t confirmed_lsn,
                        std::uint64_t lag_bytes) {
    lag_bytes_ = lag_bytes;
    // While lag does not grow, the clock does not run: a quiet database is not a stall, and the
    // first order after a quiet hour must not look like one.
    if (confirmed_lsn != confirmed_lsn_ || lag_bytes <= lag_bytes_at_last_confirm_) {
        confirmed_lsn_ = confirmed_lsn;
        last_confirm_ = now;
        lag_bytes_at_last_confirm_ = lag_bytes;
    }
}

void StallWatch::describe(std::chrono::steady_clock::time_point now, HealthInputs& inputs) const {
    inputs.lag_bytes = lag_bytes_;
    inputs.lag_bytes_at_last_confirm = lag_bytes_at_last_confirm_;
    inputs.since_last_confirm =
        std::chrono::duration_cast<std::chrono::milliseconds>(now - last_confirm_);
}

}  // namespace holdfast::relay::http
