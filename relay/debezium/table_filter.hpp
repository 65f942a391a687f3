// schema.include.list, table.include.list, column.include.list and their exclude twins: which
// tables are captured, and which of their columns.
//
// Source: Debezium documentation, connector properties.
#pragma once

#include <string_view>

#include "debezium/connector_options.hpp"
#include "debezium/java_pattern.hpp"

namespace holdfast::relay::debezium {

/// Thread-safe once made.  Every question costs regular expressions: callers keep the answer.
class TableFilter {
 public:
    /// Throws JavaPatternError.
    explicit TableFilter(const ConnectorOptions& options);

    /// Never those of PostgreSQL itself (pg_catalog, information_schema, temporary tables) nor
    /// PostGIS's spatial_ref_sys.
    [[nodiscard]] bool captures(std::string_view schema, std::string_view table) const;
    /// Whether a captured table's column is in its events' values.  Keys have it all the same.
    [[nodiscard]] bool has_column(std::string_view schema, std::string_view table,
                                  std::string_view column) const;

 private:
    /// A list of what is let through, or else one of what is not; neither lets all through.
    struct Lists {
        PatternList include;
        PatternList exclude;
        [[nodiscard]] bool let_through(std::string_view text) const {
            return include.empty() ? !exclude.matches(text) : include.matches(text);
        }
    };
    Lists schemas_;
    Lists tables_;
    Lists columns_;
};

}  // namespace holdfast::relay::debezium
