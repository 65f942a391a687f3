// holdfast.place_order_work: reads the arguments, runs core::place_order on this server, builds the
// row.
#pragma once

#include "backend/postgres.hpp"

namespace holdfast::backend {

// Arguments by the positions in early_release.h; returns (order_id bigint, status text, detail
// jsonb). Runs inside run_core; throws.
Datum place_order_work(FunctionCallInfo fcinfo);

}  // namespace holdfast::backend
