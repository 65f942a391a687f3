#include "debezium/outbox_layout.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/errors.hpp"

namespace holdfast::relay::debezium {
namespace {

// pg_type.dat
constexpr pgoutput::TypeId kInt4{23};
constexpr pgoutput::TypeId kJson{114};
constexpr pgoutput::TypeId kJsonb{3802};
constexpr pgoutput::TypeId kTimestamp{1114};
constexpr pgoutput::TypeId kTimestamptz{1184};

/// When the event was written, where the outbox has it: a column of ours.
constexpr std::string_view kCreatedAt = "created_at";

using Place = AdditionalPlacement::Place;

/// What JsonConverter puts in front of the payload.
std::string head_of(const ConnectColumn& column, const ConverterOptions& converter) {
    const bool json = converter.converter == Converter::kJson;
    const bool delegated = converter.converter == Converter::kBinaryData && !column.is_bytes();
    std::string head;
    if (json || delegated) {
        begin_json_envelope(column.schema(),
                            json ? converter.schemas_enable : converter.delegate_schemas_enable,
                            head);
    }
    return head;
}

class Binding {
 public:
    Binding(const EventRouterOptions& options, const pgoutput::Relation& outbox,
            const TableDescription* table)
        : options_(options), outbox_(outbox), table_(table) {}

    [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const {
        const auto found = std::ranges::find(outbox_.columns, name, &pgoutput::Column::name);
        if (name.empty() || found == outbox_.columns.end()) {
            return std::nullopt;
        }
        return static_cast<std::size_t>(found - outbox_.columns.begin());
    }

    [[nodiscard]] std::size_t need(const std::string& name, const char* option) const {
        const auto index = find(name);
        if (!index) {
            throw FatalError(
                ExitCode::kOutboxShapeChanged,
                "table " + options_.table + " has no column \"" + name + "\" (" + option + ")",
                "Restore the column, or name another one in the configuration.");
        }
        return *index;
    }

    [[nodiscard]] std::size_t need_of_type(const std::string& name, const char* option,
                                           std::initializer_list<pgoutput::TypeId> types,
                                           const char* described) const {
        const std::size_t index = need(name, option);
        if (std::ranges::find(types, outbox_.columns[index].type) == types.end()) {
            throw FatalError(ExitCode::kOutboxShapeChanged, "column \"" + name + "\" of " +
                                                                options_.table + " is not " +
                                                                described + " (" + option + ")");
        }
        return index;
    }

    [[nodiscard]] BoundColumn bind(std::size_t index, const ConverterOptions& converter,
                                   std::string alias = {}) const {
        BoundColumn bound{.index = index,
                          .column = ConnectColumn(outbox_.columns[index], table_, options_.types),
                          .alias = std::move(alias),
                          .head = {}};
        bound.head = head_of(bound.column, converter);
        return bound;
    }

    /// ByteArrayConverter writes bytes, and nothing else.
    void require_bytes(const BoundColumn& bound, const std::string& name,
                       const ConverterOptions& converter, const char* option) const {
        if (converter.converter == Converter::kByteArray && !bound.column.is_bytes()) {
            throw FatalError(ExitCode::kOutboxShapeChanged,
                             "column \"" + name + "\" of " + options_.table +
                                 " is not a bytea, which " + option + " = ByteArrayConverter needs",
                             "Use StringConverter, or BinaryDataConverter, which takes both.");
        }
    }

    void bind_placements(const std::vector<AdditionalPlacement>& placements,
                         OutboxLayout& layout) const {
        constexpr const char* kOption = "table.fields.additional.placement";
        for (const AdditionalPlacement& placement : placements) {
            layout.has_envelope = layout.has_envelope || placement.place == Place::kEnvelope;
            if (options_.table_field_additional_missing == "ignore" && !find(placement.column)) {
                continue;
            }
            const std::size_t index = need(placement.column, kOption);
            switch (placement.place) {
                case Place::kHeader:
                    layout.header_placements.push_back(
                        bind(index, options_.header_converter, placement.alias));
                    break;
                case Place::kEnvelope:
                    layout.envelope_placements.push_back(bind(index, {}, placement.alias));
                    break;
                case Place::kPartition:
                    layout.partition =
                        need_of_type(placement.column, kOption, {kInt4}, "an integer");
                    break;
            }
        }
    }

 private:
    const EventRouterOptions& options_;
    const pgoutput::Relation& outbox_;
    const TableDescription* table_;
};

}  // namespace

OutboxLayout bind_outbox(const EventRouterOptions& options,
                         const std::vector<AdditionalPlacement>& placements,
                         const pgoutput::Relation& outbox, const TableDescription* table) {
    const Binding binding(options, outbox, table);
    OutboxLayout layout;
    layout.column_count = outbox.columns.size();
    layout.id = binding.bind(binding.need(options.table_field_event_id, "table.field.event.id"),
                             options.header_converter);
    layout.key = binding.bind(binding.need(options.table_field_event_key, "table.field.event.key"),
                              options.key_converter);
    layout.payload =
        binding.bind(binding.need(options.table_field_event_payload, "table.field.event.payload"),
                     options.value_converter);
    layout.route = binding.need(options.route_by_field, "route.by.field");
    binding.require_bytes(layout.key, options.table_field_event_key, options.key_converter,
                          "key.converter");
    binding.require_bytes(layout.payload, options.table_field_event_payload,
                          options.value_converter, "value.converter");
    if (!options.table_field_event_timestamp.empty()) {
        layout.timestamp =
            binding.need_of_type(options.table_field_event_timestamp, "table.field.event.timestamp",
                                 {kTimestamp, kTimestamptz}, "a timestamp");
    }
    layout.headers = binding.find(options.table_field_event_headers);
    layout.trace_context = binding.find(options.tracing_span_context_field);
    binding.bind_placements(placements, layout);
    if (!options.table_field_event_schema_version.empty()) {
        layout.schema_version =
            binding.need_of_type(options.table_field_event_schema_version,
                                 "table.field.event.schema.version", {kInt4}, "an integer");
    }
    const pgoutput::TypeId payload_type = outbox.columns[layout.payload.index].type;
    layout.payload_is_json = payload_type == kJson || payload_type == kJsonb;
    if (!options.cloudevents_source.empty()) {
        layout.type = binding.need(options.table_field_event_type, "table.field.event.type");
        if (!layout.timestamp) {
            layout.created_at = binding.find(kCreatedAt);
        }
    }
    return layout;
}

OutboxLayout message_layout(const EventRouterOptions& options,
                            const std::vector<AdditionalPlacement>& placements) {
    OutboxLayout layout;
    layout.id.head = head_of(layout.id.column, options.header_converter);
    layout.key.head = head_of(layout.key.column, options.key_converter);
    layout.payload.head = head_of(layout.payload.column, options.value_converter);
    for (const AdditionalPlacement& placement : placements) {
        BoundColumn bound;
        bound.alias = placement.alias;
        if (placement.place == Place::kHeader) {
            bound.head = head_of(bound.column, options.header_converter);
            layout.header_placements.push_back(std::move(bound));
        } else if (placement.place == Place::kEnvelope) {
            layout.envelope_placements.push_back(std::move(bound));
            layout.has_envelope = true;
        }
    }
    return layout;
}

}  // namespace holdfast::relay::debezium
