#include "postgres.h"

#include "access/genam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "backend/key_scan.h"
#include "backend/version.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static AttrNumber find_column(Relation table, const KeyScanColumn* column) {
    TupleDesc descriptor = RelationGetDescr(table);

    for (int i = 0; i < descriptor->natts; i++) {
        Form_pg_attribute attribute = TupleDescAttr(descriptor, i);

        if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), column->name) == 0)
            return attribute->atttypid == column->type ? attribute->attnum : InvalidAttrNumber;
    }
    return InvalidAttrNumber;
}

bool key_scan_begin(KeyScan* scan, const char* name, const KeyScanColumn* columns, LOCKMODE lock,
                    AclMode privileges) {
    Oid table_id = get_relname_relid(name, get_namespace_oid("holdfast", false));
    Oid index_id;

    memset(scan, 0, sizeof *scan);
    if (!OidIsValid(table_id)) return false;
    scan->table = table_open(table_id, lock);
    if (scan->table->rd_rel->relkind != RELKIND_RELATION || scan->table->rd_rel->relrowsecurity ||
        scan->table->rd_rel->relhassubclass ||
        (scan->table->rd_rel->relowner != GetUserId() &&
         pg_class_aclmask(table_id, GetUserId(), privileges, ACLMASK_ALL) != privileges))
        return false;
    for (int i = 0; columns[i].name != NULL; i++) {
        scan->columns[i] = find_column(scan->table, &columns[i]);
        if (scan->columns[i] == InvalidAttrNumber) return false;
    }
    index_id = HOLDFAST_PRIMARY_KEY_INDEX(scan->table);
    if (!OidIsValid(index_id)) return false;
    scan->index = index_open(index_id, AccessShareLock);
    if (scan->index->rd_rel->relam != BTREE_AM_OID || scan->index->rd_index->indnatts != 1 ||
        scan->index->rd_index->indkey.values[0] != scan->columns[0])
        return false;
    scan->slot = table_slot_create(scan->table, NULL);
    scan->scan = HOLDFAST_INDEX_BEGINSCAN(scan->table, scan->index, GetActiveSnapshot(), 1);
    return true;
}

void key_scan_end(KeyScan* scan, LOCKMODE lock) {
    if (scan->scan != NULL) index_endscan(scan->scan);
    if (scan->slot != NULL) ExecDropSingleTupleTableSlot(scan->slot);
    if (scan->index != NULL) index_close(scan->index, AccessShareLock);
    if (scan->table != NULL) table_close(scan->table, lock);
}

bool key_scan_find(KeyScan* scan, int64 key) {
    ScanKeyData scan_key;

    ScanKeyInit(&scan_key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(key));
    index_rescan(scan->scan, &scan_key, 1, NULL, 0);
    return index_getnext_slot(scan->scan, ForwardScanDirection, scan->slot);
}

Datum key_scan_optional(KeyScan* scan, int column) {
    bool is_null;
    Datum value = slot_getattr(scan->slot, scan->columns[column], &is_null);

    return is_null ? (Datum)0 : value;
}

Datum key_scan_value(KeyScan* scan, int column) {
    bool is_null;
    Datum value = slot_getattr(scan->slot, scan->columns[column], &is_null);

    if (is_null)
        elog(ERROR, "column %d of table \"%s\" is null", column,
             RelationGetRelationName(scan->table));
    return value;
}
