/*
 * Reserves units in one row of holdfast.stock, as
 *
 *     UPDATE holdfast.stock SET reserved = reserved + $2, version = version + $3,
 *         updated_at = clock_timestamp()
 *     WHERE product_id = $1 AND on_hand - reserved - safety_stock >= $2
 *
 * does, without an executor run.  That matters on a hot row: after it has waited for its lock, the
 * executor builds the plan a second time to look at the row's new version (EvalPlanQual), while
 * everybody behind waits for it.  Call inside an SPI frame, through call_backend only.
 */
#ifndef HOLDFAST_BACKEND_STOCK_ROW_H
#define HOLDFAST_BACKEND_STOCK_ROW_H

#include "backend/order_sql.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Fills `stock`.  False, and nothing is done, when the table is not what it was made to be
 * (triggers, rules, row security, foreign keys of its counters): then ask by SQL.
 */
extern bool stock_row_reserve(int64 product_id, int64 quantity, int64 changes, SqlStock* stock);

#ifdef __cplusplus
}
#endif

#endif
