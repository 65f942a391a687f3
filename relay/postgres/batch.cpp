#include "postgres/batch.hpp"

#include <algorithm>

#include "base/byte_reader.hpp"

namespace holdfast::relay::postgres {

std::optional<Batch::Frame> Batch::next() {
    if (rest_.empty()) {
        return std::nullopt;
    }
    ByteReader reader(rest_);
    const std::uint32_t length = reader.u32();
    Frame frame;
    frame.lsn = Lsn{reader.u64()};
    frame.message = reader.bytes(length);
    rest_.remove_prefix(reader.offset());
    if (frame.message.empty()) {
        mark_ = std::max(mark_, frame.lsn);
    }
    return frame;
}

Lsn Batch::believable(Lsn wal_end) const {
    return std::min(wal_end, mark_);
}

}  // namespace holdfast::relay::postgres
