#include "backend/place_order_function.hpp"

#include <optional>
#include <string_view>

#include "backend/early_release.h"
#include "backend/guard.hpp"
#include "backend/order_arguments.hpp"
#include "backend/order_sql.h"
#include "backend/order_store.hpp"
#include "backend/raw.h"
#include "core/place_order.hpp"

namespace holdfast::backend {
namespace {

core::OrderRequest request_argument(FunctionCallInfo fcinfo) {
    core::OrderRequest request;
    set_user(request, argument(fcinfo, WORK_USER_ID));
    if (PG_GETARG_BOOL(WORK_BY_ITEM)) {
        require(argument(fcinfo, WORK_PRODUCT_ID), "product_id");
        require(argument(fcinfo, WORK_QUANTITY), "quantity");
        core::check_quantity(PG_GETARG_INT64(WORK_QUANTITY));
        request.lines.push_back({PG_GETARG_INT64(WORK_PRODUCT_ID), PG_GETARG_INT64(WORK_QUANTITY)});
    } else {
        set_lines(request, argument(fcinfo, WORK_LINES));
    }
    set_idempotency_key(request, argument(fcinfo, WORK_IDEMPOTENCY_KEY));
    set_options(request, argument(fcinfo, WORK_OPTIONS));
    return request;
}

std::optional<core::OrderAnswer> run(FunctionCallInfo fcinfo) {
    const core::OrderRequest request = request_argument(fcinfo);
    const core::PlacingRules rules =
        rules_of_session(view(call_backend<raw_text_bytes>(PG_GETARG_DATUM(WORK_DURABILITY))));
    call_backend<order_sql_begin>();
    SqlOrderStore store;
    std::optional<core::OrderAnswer> answer = core::place_order(
        store, request, rules,
        PG_GETARG_BOOL(WORK_LOCK_STOCK_FIRST) ? core::StockLock::kFirst : core::StockLock::kLast);
    // Only on success: after an error the transaction's end closes the frame.
    call_backend<order_sql_end>();
    return answer;
}

}  // namespace

Datum place_order_work(FunctionCallInfo fcinfo) {
    const std::optional<core::OrderAnswer> placed = run(fcinfo);
    if (!placed) {
        constexpr std::string_view kLostRace = ORDER_STATUS_LOST_RACE;
        return call_backend<raw_order_row>(fcinfo, false, int64{0},
                                           RawBytes{kLostRace.data(), kLostRace.size()},
                                           RawBytes{"{}", Size{2}});
    }
    const core::OrderAnswer& answer = *placed;
    const std::string_view status = core::order_status_name(answer.status);
    return call_backend<raw_order_row>(fcinfo, answer.order_id.has_value(),
                                       int64{answer.order_id.value_or(0)},
                                       RawBytes{status.data(), status.size()},
                                       RawBytes{answer.detail.data(), answer.detail.size()});
}

}  // namespace holdfast::backend
