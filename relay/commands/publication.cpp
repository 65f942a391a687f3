#include "commands/publication.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/connector_settings.hpp"
#include "base/errors.hpp"
#include "debezium/change_events.hpp"
#include "debezium/topic_names.hpp"

namespace holdfast::relay::commands {
namespace {

constexpr std::string_view kExtensionPublication = "holdfast";
constexpr std::string_view kExtensionOutbox = "holdfast.outbox";
constexpr std::string_view kInsufficientPrivilege = "42501";

/// Every table that logical replication could publish, but for the system's; partitions too.
struct PublishableTable {
    std::string schema;
    std::string name;
};

std::vector<PublishableTable> publishable_tables(postgres::Session& session) {
    const postgres::Result rows = session.exec(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' "
        "AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'holdfast') "
        "AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2");
    std::vector<PublishableTable> tables;
    tables.reserve(static_cast<std::size_t>(rows.rows()));
    for (int row = 0; row < rows.rows(); ++row) {
        tables.push_back({std::string(rows.text(row, 0)), std::string(rows.text(row, 1))});
    }
    return tables;
}

/// "insert, update, delete": what is not in skipped.operations.
std::string published_operations(const std::string& skipped) {
    std::string operations;
    for (const auto& [letter, name] : {std::pair{'c', "insert"}, std::pair{'u', "update"},
                                       std::pair{'d', "delete"}, std::pair{'t', "truncate"}}) {
        if (skipped == "none" || skipped.find(letter) == std::string::npos) {
            operations += (operations.empty() ? "" : ", ") + std::string(name);
        }
    }
    return operations;
}

std::string quoted_table(const postgres::Session& session, std::string_view schema,
                         std::string_view table) {
    return session.quote_identifier(schema) + "." + session.quote_identifier(table);
}

/// What follows CREATE PUBLICATION name; `outboxes` are quoted.
std::string published_tables(postgres::Session& session, const config::Config& config,
                             const std::vector<std::string>& outboxes) {
    const std::string& mode = config.connector.text("publication.autocreate.mode");
    if (mode == "all_tables") {
        return " FOR ALL TABLES";
    }
    std::vector<std::string> tables = outboxes;
    if (mode == "filtered") {
        debezium::TopicNames topics;
        const debezium::ChangeEvents events(adapters::connector_options(config.connector, ""),
                                            topics, "");
        for (const PublishableTable& table : publishable_tables(session)) {
            const std::string quoted = quoted_table(session, table.schema, table.name);
            if (events.captures(table.schema, table.name) &&
                std::ranges::find(tables, quoted) == tables.end()) {
                tables.push_back(quoted);
            }
        }
    }
    std::string list;
    for (const std::string& table : tables) {
        list += (list.empty() ? " FOR TABLE " : ", ") + table;
    }
    return list;
}

std::string publication_statement(postgres::Session& session, const config::Config& config,
                                  const postgres::StreamRequirements& required) {
    std::vector<std::string> outboxes;
    for (const postgres::OutboxRequirement& outbox : required.outboxes) {
        const std::size_t dot = outbox.table.find('.');
        outboxes.push_back(
            quoted_table(session, outbox.table.substr(0, dot), outbox.table.substr(dot + 1)));
    }
    // An outbox in partitions has one shape and one name, whatever the other tables want.
    const bool via_root = !outboxes.empty() || config.connector.flag("publish.via.partition.root");
    return "CREATE PUBLICATION " + session.quote_identifier(required.publication) +
           published_tables(session, config, outboxes) + " WITH (publish = '" +
           published_operations(config.connector.text("skipped.operations")) +
           "', publish_via_partition_root = " + (via_root ? "true" : "false") + ")";
}

/// Without change events there is at least one outbox.
void make_extension_publication(postgres::Session& session,
                                const postgres::StreamRequirements& required) {
    std::string tables;
    for (const postgres::OutboxRequirement& outbox : required.outboxes) {
        tables += (tables.empty() ? "" : ", ") + outbox.table;
    }
    if (required.publication != kExtensionPublication || tables != kExtensionOutbox) {
        throw FatalError(ExitCode::kPublicationMissing,
                         "publication \"" + required.publication + "\" does not exist",
                         "As superuser: CREATE PUBLICATION " +
                             session.quote_identifier(required.publication) + " FOR TABLE " +
                             tables +
                             " WITH (publish = 'insert', publish_via_partition_root = true);");
    }
    try {
        session.exec("SELECT holdfast.create_publication()");
    } catch (const postgres::SqlError& error) {
        if (error.sqlstate() == kInsufficientPrivilege) {
            throw FatalError(ExitCode::kPermissionDenied, error.message(),
                             "As superuser: SELECT holdfast.create_publication();");
        }
        throw;
    }
}

}  // namespace

void make_publication(postgres::Session& session, const config::Config& config,
                      const postgres::StreamRequirements& required) {
    if (!config.connector.has_change_events()) {
        make_extension_publication(session, required);
    } else {
        const std::string statement = publication_statement(session, config, required);
        if (config.connector.text("publication.autocreate.mode") == "disabled") {
            throw FatalError(ExitCode::kPublicationMissing,
                             "publication \"" + required.publication +
                                 "\" does not exist (publication.autocreate.mode = disabled)",
                             "Make it, for example: " + statement + ";");
        }
        try {
            session.exec(statement.c_str());
        } catch (const postgres::SqlError& error) {
            if (error.sqlstate() == kInsufficientPrivilege) {
                throw FatalError(ExitCode::kPermissionDenied, error.message(),
                                 "As superuser, or as the owner of the tables: " + statement + ";");
            }
            throw;
        }
    }
    std::printf("publication \"%s\": made\n", required.publication.c_str());
}

}  // namespace holdfast::relay::commands
