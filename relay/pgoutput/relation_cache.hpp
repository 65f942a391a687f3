// Remembers the relations of a stream, so that a change, which carries only an OID, can be read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pgoutput/messages.hpp"

namespace holdfast::relay::pgoutput {

/// A relation that owns its names.
class CachedRelation {
 public:
    explicit CachedRelation(const Relation& relation);

    [[nodiscard]] RelationId id() const { return id_; }
    [[nodiscard]] const std::string& schema() const { return schema_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    /// As pg_class.relreplident.
    [[nodiscard]] char replica_identity() const { return replica_identity_; }
    /// "schema.name", for messages.
    [[nodiscard]] std::string qualified_name() const { return schema_ + "." + name_; }

    struct Column {
        bool part_of_key = false;
        std::string name;
        TypeId type;
        std::int32_t modifier = 0;

        bool operator==(const Column&) const = default;
    };
    [[nodiscard]] const std::vector<Column>& columns() const { return columns_; }
    /// Position of a column, or nullopt.  Case matters.
    [[nodiscard]] std::optional<std::size_t> find_column(std::string_view name) const;

 private:
    RelationId id_;
    std::string schema_;
    std::string name_;
    char replica_identity_;
    std::vector<Column> columns_;
};

/// Not thread-safe.  One per stream: OIDs mean nothing in another.
class RelationCache {
 public:
    /// Adds or replaces.  The result is valid until the next put() of the same OID, or clear().
    const CachedRelation& put(const Relation& relation);

    /// Throws ProtocolError when the stream has not described the relation yet.
    [[nodiscard]] const CachedRelation& get(RelationId id) const;

    /// nullptr when the stream has not described it; valid as what put() returns.
    [[nodiscard]] const CachedRelation* find(RelationId id) const;

    void clear() { relations_.clear(); }

 private:
    std::unordered_map<std::uint32_t, CachedRelation> relations_;
};

}  // namespace holdfast::relay::pgoutput
