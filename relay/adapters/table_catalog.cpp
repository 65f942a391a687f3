#include "adapters/table_catalog.hpp"

#include <utility>
#include <vector>

#include "base/errors.hpp"

namespace holdfast::relay::adapters {

debezium::TableDescription table_description(std::string_view schema, std::string_view name,
                                             const postgres::TableRow& row) {
    debezium::TableDescription table{.schema = std::string(schema),
                                     .name = std::string(name),
                                     .columns = {},
                                     .key_columns = row.key_columns,
                                     .types = {}};
    for (const postgres::TableColumnRow& column : row.columns) {
        table.columns.push_back({.name = column.name,
                                 .type = {column.type},
                                 .modifier = column.modifier,
                                 .not_null = column.not_null,
                                 .generated = column.generated,
                                 .identity = column.identity,
                                 .default_expression = column.default_expression});
    }
    for (const postgres::TypeRow& type : row.types) {
        table.types.emplace(type.oid, debezium::TypeDescription{.id = {type.oid},
                                                                .schema = type.schema,
                                                                .name = type.name,
                                                                .kind = type.kind,
                                                                .category = type.category,
                                                                .element = {type.element},
                                                                .base = {type.base},
                                                                .base_modifier = type.base_modifier,
                                                                .not_null = type.not_null,
                                                                .labels = type.labels});
    }
    return table;
}

debezium::TableDescription TableCatalog::describe(const pgoutput::Relation& relation) {
    std::vector<std::uint32_t> types;
    for (const pgoutput::Column& column : relation.columns) {
        types.push_back(column.type.value);
    }
    if (!session_ || !session_->usable()) {
        session_.emplace(options_);
    }
    try {
        return table_description(
            relation.schema, relation.name,
            postgres::read_table(*session_, relation.schema, relation.name, types));
    } catch (const postgres::SqlError& error) {
        // Reading the catalogue needs no privilege: what fails here is the server's state.
        throw RetryableError(std::string("the catalogue could not be read: ") + error.what());
    }
}

}  // namespace holdfast::relay::adapters
