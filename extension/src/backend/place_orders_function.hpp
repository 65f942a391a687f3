// holdfast.place_orders_work and holdfast.check_order_request.
#pragma once

#include "backend/postgres.hpp"

namespace holdfast::backend {

// (user_ids bigint[], lines jsonb[], idempotency_keys text[], options jsonb[], durability text):
// one element per order, the arrays of one length.  Returns a jsonb array of {"orderId", "status",
// "detail"} or {"status":"ERROR", "sqlstate", "message"}, one per order.  Runs inside run_core;
// throws.
Datum place_orders_work(FunctionCallInfo fcinfo);

// (user_id bigint, lines jsonb, idempotency_key text, options jsonb): throws what is wrong with a
// request before anybody looks at products.
Datum check_order_request(FunctionCallInfo fcinfo);

}  // namespace holdfast::backend
