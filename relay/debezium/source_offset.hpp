// The offset that Kafka Connect keeps for a connector of Debezium's, in its offset file or offsets
// topic: the key says whose it is, the value how far it has come.
//
// Source: Debezium, PostgresOffsetContext and PostgresPartition; Kafka Connect,
// OffsetStorageWriter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/lsn.hpp"

namespace holdfast::relay::debezium {

/// `["connector",{"server":"topic.prefix"}]`
struct SourceOffsetKey {
    std::string connector;
    std::string server;
    bool operator==(const SourceOffsetKey&) const = default;

    /// nullopt when it is not such a key: other connectors' keys look otherwise.
    [[nodiscard]] static std::optional<SourceOffsetKey> parse(std::string_view json);
};

/// Members by Debezium's names; what is absent was not known to it.
struct SourceOffset {
    std::optional<Lsn> lsn;         ///< of the change or message that was handled last
    std::optional<Lsn> lsn_proc;    ///< of the one that was handled completely
    std::optional<Lsn> lsn_commit;  ///< end of the last transaction before
    std::optional<Xid> tx_id;
    std::optional<std::uint64_t> lsn_events_processed;  ///< since 3.7: changes at `lsn`
    std::string message_type;  ///< INSERT, UPDATE, DELETE, TRUNCATE, MESSAGE, BEGIN, COMMIT; or ""

    bool in_snapshot = false;           ///< the offset is a snapshot's
    bool last_snapshot_record = false;  ///< of its last row
    bool snapshot_completed = false;
    bool in_incremental_snapshot = false;

    /// Throws FatalError(kConfig) when it is not JSON of this shape: a number that is no position,
    /// a member that appears twice.  Members that do not matter here are passed over.
    [[nodiscard]] static SourceOffset parse(std::string_view json);
};

}  // namespace holdfast::relay::debezium
