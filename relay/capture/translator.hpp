// From the messages of the stream to the records that they become: rows of an outbox and its
// logical messages through the event router of that outbox, everything else that the lists let
// through as change events.  Decides who is asked; knows neither source nor sink.
//
// Thread rule: one thread calls everything.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/lsn.hpp"
#include "capture/enum_labels.hpp"
#include "capture/incremental_snapshot.hpp"
#include "capture/resume_point.hpp"
#include "capture/table_catalog.hpp"
#include "debezium/change_events.hpp"
#include "debezium/event_router.hpp"
#include "debezium/record.hpp"
#include "debezium/topic_names.hpp"
#include "pgoutput/messages.hpp"
#include "pgoutput/relation_cache.hpp"

namespace holdfast::relay::capture {

struct TranslatorOptions {
    std::vector<debezium::EventRouterOptions> outboxes;     ///< each of another table
    std::optional<debezium::ConnectorOptions> connector{};  ///< nullopt = no change events
    std::string run_id{};                                   ///< header __debezium.context.runId
    std::optional<ResumePosition> resume_after{};  ///< what another program has sent already
};

class Translator {
 public:
    /// `catalog` may be null when there are no change events, and `snapshot` is of no use then.
    /// Throws FatalError(kConfig).
    Translator(TranslatorOptions options, TableCatalog* catalog,
               IncrementalSnapshot* snapshot = nullptr);
    // The snapshot asks it.
    Translator(const Translator&) = delete;
    Translator& operator=(const Translator&) = delete;

    /// Where the next stream begins: `confirmed`, or behind it when another program has sent what
    /// is between.  `confirmed` is the later of what the slot and this process have confirmed.
    [[nodiscard]] Lsn plan_start(Lsn confirmed) { return resume_.start(confirmed); }

    /// Whether the next stream has such a part, by the last plan_start().
    [[nodiscard]] bool resumes() const noexcept { return resume_.pending(); }

    /// Whether a keepalive must not confirm anything now (resume_point.hpp).
    [[nodiscard]] bool holds_confirmation() const noexcept { return resume_.holds_confirmation(); }

    /// A new stream begins, in which the OIDs of the last one mean nothing.  `last_commit`: end of
    /// the last transaction before it, 0 = not known.
    void attach(Lsn last_commit);

    /// What the message becomes: none, one, or several records, in their order.  They stay valid
    /// until the next call, and as long as the message's bytes.  Throws FatalError kMalformedEvent,
    /// kOutboxShapeChanged, kPublicationChanged; ProtocolError; what the catalogue throws.
    debezium::Records translate(const pgoutput::Message& message, const debezium::Frame& frame,
                                pgoutput::Timestamp server_time);

    debezium::Records heartbeat(std::int64_t now_us);

    /// Of the open transaction, or of the lone message that came last: for error messages, and for
    /// how long its records have been under way.
    [[nodiscard]] const debezium::EventRouter::Position& position() const { return position_; }

    [[nodiscard]] const debezium::TopicNames& topics() const { return topics_; }

 private:
    /// What becomes of a relation's changes.
    struct Target {
        enum class Kind { kRefused, kIgnored, kOutbox, kChangeEvents };
        Kind kind = Kind::kRefused;
        debezium::EventRouter* router = nullptr;  ///< of kOutbox
        EnumLabels enum_labels{};                 ///< of what is described by the catalogue
    };

    debezium::Records take(const pgoutput::Begin& begin);
    debezium::Records take(const pgoutput::Commit& commit);
    debezium::Records take(const pgoutput::Origin& origin);
    debezium::Records take(const pgoutput::Type& /*type*/) { return {}; }
    debezium::Records take(const pgoutput::Relation& relation);
    debezium::Records take(const pgoutput::Insert& insert);
    debezium::Records take(const pgoutput::Update& update);
    debezium::Records take(const pgoutput::Delete& deletion);
    debezium::Records take(const pgoutput::Truncate& truncate);
    debezium::Records take(const pgoutput::LogicalMessage& message);

    /// Leaves out what another program has sent already.
    debezium::Records unsent(debezium::Records records);

    /// What is about snapshots: the rows of a chunk, or nothing.
    debezium::Records take_snapshot_message(std::string_view content);
    /// Makes the definition with which the chunk was read that of the stream, if it is not.
    void bind(const SnapshotChunk& chunk);
    [[nodiscard]] bool captures_rows(std::string_view schema, std::string_view table) const;
    /// The events of a change whose row a chunk may have too.
    debezium::Records noted(debezium::Records events, pgoutput::RelationId relation,
                            pgoutput::Tuple new_row, pgoutput::Tuple old_row);

    [[nodiscard]] Target target_of(const pgoutput::Relation& relation);
    void describe(const pgoutput::Relation& relation);
    /// Describes the relation again when the row has a label that one of its enums has got since.
    void follow_enums(pgoutput::RelationId relation, Target& target, pgoutput::Tuple row);
    /// Throws FatalError(kPublicationChanged) for what the configuration has no use for.
    [[nodiscard]] Target& target_of_change(pgoutput::RelationId relation);
    void refuse_update(const debezium::EventRouter& router);

    debezium::TopicNames topics_;
    std::deque<debezium::EventRouter> routers_;
    std::optional<debezium::ChangeEvents> changes_;
    TableCatalog* catalog_;
    IncrementalSnapshot* snapshot_;
    ResumePoint resume_;
    bool follows_enums_;  ///< as releases from 3.7 on

    pgoutput::RelationCache relations_;
    std::unordered_map<std::uint32_t, Target> targets_;
    bool in_transaction_ = false;
    bool warned_of_update_ = false;  ///< once for each stream
    debezium::EventRouter::Position position_;
    debezium::Frame frame_;  ///< of the message that is being translated
};

}  // namespace holdfast::relay::capture
