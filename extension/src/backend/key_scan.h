/*
 * Finds rows of one of the extension's tables by its bigint primary key, without an executor run.
 */
#ifndef HOLDFAST_BACKEND_KEY_SCAN_H
#define HOLDFAST_BACKEND_KEY_SCAN_H

#include "postgres.h"

#include "access/attnum.h"
#include "access/genam.h"
#include "executor/tuptable.h"
#include "storage/lockdefs.h"
#include "utils/acl.h"
#include "utils/rel.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MAX_KEY_SCAN_COLUMNS 6

/* A column that is read, by its name and type; the first one is the key.  Ends with a NULL name. */
typedef struct KeyScanColumn {
    const char* name;
    Oid type;
} KeyScanColumn;

typedef struct KeyScan {
    Relation table;
    Relation index;
    TupleTableSlot* slot; /* the row that was found */
    IndexScanDesc scan;
    AttrNumber columns[MAX_KEY_SCAN_COLUMNS];
} KeyScan;

/*
 * Opens holdfast.`name` under `lock` and a scan of its primary key in the active snapshot.  False
 * when the table is not as expected (another key, row security, children) or `privileges` are
 * missing; what is open then is closed by key_scan_end.
 */
extern bool key_scan_begin(KeyScan* scan, const char* name, const KeyScanColumn* columns,
                           LOCKMODE lock, AclMode privileges);
/* Closes what is open, and gives back `lock`; NoLock keeps it until the transaction ends. */
extern void key_scan_end(KeyScan* scan, LOCKMODE lock);
extern bool key_scan_find(KeyScan* scan, int64 key);

/* A column of the row in the slot; it must not be null. */
extern Datum key_scan_value(KeyScan* scan, int column);
/* One that may be: then 0. */
extern Datum key_scan_optional(KeyScan* scan, int column);

#ifdef __cplusplus
}
#endif

#endif
