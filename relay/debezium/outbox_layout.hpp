// Where an outbox keeps what its event router needs: columns by position, bound once for each
// Relation message.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "debezium/connect_column.hpp"
#include "debezium/event_router_options.hpp"
#include "debezium/table_description.hpp"
#include "pgoutput/messages.hpp"

namespace holdfast::relay::debezium {

/// A column, where it is in a row, and what becomes of it.
struct BoundColumn {
    std::size_t index = 0;
    ConnectColumn column;
    std::string alias;  ///< of a header or of a member of the envelope
    std::string head;   ///< `{"schema":...,"payload":` where a converter of JSON wants it; else ""
};

struct OutboxLayout {
    std::size_t column_count = 0;
    BoundColumn id;
    BoundColumn key;
    BoundColumn payload;
    std::size_t route = 0;
    std::optional<std::size_t> timestamp;
    std::optional<std::size_t> headers;
    std::optional<std::size_t> type;        ///< for CloudEvents only, as the next
    std::optional<std::size_t> created_at;  ///< where no other column is the timestamp
    std::optional<std::size_t> trace_context;
    std::optional<std::size_t> partition;
    std::optional<std::size_t> schema_version;
    std::vector<BoundColumn> header_placements;
    std::vector<BoundColumn> envelope_placements;
    /// Some placement is one of the envelope, be its column there or not.
    bool has_envelope = false;
    bool payload_is_json = false;
};

/// Finds the columns.  `table` is what the catalogue says of the outbox; without one (null) every
/// column is the text that it is.  Throws FatalError(kOutboxShapeChanged) naming what is missing,
/// or does not fit its converter or placement.
[[nodiscard]] OutboxLayout bind_outbox(const EventRouterOptions& options,
                                       const std::vector<AdditionalPlacement>& placements,
                                       const pgoutput::Relation& outbox,
                                       const TableDescription* table);

/// The layout of logical messages, whose members are strings: placements by name, no positions.
[[nodiscard]] OutboxLayout message_layout(const EventRouterOptions& options,
                                          const std::vector<AdditionalPlacement>& placements);

}  // namespace holdfast::relay::debezium
