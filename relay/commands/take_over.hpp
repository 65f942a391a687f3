// Takes over the replication slot of a connector of Debezium's: from its stored offset and the slot
// as it is, where the relay has to go on.  Changes nothing, neither there nor in the database: what
// it finds goes into the configuration, so the connector can be started again as long as the relay
// has not run.
//
// Sources: Debezium, PostgresOffsetContext and WalPositionLocator; docs/migrating-from-debezium.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/lsn.hpp"
#include "capture/resume_point.hpp"
#include "commands/debezium_import.hpp"
#include "debezium/offset_file.hpp"
#include "debezium/source_offset.hpp"
#include "postgres/catalog.hpp"
#include "postgres/session.hpp"

namespace holdfast::relay::commands {

/// The offset of the connector, by its topic prefix and, unless it is "", its name.  Throws
/// FatalError(kConfig) when there is none, or more than one.
[[nodiscard]] debezium::SourceOffset find_offset(const std::vector<debezium::StoredOffset>& offsets,
                                                 const std::string& connector,
                                                 const std::string& topic_prefix);

/// What the offset says has been sent.  Throws FatalError(kConfig) when that cannot be told:
/// a snapshot is under way, or the offset is of no known kind.
[[nodiscard]] capture::ResumePosition resume_position(const debezium::SourceOffset& offset);

/// Throws FatalError when the relay cannot go on from `position` with the slot: kSlotMissing,
/// kSlotLost, kConfig, kWrongCluster, kUnavailable (a connector still reads it).
void require_takeable(const std::optional<postgres::SlotRow>& slot, const std::string& name,
                      const std::string& database, Lsn wal_end,
                      const capture::ResumePosition& position);

/// All of the above against the server.
[[nodiscard]] TakenOver take_over(postgres::Session& session, const std::string& slot,
                                  const capture::ResumePosition& position);

}  // namespace holdfast::relay::commands
