#include "adapters/captured_tables.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "debezium/change_events.hpp"
#include "debezium/topic_names.hpp"

namespace holdfast::relay::adapters {
namespace {

/// ChangeEvents as the one who knows what the lists let through.
class Lists {
 public:
    explicit Lists(debezium::ConnectorOptions options) : events_(std::move(options), topics_, "") {}
    [[nodiscard]] bool capture(std::string_view schema, std::string_view table) const {
        return events_.captures(schema, table);
    }

 private:
    debezium::TopicNames topics_;
    debezium::ChangeEvents events_;
};

constexpr std::string_view kExtensionSchema = "holdfast";

}  // namespace

CapturedTables captured_tables(debezium::ConnectorOptions options,
                               const std::vector<config::OutboxConfig>& outboxes) {
    // Shared, because a function object has to be copyable.
    return [lists = std::make_shared<const Lists>(std::move(options)), outboxes](
               std::string_view schema, std::string_view table) {
        const std::string name = std::string(schema).append(".").append(table);
        return schema != kExtensionSchema &&
               std::ranges::find(outboxes, name, &config::OutboxConfig::table) == outboxes.end() &&
               lists->capture(schema, table);
    };
}

}  // namespace holdfast::relay::adapters
