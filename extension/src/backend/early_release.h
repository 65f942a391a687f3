/*
 * Committing inside a procedure so that row locks are released before the WAL is flushed.  C on
 * purpose: no C++ frame may be on the stack while a transaction ends.
 */
#ifndef HOLDFAST_BACKEND_EARLY_RELEASE_H
#define HOLDFAST_BACKEND_EARLY_RELEASE_H

#include "backend/raw.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Columns of place_order_work's result and of the two procedures' INOUT arguments. */
#define ORDER_RESULT_COLUMNS 3

/* Arguments of holdfast.place_order_work, by position. */
enum {
    WORK_USER_ID,
    WORK_LINES,
    WORK_BY_ITEM,
    WORK_PRODUCT_ID,
    WORK_QUANTITY,
    WORK_IDEMPOTENCY_KEY,
    WORK_OPTIONS,
    WORK_DURABILITY,
    WORK_LOCK_STOCK_FIRST,
    WORK_ARGUMENTS
};

/* The status by which place_order_work asks to be undone and called again, stock locked first. */
#define ORDER_STATUS_LOST_RACE "LOST_RACE"

#ifdef __cplusplus
}
#endif

#endif
