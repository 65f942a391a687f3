// Fits the catalogue to the capture pipeline: a session of its own, made when it is first needed
// and again when it is lost.
#pragma once

#include <optional>

#include "capture/table_catalog.hpp"
#include "postgres/connect_options.hpp"
#include "postgres/session.hpp"
#include "postgres/table_catalog.hpp"

namespace holdfast::relay::adapters {

class TableCatalog final : public capture::TableCatalog {
 public:
    explicit TableCatalog(postgres::ConnectOptions options) : options_(std::move(options)) {}

    debezium::TableDescription describe(const pgoutput::Relation& relation) override;

 private:
    postgres::ConnectOptions options_;
    std::optional<postgres::Session> session_;
};

/// What read_table() has found, as the change events want it.
[[nodiscard]] debezium::TableDescription table_description(std::string_view schema,
                                                           std::string_view name,
                                                           const postgres::TableRow& row);

}  // namespace holdfast::relay::adapters
