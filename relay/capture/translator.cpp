#include "capture/translator.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/errors.hpp"
#include "base/log.hpp"

namespace holdfast::relay::capture {

using debezium::Records;

namespace {

/// Whether a row of one can be read as a row of the other.
bool same_layout(const pgoutput::CachedRelation& a, const pgoutput::CachedRelation& b) {
    return a.schema() == b.schema() && a.name() == b.name() &&
           std::ranges::equal(a.columns(), b.columns(), [](const auto& left, const auto& right) {
               return left.name == right.name && left.type == right.type &&
                      left.modifier == right.modifier;
           });
}

std::vector<pgoutput::Column> columns_of(const pgoutput::CachedRelation& relation) {
    std::vector<pgoutput::Column> columns;
    columns.reserve(relation.columns().size());
    for (const pgoutput::CachedRelation::Column& column : relation.columns()) {
        columns.push_back({column.part_of_key, column.name, column.type, column.modifier});
    }
    return columns;
}

/// The message that it was made from; views both.
pgoutput::Relation relation_of(const pgoutput::CachedRelation& relation,
                               const std::vector<pgoutput::Column>& columns) {
    return {.id = relation.id(),
            .schema = relation.schema(),
            .name = relation.name(),
            .replica_identity = relation.replica_identity(),
            .columns = columns};
}

}  // namespace

Translator::Translator(TranslatorOptions options, TableCatalog* catalog,
                       IncrementalSnapshot* snapshot)
    : catalog_(catalog),
      snapshot_(options.connector ? snapshot : nullptr),
      follows_enums_(!options.connector ||
                     options.connector->compat_version != debezium::CompatVersion::k36) {
    if (options.resume_after) {
        resume_ = ResumePoint(*options.resume_after);
    }
    for (debezium::EventRouterOptions& outbox : options.outboxes) {
        routers_.emplace_back(std::move(outbox), topics_);
    }
    if (options.connector) {
        changes_.emplace(std::move(*options.connector), topics_, std::move(options.run_id));
    }
    if (snapshot_ != nullptr) {
        snapshot_->begin_pipeline([this](std::string_view schema, std::string_view table) {
            return captures_rows(schema, table);
        });
    }
}

void Translator::attach(Lsn last_commit) {
    relations_.clear();
    targets_.clear();
    in_transaction_ = false;
    warned_of_update_ = false;
    if (changes_) {
        changes_->unbind_all();
        changes_->resume_from(resume_.pending() ? resume_.last_commit().value_or(Lsn{})
                                                : last_commit);
    }
    if (snapshot_ != nullptr) {
        snapshot_->attach();
    }
}

Records Translator::translate(const pgoutput::Message& message, const debezium::Frame& frame,
                              pgoutput::Timestamp server_time) {
    frame_ = frame;
    if (!in_transaction_) {
        position_ = {frame.lsn, server_time};
    }
    return std::visit([this](const auto& known) { return take(known); }, message);
}

Records Translator::heartbeat(std::int64_t now_us) {
    return changes_ ? changes_->heartbeat(now_us) : Records{};
}

// ---- Transactions

Records Translator::take(const pgoutput::Begin& begin) {
    in_transaction_ = true;
    position_ = {begin.final_lsn, begin.commit_time};
    resume_.begin(begin.xid, begin.final_lsn);
    if (snapshot_ != nullptr) {
        snapshot_->begin(begin.xid);
    }
    const Records records = changes_ ? changes_->begin(begin, frame_) : Records{};
    return resume_.begin_sent() ? Records{} : records;
}

Records Translator::take(const pgoutput::Commit& commit) {
    in_transaction_ = false;
    resume_.commit();
    if (snapshot_ != nullptr) {
        snapshot_->commit(commit.end_lsn);
    }
    return changes_ ? changes_->commit(commit, frame_) : Records{};
}

Records Translator::take(const pgoutput::Origin& origin) {
    if (changes_) {
        changes_->origin(origin);
    }
    return {};
}

// ---- Definitions

Translator::Target Translator::target_of(const pgoutput::Relation& relation) {
    const auto router = std::ranges::find_if(
        routers_, [&](const auto& candidate) { return candidate.is_outbox(relation); });
    if (router != routers_.end()) {
        return {Target::Kind::kOutbox, &*router};
    }
    if (!changes_) {
        return {};
    }
    return {changes_->captures(relation.schema, relation.name) ? Target::Kind::kChangeEvents
                                                               : Target::Kind::kIgnored};
}

Records Translator::take(const pgoutput::Relation& relation) {
    const pgoutput::CachedRelation& known = relations_.put(relation);
    if (snapshot_ != nullptr) {
        snapshot_->define(known);
    }
    describe(relation);
    return {};
}

void Translator::describe(const pgoutput::Relation& relation) {
    Target target = target_of(relation);
    const bool is_described = catalog_ != nullptr && (target.kind == Target::Kind::kOutbox ||
                                                      target.kind == Target::Kind::kChangeEvents);
    if (is_described) {
        const debezium::TableDescription table = catalog_->describe(relation);
        if (target.kind == Target::Kind::kChangeEvents) {
            changes_->bind(relation, table);
        } else {
            target.router->bind(relation, &table);
            if (changes_) {
                changes_->bind_counted(relation, table);
            }
        }
        if (follows_enums_) {
            target.enum_labels = EnumLabels(relation, table);
        }
    } else if (target.kind == Target::Kind::kOutbox) {
        target.router->bind(relation);
    }
    targets_[relation.id.value] = std::move(target);
}

void Translator::follow_enums(pgoutput::RelationId relation, Target& target, pgoutput::Tuple row) {
    if (!target.enum_labels.lack(row)) {
        return;
    }
    const pgoutput::CachedRelation& known = relations_.get(relation);
    const std::vector<pgoutput::Column> columns = columns_of(known);
    describe(relation_of(known, columns));
    target.enum_labels.learn(row);
}

Translator::Target& Translator::target_of_change(pgoutput::RelationId relation) {
    const auto found = targets_.find(relation.value);
    if (found != targets_.end() && found->second.kind != Target::Kind::kRefused) {
        return found->second;
    }
    throw FatalError(ExitCode::kPublicationChanged,
                     "the publication sends changes of " +
                         relations_.get(relation).qualified_name() + ", which is not the outbox" +
                         (routers_.empty() ? "" : " " + routers_.front().options().table),
                     "Publish the outbox alone, WITH (publish = 'insert', "
                     "publish_via_partition_root = true), or set \"topic.prefix\" in [connector] "
                     "to have the changes of other tables.");
}

// ---- Changes

Records Translator::take(const pgoutput::Insert& insert) {
    Target& target = target_of_change(insert.relation);
    follow_enums(insert.relation, target, insert.new_row);
    switch (target.kind) {
        case Target::Kind::kOutbox:
            if (changes_) {
                changes_->count(insert);
            }
            return unsent({&target.router->route_row(insert.new_row, position_), 1});
        case Target::Kind::kChangeEvents:
            return unsent(
                noted(changes_->insert(insert, frame_), insert.relation, insert.new_row, {}));
        case Target::Kind::kIgnored:
        case Target::Kind::kRefused:
            break;
    }
    return unsent({});
}

Records Translator::take(const pgoutput::Update& update) {
    Target& target = target_of_change(update.relation);
    follow_enums(update.relation, target, update.new_row);
    if (target.kind == Target::Kind::kOutbox) {
        refuse_update(*target.router);
        if (changes_) {
            changes_->count(update);
        }
    }
    if (target.kind != Target::Kind::kChangeEvents) {
        return unsent({});
    }
    return unsent(noted(changes_->update(update, frame_), update.relation, update.new_row,
                        update.old_row ? update.old_row->row : pgoutput::Tuple{}));
}

Records Translator::take(const pgoutput::Delete& deletion) {
    const Target& target = target_of_change(deletion.relation);
    if (target.kind == Target::Kind::kChangeEvents) {
        return unsent(
            noted(changes_->remove(deletion, frame_), deletion.relation, {}, deletion.old_row.row));
    }
    // Tidying up an outbox is no event, there as here.
    if (target.kind == Target::Kind::kOutbox && changes_) {
        changes_->count(deletion);
    }
    return unsent({});
}

Records Translator::take(const pgoutput::Truncate& truncate) {
    const auto captured = std::ranges::count_if(truncate.relations, [this](auto relation) {
        return target_of_change(relation).kind == Target::Kind::kChangeEvents;
    });
    if (snapshot_ != nullptr) {
        std::ranges::for_each(truncate.relations, [this](auto id) { snapshot_->truncate(id); });
    }
    Records records = changes_ ? changes_->truncate(truncate, frame_) : Records{};
    // One record for each captured table, or none at all when truncates are skipped.
    for (auto table = captured; table > 0; --table) {
        if (resume_.sent(frame_.lsn) && !records.empty()) {
            records = records.subspan(1);
        }
    }
    return records;
}

Records Translator::take(const pgoutput::LogicalMessage& message) {
    if (!message.transactional) {
        resume_.lone_message(message.lsn);
    }
    if (message.prefix == kSnapshotPrefix) {
        const Records records = take_snapshot_message(message.content);
        return message.transactional ? unsent(records) : records;
    }
    const auto router = std::ranges::find_if(
        routers_, [&](const auto& candidate) { return candidate.is_event(message); });
    if (router != routers_.end()) {
        if (!in_transaction_) {
            position_.lsn = message.lsn;
        }
        if (changes_) {
            changes_->count(message, frame_);
        }
        const Records records{&router->route_message(message, position_), 1};
        return message.transactional ? unsent(records) : records;
    }
    const Records records = changes_ ? changes_->message(message, frame_) : Records{};
    return message.transactional ? unsent(records) : records;
}

Records Translator::unsent(Records records) {
    if (!resume_.sent(frame_.lsn)) {
        return records;
    }
    return resume_.was_last() && !records.empty() ? records.subspan(1) : Records{};
}

// ---- Snapshots

bool Translator::captures_rows(std::string_view schema, std::string_view table) const {
    const pgoutput::Relation relation{
        .id = {}, .schema = schema, .name = table, .replica_identity = 'd', .columns = {}};
    return changes_->captures(schema, table) &&
           std::ranges::none_of(routers_,
                                [&](const auto& router) { return router.is_outbox(relation); });
}

Records Translator::noted(Records events, pgoutput::RelationId relation, pgoutput::Tuple new_row,
                          pgoutput::Tuple old_row) {
    // Where an operation is skipped, the row that was read is all that a consumer gets.
    if (snapshot_ != nullptr && snapshot_->watches(relation) && !events.empty()) {
        snapshot_->change(relations_.get(relation), new_row, old_row);
    }
    return events;
}

Records Translator::take_snapshot_message(std::string_view content) {
    const SnapshotChunk* const chunk = snapshot_ == nullptr ? nullptr : snapshot_->message(content);
    if (chunk == nullptr || snapshot_->rows().empty()) {
        return {};
    }
    bind(*chunk);
    const pgoutput::RelationId relation = chunk->relation.id();
    Target& target = target_of_change(relation);
    for (const pgoutput::Tuple row : snapshot_->rows()) {
        follow_enums(relation, target, row);
    }
    return changes_->snapshot_rows(relation, snapshot_->rows(),
                                   debezium::SnapshotMarker::kIncremental,
                                   {.lsn = {}, .xid = {}, .now_us = chunk->read_time_us});
}

void Translator::bind(const SnapshotChunk& chunk) {
    const pgoutput::CachedRelation& relation = chunk.relation;
    const pgoutput::CachedRelation* const known = relations_.find(relation.id());
    if (known != nullptr && same_layout(*known, relation)) {
        return;
    }
    // What the stream knows, if anything, is older: it describes the table again before the next
    // change.
    const std::vector<pgoutput::Column> columns = columns_of(relation);
    take(relation_of(relation, columns));
}

void Translator::refuse_update(const debezium::EventRouter& router) {
    if (router.invalid_operation() == debezium::InvalidOperation::kFatal) {
        throw FatalError(ExitCode::kMalformedEvent,
                         "update of an outbox row at " + position_.lsn.to_string() +
                             " (table.op.invalid.behavior = fatal)",
                         "An outbox is written by INSERT only.");
    }
    if (!std::exchange(warned_of_update_, true)) {
        const auto level = router.invalid_operation() == debezium::InvalidOperation::kWarn
                               ? log::Level::kWarn
                               : log::Level::kError;
        log::write(
            level, "outbox_operation_ignored",
            {{"operation", "update"}, {"table", router.options().table}, {"lsn", position_.lsn}});
    }
}

}  // namespace holdfast::relay::capture
