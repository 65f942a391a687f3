#include "base/errors.hpp"

namespace holdfast::relay {

std::string_view exit_code_name(ExitCode code) {
    switch (code) {
        case ExitCode::kOk:
            return "ok";
        case ExitCode::kSlotMissing:
            return "slot_missing";
        case ExitCode::kSlotLost:
            return "slot_lost";
        case ExitCode::kPublicationMissing:
            return "publication_missing";
        case ExitCode::kPublicationChanged:
            return "publication_changed";
        case ExitCode::kWrongCluster:
            return "wrong_cluster";
        case ExitCode::kOutboxShapeChanged:
            return "outbox_shape_changed";
        case ExitCode::kMessageTooLarge:
            return "message_too_large";
        case ExitCode::kInboxOffsetGap:
            return "inbox_offset_gap";
        case ExitCode::kPermissionDenied:
            return "permission_denied";
        case ExitCode::kTopicMissing:
            return "topic_missing";
        case ExitCode::kMalformedEvent:
            return "malformed_event";
        case ExitCode::kUsage:
            return "usage";
        case ExitCode::kUnavailable:
            return "unavailable";
        case ExitCode::kInternal:
            return "internal_error";
        case ExitCode::kConfig:
            return "configuration";
    }
    return "unknown";
}

std::string quoted(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

}  // namespace holdfast::relay
