#include "postgres/notify_calls.hpp"

#include <array>

namespace holdfast::relay::postgres {
namespace {

Parameter or_null(const std::optional<std::string>& text) {
    return text ? text->c_str() : nullptr;
}

/// The numbers of a message as text, and all of it as the first parameters of a call.
class Parameters {
 public:
    explicit Parameters(const NotifyMessage& message)
        : partition_(std::to_string(message.partition)),
          owner_epoch_(std::to_string(message.owner_epoch)),
          first_offset_(std::to_string(message.first_offset)),
          offset_(std::to_string(message.offset)),
          all_{message.consumer.c_str(),
               message.handler.c_str(),
               message.topic.c_str(),
               partition_.c_str(),
               owner_epoch_.c_str(),
               first_offset_.c_str(),
               offset_.c_str(),
               or_null(message.key),
               or_null(message.value),
               message.encoding.c_str(),
               message.headers.c_str(),
               nullptr,
               nullptr} {}
    Parameters(const Parameters&) = delete;
    Parameters& operator=(const Parameters&) = delete;

    [[nodiscard]] std::span<const Parameter> message() const {
        return std::span(all_).first<kOfMessage>();
    }
    [[nodiscard]] std::span<const Parameter> with_error(const char* sqlstate, const char* error) {
        all_[kOfMessage] = sqlstate;
        all_[kOfMessage + 1] = error;
        return all_;
    }

 private:
    static constexpr std::size_t kOfMessage = 11;
    std::string partition_;
    std::string owner_epoch_;
    std::string first_offset_;
    std::string offset_;
    std::array<Parameter, kOfMessage + 2> all_;
};

std::string interval(std::chrono::milliseconds wait) {
    return std::to_string(wait.count()) + " milliseconds";
}

}  // namespace

void NotifyCalls::verify_notify() {
    guarded([](Session& session) {
        const Result found = session.exec(
            "SELECT count(*), count(*) FILTER (WHERE "
            "  pg_catalog.has_function_privilege(p.oid, 'EXECUTE')) "
            "FROM pg_catalog.pg_proc p "
            "JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'holdfast' "
            "WHERE p.proname IN ('notify_admit', 'notify_record', 'notify_take', 'notify_settle')");
        if (found.int64(0, 0) != 4) {
            throw FatalError(ExitCode::kConfig, "the extension cannot notify endpoints",
                             "Extension and relay are of different versions: install them "
                             "together.");
        }
        if (found.int64(0, 1) != 4) {
            throw FatalError(ExitCode::kPermissionDenied,
                             "the relay may not execute notify_admit and its like",
                             "Run SELECT holdfast.grant_relay('role') as administrator.");
        }
        return 0;
    });
}

NotifyAdmission NotifyCalls::admit(const NotifyMessage& message) {
    const Parameters parameters(message);
    return guarded([&](Session& session) {
        const Result row = session.exec_prepared(
            "notify_admit",
            "SELECT event_id, outcome FROM holdfast.notify_admit($1::text, $2::text, $3::text, "
            "$4::int, $5::bigint, $6::bigint, $7::bigint, $8::text, $9::text, $10::text, "
            "$11::jsonb)",
            parameters.message());
        return NotifyAdmission{std::string(row.text(0, 0)), std::string(row.text(0, 1))};
    });
}

std::string NotifyCalls::record(const NotifyMessage& message, const char* sqlstate,
                                const char* error) {
    Parameters parameters(message);
    return guarded([&](Session& session) {
        const Result row = session.exec_prepared(
            "notify_record",
            "SELECT holdfast.notify_record($1::text, $2::text, $3::text, $4::int, $5::bigint, "
            "$6::bigint, $7::bigint, $8::text, $9::text, $10::text, $11::jsonb, $12::text, "
            "$13::text)",
            parameters.with_error(sqlstate, error));
        return std::string(row.text(0, 0));
    });
}

std::optional<NotifyQueued> NotifyCalls::take(const std::string& consumer, const std::string& topic,
                                              std::chrono::milliseconds lease) {
    const std::string wait = interval(lease);
    const std::array<Parameter, 3> parameters{consumer.c_str(), topic.c_str(), wait.c_str()};
    return guarded([&](Session& session) -> std::optional<NotifyQueued> {
        const Result row = session.exec_prepared(
            "notify_take",
            "SELECT id, attempt, event_id, value, encoding, event_type, traceparent "
            "FROM holdfast.notify_take($1::text, $2::text, $3::interval)",
            parameters);
        if (row.empty()) {
            return std::nullopt;
        }
        NotifyQueued queued{.id = row.int64(0, 0),
                            .attempt = static_cast<std::int32_t>(row.int64(0, 1)),
                            .event_id = std::string(row.text(0, 2)),
                            .value = {},
                            .encoding = std::string(row.text(0, 4)),
                            .event_type = std::string(row.text(0, 5)),
                            .traceparent = std::string(row.text(0, 6))};
        if (const auto value = row.nullable(0, 3)) {
            queued.value = std::string(*value);
        }
        return queued;
    });
}

void NotifyCalls::settle(std::int64_t id, std::int32_t attempt, const char* status,
                         std::chrono::milliseconds retry_in, const char* sqlstate,
                         const char* message) {
    const std::string entry = std::to_string(id);
    const std::string number = std::to_string(attempt);
    const std::string wait = interval(retry_in);
    const std::array<Parameter, 6> parameters{entry.c_str(), number.c_str(), status,
                                              wait.c_str(),  sqlstate,       message};
    guarded([&](Session& session) {
        session.exec_prepared("notify_settle",
                              "SELECT holdfast.notify_settle($1::bigint, $2::int, $3::text, "
                              "$4::interval, $5::text, $6::text)",
                              parameters);
        return 0;
    });
}

}  // namespace holdfast::relay::postgres
