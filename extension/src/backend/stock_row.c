#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "backend/key_scan.h"
#include "backend/stock_row.h"
#include "backend/table_target.h"
#include "backend/version.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

enum { PRODUCT_ID, ON_HAND, RESERVED, SAFETY_STOCK, VERSION, UPDATED_AT };

static const KeyScanColumn columns[] = {{"product_id", INT8OID}, {"on_hand", INT8OID},
                                        {"reserved", INT8OID},   {"safety_stock", INT8OID},
                                        {"version", INT8OID},    {"updated_at", TIMESTAMPTZOID},
                                        {NULL, InvalidOid}};

static const char* const changed_columns[] = {"reserved", "version", "updated_at"};

static bool is_changed(Relation table, AttrNumber attribute) {
    const char* name = NameStr(TupleDescAttr(RelationGetDescr(table), attribute - 1)->attname);

    for (int i = 0; i < (int)lengthof(changed_columns); i++)
        if (strcmp(name, changed_columns[i]) == 0) return true;
    return false;
}

/* The triggers of a foreign key look only at its own columns. */
static bool no_trigger_minds(TableTarget* target pg_attribute_unused(), Relation table,
                             const void* owner pg_attribute_unused()) {
    ListCell* cell;

    for (int i = 0; table->trigdesc != NULL && i < table->trigdesc->numtriggers; i++) {
        const Trigger* trigger = &table->trigdesc->triggers[i];

        if (!trigger->tgisinternal || RI_FKey_trigger_type(trigger->tgfoid) != RI_TRIGGER_FK)
            return false;
    }
    foreach (cell, RelationGetFKeyList(table)) {
        const ForeignKeyCacheInfo* key = lfirst(cell);

        for (int i = 0; i < key->nkeys; i++)
            if (is_changed(table, key->conkey[i])) return false;
    }
    return true;
}

/* The row in the scan's slot with the units reserved into the target's slot; false: too few. */
static bool compute(KeyScan* scan, TableTarget* target, int64 quantity, int64 changes,
                    SqlStock* stock) {
    TupleTableSlot* row = target->slot;
    int64 safety_stock = DatumGetInt64(key_scan_value(scan, SAFETY_STOCK));

    stock->on_hand = DatumGetInt64(key_scan_value(scan, ON_HAND));
    stock->reserved = DatumGetInt64(key_scan_value(scan, RESERVED));
    stock->version = DatumGetInt64(key_scan_value(scan, VERSION)) + changes;
    stock->available = stock->on_hand - stock->reserved - safety_stock;
    if (stock->available < quantity) return false;
    stock->reserved += quantity;
    stock->available -= quantity;

    slot_getallattrs(scan->slot);
    ExecClearTuple(row);
    memcpy(row->tts_values, scan->slot->tts_values, sizeof(Datum) * (Size)target->attribute_count);
    memcpy(row->tts_isnull, scan->slot->tts_isnull, sizeof(bool) * (Size)target->attribute_count);
    row->tts_values[scan->columns[RESERVED] - 1] = Int64GetDatum(stock->reserved);
    row->tts_values[scan->columns[VERSION] - 1] = Int64GetDatum(stock->version);
    row->tts_values[scan->columns[UPDATED_AT] - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
    ExecStoreVirtualTuple(row);
    return true;
}

/* Locks the newest version of the row in the scan's slot and puts it there; false: it was deleted.
 */
static bool lock_newest(KeyScan* scan, ItemPointer tid, LockTupleMode mode) {
    TM_FailureData failure;
    TM_Result result;

    if (IsolationUsesXactSnapshot())
        ereport(ERROR, errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                errmsg("could not serialize access due to concurrent update"));
    result = table_tuple_lock(scan->table, tid, GetActiveSnapshot(), scan->slot,
                              GetCurrentCommandId(true), mode, LockWaitBlock,
                              TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
    if (result == TM_Deleted) return false;
    if (result != TM_Ok) elog(ERROR, "unexpected result %d of locking a stock row", (int)result);
    return true;
}

/* False: gone, or too few units. */
static bool reserve(KeyScan* scan, TableTarget* target, int64 quantity, int64 changes,
                    SqlStock* stock) {
    while (compute(scan, target, quantity, changes, stock)) {
        ItemPointerData tid = scan->slot->tts_tid;
        TM_FailureData failure;
        LockTupleMode mode;
        HoldfastUpdateIndexes update_indexes;
        TM_Result result;

        table_target_check_constraints(target, scan->table);
        result = table_tuple_update(scan->table, &tid, target->slot, GetCurrentCommandId(true),
                                    GetActiveSnapshot(), InvalidSnapshot, true, &failure, &mode,
                                    &update_indexes);
        if (result == TM_Ok) {
            if (HOLDFAST_WANTS_INDEX_ENTRIES(update_indexes))
                table_target_insert_index_entries(target);
            return true;
        }
        if (result != TM_Updated && result != TM_Deleted)
            elog(ERROR, "unexpected result %d of updating a stock row", (int)result);
        if (!lock_newest(scan, &tid, mode)) return false;
    }
    return false;
}

bool stock_row_reserve(int64 product_id, int64 quantity, int64 changes, SqlStock* stock) {
    KeyScan scan;
    TableTarget* target = NULL;

    if (XactReadOnly) return false;
    memset(stock, 0, sizeof *stock);
    PushActiveSnapshot(GetTransactionSnapshot());
    /* Keeps the lock, as an UPDATE does. */
    if (key_scan_begin(&scan, "stock", columns, RowExclusiveLock, ACL_SELECT | ACL_UPDATE))
        target = table_target_find(columns, scan.table, no_trigger_minds);
    if (target != NULL && target->plain) {
        /* A published table needs a replica identity. */
        CheckCmdReplicaIdentity(scan.table, CMD_UPDATE);
        stock->reserved_now =
            key_scan_find(&scan, product_id) && reserve(&scan, target, quantity, changes, stock);
        table_target_end_row(target);
    }
    key_scan_end(&scan, NoLock);
    PopActiveSnapshot();
    if (stock->reserved_now) CommandCounterIncrement();
    return target != NULL && target->plain;
}
