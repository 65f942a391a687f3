// Is the relay doing its job?  Pure: inputs in, verdict out, so that every case is a unit test.
//
// "Live" means that the process answers.  "Ready" means that events flow or could flow: both sides
// are connected, no halt is under way, and it is not the case that WAL piles up unconfirmed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::relay::http {

/// How long lag may grow without a confirmation before the relay stops calling itself ready.
inline constexpr std::chrono::seconds kStallLimit{30};

/// What the verdict depends on, sampled at one moment.
struct HealthInputs {
    bool postgres_connected = false;  ///< the replication stream runs
    bool kafka_connected = false;     ///< at least one broker is reachable
    int halt_code = 0;                ///< exit code of a halt that is under way, 0 = none
    std::string halt_reason;          ///< name of that code, for example "slot_lost"
    std::string waiting_for;          ///< why the stream does not run, when known; may be empty
    std::uint64_t lag_bytes = 0;      ///< WAL that is not confirmed yet
    /// Lag when the confirmed position moved last.
    std::uint64_t lag_bytes_at_last_confirm = 0;
    std::chrono::milliseconds since_last_confirm{0};
};

struct Health {
    bool ready = false;
    /// Why not, one stable word plus detail each; empty when ready.
    struct Reason {
        std::string code;    ///< postgres_disconnected, kafka_disconnected, halted, stalled
        std::string detail;  ///< a sentence for people; never row content or secrets
    };
    std::vector<Reason> reasons;
};

/// The verdict.  Lists every reason, not only the first.
[[nodiscard]] Health assess(const HealthInputs& inputs);

/// {"status":"ready"} or {"status":"not ready","reasons":[{"code":...,"detail":...}]}.
[[nodiscard]] std::string to_json(const Health& health);

/// Remembers when the confirmed position moved last, or lag last did not grow, and how large the
/// lag was then.  Feed it at least once a second or so; not thread-safe.
class StallWatch {
 public:
    explicit StallWatch(std::chrono::steady_clock::time_point now) : last_confirm_(now) {}

    void sample(std::chrono::steady_clock::time_point now, std::uint64_t confirmed_lsn,
                std::uint64_t lag_bytes);

    /// Fills the three lag members of `inputs`.
    void describe(std::chrono::steady_clock::time_point now, HealthInputs& inputs) const;

 private:
    std::chrono::steady_clock::time_point last_confirm_;
    std::uint64_t confirmed_lsn_ = 0;
    std::uint64_t lag_bytes_ = 0;
    std::uint64_t lag_bytes_at_last_confirm_ = 0;
};

}  // namespace holdfast::relay::http
