#include "pgoutput/relation_cache.hpp"

#include <algorithm>

#include "base/errors.hpp"

namespace holdfast::relay::pgoutput {

CachedRelation::CachedRelation(const Relation& relation)
    : id_(relation.id),
      schema_(relation.schema.empty() ? "pg_catalog" : relation.schema),
      name_(relation.name),
      replica_identity_(relation.replica_identity) {
    columns_.reserve(relation.columns.size());
    for (const pgoutput::Column& column : relation.columns) {
        columns_.push_back(
            {column.part_of_key, std::string(column.name), column.type, column.modifier});
    }
}

std::optional<std::size_t> CachedRelation::find_column(std::string_view name) const {
    const auto found = std::find_if(columns_.begin(), columns_.end(),
                                    [&](const Column& column) { return column.name == name; });
    if (found == columns_.end()) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(found - columns_.begin());
}

const CachedRelation& RelationCache::put(const Relation& relation) {
    return relations_.insert_or_assign(relation.id.value, CachedRelation(relation)).first->second;
}

const CachedRelation& RelationCache::get(RelationId id) const {
    const CachedRelation* const found = find(id);
    if (found == nullptr) {
        throw ProtocolError("change of relation " + std::to_string(id.value) +
                            ", which the stream has not described");
    }
    return *found;
}

const CachedRelation* RelationCache::find(RelationId id) const {
    const auto found = relations_.find(id.value);
    return found == relations_.end() ? nullptr : &found->second;
}

}  // namespace holdfast::relay::pgoutput
