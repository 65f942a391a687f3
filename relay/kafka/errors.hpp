// What a librdkafka error code means for the caller.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>

namespace holdfast::relay::kafka {

enum class ErrorClass {
    kNone,
    kRetriable,        ///< brokers unreachable, leader moving: trying again is right
    kMessageTooLarge,  ///< this record can never be delivered as the topic is configured
    kTopicMissing,     ///< no such topic, or no such partition of it
    kDenied,           ///< authentication or authorisation
    kFenced,           ///< another client with this identity has taken over
    kOffsetGap,        ///< the wanted offset is no longer, or not yet, in the log
    kFatal,            ///< anything else that does not heal by itself
};

[[nodiscard]] ErrorClass classify(rd_kafka_resp_err_t code);

/// "Broker: Message size too large (MSG_SIZE_TOO_LARGE)"
[[nodiscard]] std::string describe(rd_kafka_resp_err_t code);

/// Throws what `code` means: RetryableError, or FatalError with kMessageTooLarge, kTopicMissing,
/// kPermissionDenied, kInboxOffsetGap or kInternal.  `what` names the operation and its object.
[[noreturn]] void throw_error(rd_kafka_resp_err_t code, const std::string& what);

}  // namespace holdfast::relay::kafka
