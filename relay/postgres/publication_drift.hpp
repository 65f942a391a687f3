// Where configuration, publication and catalogue no longer fit: changes that the configuration asks
// for and that the publication does not send, and why.  None of it breaks the stream, so nobody
// would notice: a table that was dropped and made again is silently gone from a publication FOR
// TABLE, a new one was never in it.
//
// Facts come from one query over the catalogues; what the configuration asks for is the caller's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/session.hpp"

namespace holdfast::relay::postgres {

struct Drift {
    enum class Kind {
        kNotPublished,           ///< a captured table that is not in the publication
        kRecreated,              ///< the same, and it was in it as long as it was another table
        kPartitionNotPublished,  ///< a partition that is not in it, and a sibling is
        kNoTable,                ///< an expression of the configuration that fits no table
        kRowFilter,              ///< the publication leaves out rows
        kColumnList,             ///< the publication leaves out columns
        kOperation,              ///< the publication leaves out a kind of change
        kNoIdentity,             ///< the server refuses UPDATE and DELETE of a published table
        kIdentityWithoutKey,     ///< old rows come without the key: deletes would have none
    };
    Kind kind = Kind::kNotPublished;
    std::string subject;  ///< "schema.table", an expression, or the publication
    std::string problem;  ///< one clause
    std::string repair;   ///< what to run

    bool operator==(const Drift&) const = default;
};

/// "table_not_published"; stable, for logs.
[[nodiscard]] std::string_view name_of(Drift::Kind kind);

/// What the configuration asks for.
struct DriftScope {
    std::string publication;
    /// Whether the table's changes are wanted.
    std::function<bool(std::string_view schema, std::string_view table)> captures;
    /// Whether the column is wanted of such a table; empty = every column.
    std::function<bool(std::string_view schema, std::string_view table, std::string_view column)>
        has_column;
    /// An expression of table.include.list, which has to fit something.
    struct Expectation {
        std::string expression;
        std::function<bool(std::string_view schema, std::string_view table)> matches;
    };
    std::vector<Expectation> expected;
    bool updates = true;
    bool deletes = true;
    bool truncates = false;
};

/// Remembers what was published, to tell a table that was made again from a new one.
class PublicationWatch {
 public:
    explicit PublicationWatch(DriftScope scope) : scope_(std::move(scope)) {}

    /// Everything that does not fit now, in the order of the tables' names.  None when there is no
    /// such publication: the stream says so itself.  Throws as Session::exec().
    [[nodiscard]] std::vector<Drift> look(Session& session);

 private:
    DriftScope scope_;
    std::map<std::string, std::uint32_t, std::less<>> published_;  ///< OID by schema.table
};

}  // namespace holdfast::relay::postgres
