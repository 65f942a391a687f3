#include "postgres.h"

#include "access/genam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "backend/product_lookup.h"
#include "backend/version.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#define MAX_COLUMNS 5

/* One of the two tables, opened, and a scan of its primary key; column 0 is the key. */
typedef struct KeyScan {
    Relation table;
    Relation index;
    TupleTableSlot* slot;
    IndexScanDesc scan;
    AttrNumber columns[MAX_COLUMNS];
} KeyScan;

typedef struct Column {
    const char* name;
    Oid type;
} Column;

static const Column product_columns[] = {
    {"product_id", INT8OID}, {"unit_price", INT8OID}, {"currency", TEXTOID}, {NULL, InvalidOid}};
static const Column stock_columns[] = {{"product_id", INT8OID},   {"on_hand", INT8OID},
                                       {"reserved", INT8OID},     {"mode", TEXTOID},
                                       {"safety_stock", INT8OID}, {NULL, InvalidOid}};

static AttrNumber find_column(Relation table, const Column* column) {
    TupleDesc descriptor = RelationGetDescr(table);

    for (int i = 0; i < descriptor->natts; i++) {
        Form_pg_attribute attribute = TupleDescAttr(descriptor, i);

        if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), column->name) == 0)
            return attribute->atttypid == column->type ? attribute->attnum : InvalidAttrNumber;
    }
    return InvalidAttrNumber;
}

/* False when the table is not as expected; what is open then is closed by end_scan. */
static bool begin_scan(KeyScan* scan, Oid schema, const char* name, const Column* columns) {
    Oid table_id = get_relname_relid(name, schema);
    Oid index_id;

    memset(scan, 0, sizeof *scan);
    if (!OidIsValid(table_id)) return false;
    scan->table = table_open(table_id, AccessShareLock);
    if (scan->table->rd_rel->relkind != RELKIND_RELATION || scan->table->rd_rel->relrowsecurity ||
        scan->table->rd_rel->relhassubclass ||
        (scan->table->rd_rel->relowner != GetUserId() &&
         pg_class_aclcheck(table_id, GetUserId(), ACL_SELECT) != ACLCHECK_OK))
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

static void end_scan(KeyScan* scan) {
    if (scan->scan != NULL) index_endscan(scan->scan);
    if (scan->slot != NULL) ExecDropSingleTupleTableSlot(scan->slot);
    if (scan->index != NULL) index_close(scan->index, AccessShareLock);
    if (scan->table != NULL) table_close(scan->table, AccessShareLock);
}

static bool find(KeyScan* scan, int64 id) {
    ScanKeyData key;

    ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
    index_rescan(scan->scan, &key, 1, NULL, 0);
    return index_getnext_slot(scan->scan, ForwardScanDirection, scan->slot);
}

/* The columns read here are NOT NULL. */
static Datum get(KeyScan* scan, int column) {
    bool is_null;
    Datum value = slot_getattr(scan->slot, scan->columns[column], &is_null);

    if (is_null)
        elog(ERROR, "column %d of table \"%s\" is null", column,
             RelationGetRelationName(scan->table));
    return value;
}

/* A copy, since the slot moves on. */
static RawBytes get_text(KeyScan* scan, int column) {
    RawBytes bytes = raw_text_bytes(get(scan, column));

    bytes.data = pnstrdup(bytes.data, bytes.size);
    return bytes;
}

bool product_lookup(const int64* ids, int count, SqlProduct* products, int* found) {
    Oid schema = get_namespace_oid("holdfast", false);
    KeyScan product;
    KeyScan stock;
    bool usable;

    *found = 0;
    PushActiveSnapshot(GetTransactionSnapshot());
    memset(&stock, 0, sizeof stock);
    usable = begin_scan(&product, schema, "product", product_columns) &&
             begin_scan(&stock, schema, "stock", stock_columns);
    for (int i = 0; usable && i < count; i++) {
        SqlProduct* row = &products[*found];

        if (!find(&product, ids[i]) || !find(&stock, ids[i])) continue;
        row->product_id = ids[i];
        row->unit_price = DatumGetInt64(get(&product, 1));
        row->currency = get_text(&product, 2);
        row->available = DatumGetInt64(get(&stock, 1)) - DatumGetInt64(get(&stock, 2)) -
                         DatumGetInt64(get(&stock, 4));
        row->stock_mode = get_text(&stock, 3);
        (*found)++;
    }
    end_scan(&stock);
    end_scan(&product);
    PopActiveSnapshot();
    return usable;
}
