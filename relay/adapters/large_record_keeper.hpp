// capture::LargeRecordStore in the database: holdfast.large_record for claim checks,
// holdfast.dead_letter for what becomes a dead letter.  A thread of its own writes them, over a
// connection of its own, for as long as it takes; the pipeline goes on with acknowledgements and
// status updates meanwhile.
//
// Thread rule: the pipeline's thread calls everything.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "capture/large_records.hpp"
#include "postgres/connect_options.hpp"
#include "postgres/session.hpp"

namespace holdfast::relay::adapters {

class LargeRecordKeeper final : public capture::LargeRecordStore {
 public:
    /// `answered` is called from the keeper's thread when kept() has something to say.
    LargeRecordKeeper(postgres::ConnectOptions options, std::function<void()> answered);

    void keep(std::shared_ptr<const capture::LargeRecord> record) override;
    std::optional<Kept> kept() override;

 private:
    void run(const std::stop_token& stop);
    /// Until it is written.  nullopt: the keeper is to end.
    std::optional<Kept> write(const capture::LargeRecord& record, const std::stop_token& stop);
    Kept write_once(const capture::LargeRecord& record);

    postgres::ConnectOptions options_;
    std::function<void()> answered_;
    std::optional<postgres::Session> session_;  ///< the thread's

    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::shared_ptr<const capture::LargeRecord> wanted_;
    bool begun_ = false;  ///< the thread has taken `wanted_`
    std::optional<Kept> kept_;
    std::exception_ptr failure_;

    std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace holdfast::relay::adapters
