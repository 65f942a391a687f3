// The field `source` of change events: which connector, which table, and where in the WAL.
//
// Source: Debezium, AbstractSourceInfoStructMaker and PostgresSourceInfoStructMaker;
// docs/message-format.md, "Change events".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/lsn.hpp"
#include "debezium/connect_schema.hpp"
#include "debezium/connector_options.hpp"
#include "pgoutput/messages.hpp"

namespace holdfast::relay::debezium {

/// `io.debezium.connector.postgresql.Source`
[[nodiscard]] ConnectSchema source_schema();

/// What differs from event to event.
struct SourcePosition {
    std::int64_t time_us = 0;   ///< of the commit, or when a snapshot's row was read; Unix time
    std::string_view snapshot;  ///< JSON of the marker
    Lsn sequence_lsn;           ///< the second of `sequence`; 0 = null
    Lsn lsn;                    ///< 0 = null
    std::optional<Xid> xid;
};

/// Not thread-safe.  Keeps what goes from one transaction to the next.
class SourceBlock {
 public:
    explicit SourceBlock(const ConnectorOptions& options);

    /// Text for append(), made once per table; both names are empty for logical messages.
    [[nodiscard]] static std::string table_members(std::string_view schema, std::string_view table);

    /// End of the newest transaction before this one, the first of `sequence`; 0 = none yet.
    void set_last_commit(Lsn lsn) noexcept { last_commit_ = lsn; }
    void set_origin(const pgoutput::Origin& origin);
    void clear_origin();

    /// Marker of what does not come from a snapshot.
    [[nodiscard]] std::string_view streaming() const noexcept { return streaming_; }

    /// Appends the JSON object.
    void append(std::string_view table_members, const SourcePosition& position,
                std::string& json) const;

 private:
    std::string before_time_;  ///< {"version":...,"ts_ms":
    std::string database_;     ///< ,"db":...,"sequence":"[
    std::string_view streaming_;
    Lsn last_commit_;
    std::string origin_;  ///< ,"xmin":null,"origin":...}
};

}  // namespace holdfast::relay::debezium
