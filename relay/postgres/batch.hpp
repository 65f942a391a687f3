// The batches of the output plugin `holdfast` (extension/src/backend/output_plugin.h has the
// grammar): many messages of pgoutput in one WAL data message, and marks that say what has been
// sent.
#pragma once

#include <optional>
#include <string_view>

#include "base/lsn.hpp"

namespace holdfast::relay::postgres {

/// Takes batches apart, one frame at a time.  Owns no bytes.
class Batch {
 public:
    struct Frame {
        Lsn lsn;
        std::string_view message;  ///< of pgoutput; empty = a mark: all before `lsn` has been sent
    };

    /// The batch that is read from now on; `bytes` must outlive its frames.
    void open(std::string_view bytes) { rest_ = bytes; }

    /// The next frame, or nullopt when the batch is used up.  Throws ProtocolError when it is cut.
    std::optional<Frame> next();

    /// How much of what a keepalive gives as the end of the WAL may be believed: what lies behind
    /// the last mark can still gather in the server.
    [[nodiscard]] Lsn believable(Lsn wal_end) const;

 private:
    std::string_view rest_;
    Lsn mark_;
};

}  // namespace holdfast::relay::postgres
