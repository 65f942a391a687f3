// The event builders as SQL functions, so that events written by SQL and by C++ are the same bytes.
// Run inside run_core; they throw.
#pragma once

#include "backend/postgres.hpp"

namespace holdfast::backend {

// uuid_v7() -> uuid
Datum uuid_v7();

// (event_id uuid, product_id, on_hand, reserved, available, version bigint, cause text,
//  order_id bigint or NULL) -> json
Datum event_inventory_updated_v1(FunctionCallInfo fcinfo);

// (event_id uuid, order_id bigint, failed_step text, reason text, message text, lines json or NULL)
// -> json
Datum event_order_failed_v1(FunctionCallInfo fcinfo);

}  // namespace holdfast::backend
