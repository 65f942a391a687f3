/*
 * Finds products and their stock by primary key without an executor run (measured: a fifth of the
 * time of the join that does the same).  Takes no lock on rows.  Call through call_backend only.
 */
#ifndef HOLDFAST_BACKEND_PRODUCT_LOOKUP_H
#define HOLDFAST_BACKEND_PRODUCT_LOOKUP_H

#include "backend/order_sql.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Fills `products` with those of `ids` (ascending) that exist, as of a snapshot of now, and `found`
 * with their number.  False, when the tables are not what they were made to be (row security,
 * another primary key): then ask by SQL.
 */
extern bool product_lookup(const int64* ids, int count, SqlProduct* products, int* found);

#ifdef __cplusplus
}
#endif

#endif
