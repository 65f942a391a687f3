#include "adapters/stream_source.hpp"

namespace holdfast::relay::adapters {

capture::SourceMessage StreamSource::next() {
    using Kind = capture::SourceMessage::Kind;
    const postgres::StreamMessage message = stream_.next();
    Kind kind = Kind::kNothing;
    switch (message.kind) {
        case postgres::StreamMessage::Kind::kNothing:
            return {};
        case postgres::StreamMessage::Kind::kWalData:
            kind = Kind::kWalData;
            break;
        case postgres::StreamMessage::Kind::kKeepalive:
            kind = Kind::kKeepalive;
            break;
    }
    return {.kind = kind,
            .wal_start = message.wal_start,
            .wal_end = message.wal_end,
            .server_time_us = message.server_time_us,
            .reply_requested = message.reply_requested,
            .payload = message.payload};
}

void StreamSource::send_status(Lsn received, Lsn confirmed) {
    stream_.send_status(received, confirmed, confirmed);
}

}  // namespace holdfast::relay::adapters
