// The records that the sink has and has not reported on, and how much they weigh.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/errors.hpp"
#include "base/lsn.hpp"
#include "capture/ack_tracker.hpp"
#include "capture/ring.hpp"

namespace holdfast::relay::capture {

/// What is remembered of a record until its report comes.
struct InFlightRecord {
    /// A UUID fits; longer ids are cut, for they only serve messages and position records.
    static constexpr std::size_t kMaxIdLength = 39;

    AckTracker::Ticket transaction = 0;
    Lsn lsn;                          ///< of its transaction or message
    std::int64_t commit_time_us = 0;  ///< Unix time
    std::uint32_t topic = 0;          ///< number in TopicNames
    std::uint32_t key_bytes = 0;
    std::uint32_t value_bytes = 0;
    bool reported = false;
    std::uint8_t id_length = 0;
    std::array<char, kMaxIdLength> id_bytes{};

    void set_id(std::string_view id) noexcept {
        id_length = static_cast<std::uint8_t>(std::min(id.size(), kMaxIdLength));
        std::copy_n(id.begin(), id_length, id_bytes.begin());
    }
    [[nodiscard]] std::uint32_t bytes() const noexcept { return key_bytes + value_bytes; }
    [[nodiscard]] std::string_view id() const noexcept { return {id_bytes.data(), id_length}; }
};

/// Not thread-safe.  O(1), and no allocation unless more is in flight than ever before.
class InFlight {
 public:
    /// What a record costs in memory beside its key and value, here and in a producer's queue.
    static constexpr std::int64_t kOverheadBytes = 512;

    /// Ticket that the next add() will give.
    [[nodiscard]] std::uint64_t next_ticket() const noexcept { return records_.end_number(); }

    void add(const InFlightRecord& record) {
        records_.push_back() = record;
        payload_bytes_ += record.bytes();
        ++count_;
    }

    /// The record that a report is about.  It stays valid until the next call.  Throws FatalError
    /// when there is none, or it was reported before.
    const InFlightRecord& take(std::uint64_t ticket) {
        while (!records_.empty() && records_.front().reported) {
            records_.pop_front();
        }
        if (!records_.contains(ticket) || records_[ticket].reported) {
            throw FatalError(ExitCode::kInternal, "a delivery report for a record that is unknown");
        }
        InFlightRecord& record = records_[ticket];
        record.reported = true;
        payload_bytes_ -= record.bytes();
        --count_;
        return record;
    }

    /// Keys and values.
    [[nodiscard]] std::int64_t payload_bytes() const noexcept { return payload_bytes_; }
    /// What they cost in memory.
    [[nodiscard]] std::int64_t bytes() const noexcept {
        return payload_bytes_ + (count_ * kOverheadBytes);
    }
    [[nodiscard]] std::int64_t count() const noexcept { return count_; }

 private:
    Ring<InFlightRecord> records_{1024};
    std::int64_t payload_bytes_ = 0;
    std::int64_t count_ = 0;
};

}  // namespace holdfast::relay::capture
