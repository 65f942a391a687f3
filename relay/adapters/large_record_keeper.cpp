#include "adapters/large_record_keeper.hpp"

#include <string>
#include <utility>

#include "base/backoff.hpp"
#include "base/errors.hpp"
#include "base/log.hpp"
#include "inbox/message_text.hpp"
#include "postgres/sql_error.hpp"

namespace holdfast::relay::adapters {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRetryInitial{100};
constexpr milliseconds kRetryCap{10'000};
constexpr std::string_view kInsufficientPrivilege = "42501";

inbox::Message message_of(const capture::LargeRecord& record) {
    inbox::Message message;
    message.key = record.key;
    message.value = record.value;
    message.headers = record.headers;
    return message;
}

/// What waiting does not settle.
[[noreturn]] void rethrow(const postgres::SqlError& error) {
    if (postgres::is_transient(error.sqlstate())) {
        throw RetryableError(error.what());
    }
    throw FatalError(
        error.sqlstate() == kInsufficientPrivilege ? ExitCode::kPermissionDenied
                                                   : ExitCode::kConfig,
        std::string("a record that is too large for its topic cannot be kept: ") + error.what(),
        "Run SELECT holdfast.grant_relay('role') as administrator, and see that extension and "
        "relay are of the same version; or have its topic's policy in [[too_large]] be halt.");
}

}  // namespace

LargeRecordKeeper::LargeRecordKeeper(postgres::ConnectOptions options,
                                     std::function<void()> answered)
    : options_(std::move(options)),
      answered_(std::move(answered)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void LargeRecordKeeper::keep(std::shared_ptr<const capture::LargeRecord> record) {
    const std::scoped_lock lock(mutex_);
    wanted_ = std::move(record);
    begun_ = false;
    kept_.reset();
    wake_.notify_one();
}

std::optional<capture::LargeRecordStore::Kept> LargeRecordKeeper::kept() {
    const std::scoped_lock lock(mutex_);
    if (failure_) {
        std::rethrow_exception(failure_);
    }
    return kept_;
}

void LargeRecordKeeper::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (wake_.wait(lock, stop, [this] { return wanted_ != nullptr && !begun_; })) {
        const std::shared_ptr<const capture::LargeRecord> record = wanted_;
        begun_ = true;
        lock.unlock();
        std::optional<Kept> kept;
        std::exception_ptr failure;
        try {
            kept = write(*record, stop);
        } catch (...) {
            failure = std::current_exception();
        }
        lock.lock();
        failure_ = failure;
        if (wanted_ == record) {
            kept_ = std::move(kept);
            wanted_.reset();
        }
        answered_();
        if (failure_) {
            return;
        }
    }
}

std::optional<capture::LargeRecordStore::Kept> LargeRecordKeeper::write(
    const capture::LargeRecord& record, const std::stop_token& stop) {
    Backoff backoff(kRetryInitial, kRetryCap);
    while (!stop.stop_requested()) {
        try {
            try {
                return write_once(record);
            } catch (const postgres::SqlError& error) {
                rethrow(error);
            }
        } catch (const RetryableError& error) {
            const milliseconds pause = backoff.next();
            log::warn("large_record_retry", {{"topic", record.topic},
                                             {"reason", error.what()},
                                             {"attempt", backoff.attempts()},
                                             {"backoff_ms", pause.count()}});
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, stop, pause, [] { return false; });
        }
    }
    return std::nullopt;
}

capture::LargeRecordStore::Kept LargeRecordKeeper::write_once(const capture::LargeRecord& record) {
    if (!session_ || !session_->usable()) {
        session_.reset();
        session_.emplace(options_);
    }
    const inbox::Message message = message_of(record);
    inbox::MessageText text;
    const inbox::PreparedMessage prepared = text.prepare(message);
    // The call's parameters are C strings: the prepared views, NUL-terminated.
    const auto terminated = [](const std::optional<std::string_view>& view) {
        return view ? std::optional<std::string>(*view) : std::nullopt;
    };
    const std::optional<std::string> key = terminated(prepared.key);
    const std::optional<std::string> value = terminated(prepared.value);
    const std::string encoding(prepared.encoding);
    const std::string size = std::to_string(record.size_bytes);
    const postgres::Parameter key_text = key ? key->c_str() : nullptr;
    const postgres::Parameter value_text = value ? value->c_str() : nullptr;
    const postgres::Parameter event_id =
        record.event_id.empty() ? nullptr : record.event_id.c_str();
    if (record.policy == capture::TooLargePolicy::kClaimCheck) {
        const postgres::Result row = session_->exec(
            "SELECT id, sha256 FROM holdfast.keep_large_record($1::text, $2::text, $3::text, "
            "$4::text, $5::jsonb, $6::text, $7::bigint)",
            {record.topic.c_str(), key_text, value_text, encoding.c_str(), text.headers.c_str(),
             event_id, size.c_str()});
        return {std::string(row.text(0, 0)), std::string(row.text(0, 1))};
    }
    const postgres::Result row = session_->exec(
        "SELECT holdfast.refuse_large_record($1::text, $2::text, $3::text, $4::text, $5::jsonb, "
        "$6::text, $7::text)",
        {record.topic.c_str(), key_text, value_text, encoding.c_str(), text.headers.c_str(),
         event_id, record.reason.c_str()});
    return {std::string(row.text(0, 0)), {}};
}

}  // namespace holdfast::relay::adapters
