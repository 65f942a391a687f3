#include "backend/order_arguments.hpp"

#include <string>

#include "backend/guard.hpp"
#include "backend/settings.hpp"
#include "core/error.hpp"

namespace holdfast::backend {

core::PlacingRules rules_of_session(std::string_view durability) {
    return {
        .default_hold_seconds = settings::hold_ttl_seconds,
        .record_refusals = settings::record_refusals,
        .inventory_events = settings::inventory_events,
        .trace_id = settings::trace_id,
        .traceparent = settings::traceparent,
        .durability = durability,
        .saga = settings::saga,
        .price_function = settings::price_order,
    };
}

std::string_view view(RawBytes bytes) {
    return {bytes.data, bytes.size};
}

void require(const Argument& argument, const char* name) {
    if (argument.is_null) {
        throw core::Error(core::sqlstate::kNullArgument, std::string(name) + " must not be null");
    }
}

void set_user(core::OrderRequest& request, const Argument& user_id) {
    require(user_id, "user_id");
    request.user_id = DatumGetInt64(user_id.value);
}

void set_lines(core::OrderRequest& request, const Argument& lines) {
    require(lines, "lines");
    request.lines = core::parse_lines(view(call_backend<raw_jsonb_text>(Datum{lines.value})));
}

void set_idempotency_key(core::OrderRequest& request, const Argument& key) {
    if (!key.is_null) {
        request.idempotency_key = view(call_backend<raw_text_bytes>(Datum{key.value}));
        core::check_idempotency_key(*request.idempotency_key);
    }
}

void set_options(core::OrderRequest& request, const Argument& options) {
    if (!options.is_null) {
        request.options =
            core::parse_options(view(call_backend<raw_jsonb_text>(Datum{options.value})));
    }
}

}  // namespace holdfast::backend
