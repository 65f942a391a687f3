#include "backend/event_functions.hpp"

#include <cstring>
#include <string>
#include <string_view>

#include "backend/clock.hpp"
#include "backend/guard.hpp"
#include "backend/raw.h"
#include "backend/settings.hpp"
#include "core/error.hpp"
#include "core/events.hpp"

namespace holdfast::backend {
namespace {

void require_argument(FunctionCallInfo fcinfo, int index, const char* name) {
    if (PG_ARGISNULL(index)) {
        throw core::Error(core::sqlstate::kNullArgument, std::string(name) + " must not be null");
    }
}

std::string_view text_argument(FunctionCallInfo fcinfo, int index) {
    const RawBytes bytes = call_backend<raw_text_bytes>(PG_GETARG_DATUM(index));
    return {bytes.data, bytes.size};
}

core::EventHead head_argument(FunctionCallInfo fcinfo) {
    require_argument(fcinfo, 0, "event_id");
    core::EventHead head{{}, now(), settings::trace_id};
    const RawBytes bytes = call_backend<raw_uuid_bytes>(PG_GETARG_DATUM(0));
    std::memcpy(head.id.data(), bytes.data, head.id.size());
    return head;
}

Datum json_datum(const std::string& json) {
    return call_backend<raw_text_datum>(json.data(), Size{json.size()});
}

}  // namespace

Datum uuid_v7() {
    const core::Uuid id = next_event_id(now());
    return call_backend<raw_uuid_datum>(static_cast<const unsigned char*>(id.data()));
}

Datum event_inventory_updated_v1(FunctionCallInfo fcinfo) {
    constexpr const char* kNames[] = {"event_id",  "product_id", "on_hand", "reserved",
                                      "available", "version",    "cause"};
    for (int i = 1; i < 7; ++i) {
        require_argument(fcinfo, i, kNames[i]);
    }
    const core::EventHead head = head_argument(fcinfo);
    core::InventoryUpdated event{
        .product_id = PG_GETARG_INT64(1),
        .on_hand = PG_GETARG_INT64(2),
        .reserved = PG_GETARG_INT64(3),
        .available = PG_GETARG_INT64(4),
        .version = PG_GETARG_INT64(5),
        .cause = text_argument(fcinfo, 6),
        .order_id = {},
    };
    if (!PG_ARGISNULL(7)) {
        event.order_id = PG_GETARG_INT64(7);
    }
    return json_datum(core::inventory_updated_v1(head, event));
}

Datum event_order_failed_v1(FunctionCallInfo fcinfo) {
    constexpr const char* kNames[] = {"event_id", "order_id", "failed_step", "reason", "message"};
    for (int i = 1; i < 5; ++i) {
        require_argument(fcinfo, i, kNames[i]);
    }
    const core::EventHead head = head_argument(fcinfo);
    const core::OrderFailed event{
        .order_id = PG_GETARG_INT64(1),
        .failed_step = text_argument(fcinfo, 2),
        .reason = text_argument(fcinfo, 3),
        .message = text_argument(fcinfo, 4),
        .lines_json = PG_ARGISNULL(5) ? std::string_view{"[]"} : text_argument(fcinfo, 5),
    };
    return json_datum(core::order_failed_v1(head, event));
}

}  // namespace holdfast::backend
