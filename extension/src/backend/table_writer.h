/*
 * Inserts rows of known shape into one of the extension's tables, at a fraction of an INSERT
 * statement's cost: routing, constraints, the heap and the indexes by the server's own functions,
 * as logical replication's apply worker does it, without an executor run per row (measured: half of
 * place_order's time).  What makes that possible is kept in the session and forgotten when the
 * server says that a table has changed.
 *
 * A table that is not plain any more (triggers, rules, row security, a column with a default that
 * we do not know, sub-partitions, foreign partitions) is written by an ordinary INSERT instead,
 * with all that this implies.  Call inside an SPI frame, through call_backend only.
 */
#ifndef HOLDFAST_BACKEND_TABLE_WRITER_H
#define HOLDFAST_BACKEND_TABLE_WRITER_H

#include "postgres.h"

#include "executor/spi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MAX_WRITER_COLUMNS 18

/* A table of schema holdfast and the columns that we write; one static object per table. */
typedef struct TableWriter {
    const char* table;
    int column_count;
    struct {
        const char* name;
        Oid type;
    } columns[MAX_WRITER_COLUMNS];
    int key_column; /* index of the column by which the table may be partitioned by range */

    /* Of the slow path. */
    SPIPlanPtr plan;
} TableWriter;

/* Inserts one row; values and nulls correspond to writer->columns. */
extern void table_writer_insert(TableWriter* writer, Datum* values, const bool* nulls);

#ifdef __cplusplus
}
#endif

#endif
