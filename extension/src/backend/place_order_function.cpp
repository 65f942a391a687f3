#include "backend/place_order_function.hpp"

#include <string>
#include <string_view>

#include "backend/early_release.h"
#include "backend/guard.hpp"
#include "backend/order_sql.h"
#include "backend/order_store.hpp"
#include "backend/raw.h"
#include "backend/settings.hpp"
#include "core/error.hpp"
#include "core/place_order.hpp"

namespace holdfast::backend {
namespace {

void require(FunctionCallInfo fcinfo, int index, const char* name) {
    if (PG_ARGISNULL(index)) {
        throw core::Error(core::sqlstate::kNullArgument, std::string(name) + " must not be null");
    }
}

std::string_view view(RawBytes bytes) {
    return {bytes.data, bytes.size};
}

core::OrderRequest request_argument(FunctionCallInfo fcinfo) {
    core::OrderRequest request;
    require(fcinfo, WORK_USER_ID, "user_id");
    request.user_id = PG_GETARG_INT64(WORK_USER_ID);
    if (PG_GETARG_BOOL(WORK_BY_ITEM)) {
        require(fcinfo, WORK_PRODUCT_ID, "product_id");
        require(fcinfo, WORK_QUANTITY, "quantity");
        core::check_quantity(PG_GETARG_INT64(WORK_QUANTITY));
        request.lines.push_back({PG_GETARG_INT64(WORK_PRODUCT_ID), PG_GETARG_INT64(WORK_QUANTITY)});
    } else {
        require(fcinfo, WORK_LINES, "lines");
        request.lines =
            core::parse_lines(view(call_backend<raw_jsonb_text>(PG_GETARG_DATUM(WORK_LINES))));
    }
    if (!PG_ARGISNULL(WORK_IDEMPOTENCY_KEY)) {
        request.idempotency_key =
            view(call_backend<raw_text_bytes>(PG_GETARG_DATUM(WORK_IDEMPOTENCY_KEY)));
        core::check_idempotency_key(*request.idempotency_key);
    }
    if (!PG_ARGISNULL(WORK_OPTIONS)) {
        request.options =
            core::parse_options(view(call_backend<raw_jsonb_text>(PG_GETARG_DATUM(WORK_OPTIONS))));
    }
    return request;
}

core::OrderAnswer run(FunctionCallInfo fcinfo) {
    const core::OrderRequest request = request_argument(fcinfo);
    const core::PlacingRules rules{
        .default_hold_seconds = settings::hold_ttl_seconds,
        .record_refusals = settings::record_refusals,
        .inventory_events = settings::inventory_events,
        .stock_lock = PG_GETARG_BOOL(WORK_LOCK_STOCK_FIRST) ? core::StockLock::kFirst
                                                            : core::StockLock::kLast,
        .trace_id = settings::trace_id,
        .traceparent = settings::traceparent,
        .durability = view(call_backend<raw_text_bytes>(PG_GETARG_DATUM(WORK_DURABILITY))),
    };
    call_backend<order_sql_begin>();
    SqlOrderStore store;
    core::OrderAnswer answer = core::place_order(store, request, rules);
    // Only on success: after an error the transaction's end closes the frame.
    call_backend<order_sql_end>();
    return answer;
}

}  // namespace

Datum place_order_work(FunctionCallInfo fcinfo) {
    const core::OrderAnswer answer = run(fcinfo);
    const std::string_view status = core::order_status_name(answer.status);
    return call_backend<raw_order_row>(fcinfo, answer.order_id.has_value(),
                                       int64{answer.order_id.value_or(0)},
                                       RawBytes{status.data(), status.size()},
                                       RawBytes{answer.detail.data(), answer.detail.size()});
}

}  // namespace holdfast::backend
