// Where the pipeline asks what the catalogue says of a table.  Owned by the pipeline's module and
// fitted to PostgreSQL by an adapter, so that tests can use an in-memory one.
//
// Thread rule: the pipeline's thread only.
#pragma once

#include "debezium/table_description.hpp"
#include "pgoutput/messages.hpp"

namespace holdfast::relay::capture {

class TableCatalog {
 public:
    virtual ~TableCatalog() = default;

    /// The table as it is now, with the types of its columns and of the relation's.  Waits for the
    /// database: called for each Relation message and once for each label that an enum gets, never
    /// for a change as such.  A table that is gone has no columns.  Throws RetryableError when the
    /// database does not answer, FatalError (kPermissionDenied).
    virtual debezium::TableDescription describe(const pgoutput::Relation& relation) = 0;
};

}  // namespace holdfast::relay::capture
