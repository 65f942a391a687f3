#include "postgres.h"

#include "backend/key_scan.h"
#include "backend/product_lookup.h"
#include "catalog/pg_type.h"
#include "utils/snapmgr.h"

static const KeyScanColumn product_columns[] = {
    {"product_id", INT8OID},    {"unit_price", INT8OID},
    {"currency", TEXTOID},      {"waiting_room_id", INT4OID},
    {"max_per_order", INT8OID}, {"max_per_user", INT8OID},
    {NULL, InvalidOid}};
static const KeyScanColumn stock_columns[] = {{"product_id", INT8OID},   {"on_hand", INT8OID},
                                              {"reserved", INT8OID},     {"mode", TEXTOID},
                                              {"safety_stock", INT8OID}, {NULL, InvalidOid}};

/* A copy, since the slot moves on. */
static RawBytes get_text(KeyScan* scan, int column) {
    RawBytes bytes = raw_text_bytes(key_scan_value(scan, column));

    bytes.data = pnstrdup(bytes.data, bytes.size);
    return bytes;
}

bool product_lookup(const int64* ids, int count, SqlProduct* products, int* found) {
    KeyScan product;
    KeyScan stock;
    bool usable;

    *found = 0;
    PushActiveSnapshot(GetTransactionSnapshot());
    memset(&stock, 0, sizeof stock);
    usable = key_scan_begin(&product, "product", product_columns, AccessShareLock, ACL_SELECT) &&
             key_scan_begin(&stock, "stock", stock_columns, AccessShareLock, ACL_SELECT);
    for (int i = 0; usable && i < count; i++) {
        SqlProduct* row = &products[*found];

        if (!key_scan_find(&product, ids[i]) || !key_scan_find(&stock, ids[i])) continue;
        row->product_id = ids[i];
        row->unit_price = DatumGetInt64(key_scan_value(&product, 1));
        row->currency = get_text(&product, 2);
        row->available = DatumGetInt64(key_scan_value(&stock, 1)) -
                         DatumGetInt64(key_scan_value(&stock, 2)) -
                         DatumGetInt64(key_scan_value(&stock, 4));
        row->stock_mode = get_text(&stock, 3);
        row->waiting_room = DatumGetInt32(key_scan_optional(&product, 3));
        row->max_per_order = DatumGetInt64(key_scan_optional(&product, 4));
        row->max_per_user = DatumGetInt64(key_scan_optional(&product, 5));
        (*found)++;
    }
    key_scan_end(&stock, AccessShareLock);
    key_scan_end(&product, AccessShareLock);
    PopActiveSnapshot();
    return usable;
}
