#include "capture/enum_labels.hpp"

#include <algorithm>

namespace holdfast::relay::capture {

namespace {

bool is_label(pgoutput::Tuple row, std::size_t position) {
    return position < row.size() && row[position].kind == pgoutput::Value::Kind::kText;
}

}  // namespace

EnumLabels::EnumLabels(const pgoutput::Relation& relation,
                       const debezium::TableDescription& table) {
    for (std::size_t position = 0; position < relation.columns.size(); ++position) {
        const auto type = table.types.find(relation.columns[position].type.value);
        if (type != table.types.end() && type->second.kind == 'e') {
            columns_.push_back(
                {position, {type->second.labels.begin(), type->second.labels.end()}});
        }
    }
}

bool EnumLabels::lack(pgoutput::Tuple row) const {
    return std::ranges::any_of(columns_, [row](const Column& column) {
        return is_label(row, column.position) &&
               !column.labels.contains(row[column.position].bytes);
    });
}

void EnumLabels::learn(pgoutput::Tuple row) {
    for (Column& column : columns_) {
        if (is_label(row, column.position)) {
            column.labels.emplace(row[column.position].bytes);
        }
    }
}

}  // namespace holdfast::relay::capture
