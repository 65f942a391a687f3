/*
 * The SQL of place_order, as saved plans: prepared at first use in a session, kept until it ends,
 * and replanned by the server when a table changes.  Plain C structs in and out; text is borrowed.
 * Call between order_sql_begin and order_sql_end, through call_backend only.
 */
#ifndef HOLDFAST_BACKEND_ORDER_SQL_H
#define HOLDFAST_BACKEND_ORDER_SQL_H

#include "backend/raw.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct SqlProduct {
    int64 product_id;
    int64 unit_price;
    int64 available;
    RawBytes currency; /* both live until order_sql_end */
    RawBytes stock_mode;
    int32 waiting_room; /* 0: NULL, and so of the limits */
    int64 max_per_order;
    int64 max_per_user;
} SqlProduct;

typedef struct SqlStock {
    bool reserved_now;
    int64 on_hand;
    int64 reserved;
    int64 available;
    int64 version;
} SqlStock;

/* An answer kept under an idempotency key; text lives until order_sql_end. */
typedef struct SqlAnswer {
    bool found;
    RawBytes request_hash; /* 32 bytes */
    bool has_order_id;
    int64 order_id;
    RawBytes status;
    RawBytes detail;
} SqlAnswer;

/* Empty text becomes NULL. */
typedef struct SqlAdmission {
    int32 room;
    int64 user_id;
    RawBytes token;
    RawBytes trace_id;
} SqlAdmission;

typedef struct SqlTombstone {
    bool found;
    RawBytes step;
    RawBytes reason;
    RawBytes message;
} SqlTombstone;

/* Empty text becomes NULL, except status and currency. */
typedef struct SqlOrder {
    int64 order_id;
    int64 user_id;
    RawBytes status;
    RawBytes currency;
    int64 original_total_amount;
    int64 discount_amount;
    int64 final_total_amount;
    RawBytes failure_step;
    RawBytes failure_reason;
    RawBytes failure_message;
    RawBytes trace_id;
    RawBytes traceparent;
    RawBytes idempotency_key;
    TimestampTz created_at;
    RawBytes saga;
    bool refused; /* no expires_at */
    TimestampTz expires_at;
    bool reserved; /* the lines are held */
    int line_count;
    const int64* product_ids;
    const int64* quantities;
    const int64* unit_prices;
    const int64* line_discounts;
    int coupon_count;
    const RawBytes* coupon_codes;
    const int64* coupon_discounts;
} SqlOrder;

/* Of one user; has_* tells whether there is a limit.  Text lives until order_sql_end. */
typedef struct SqlCoupon {
    RawBytes code;
    int64 user_id;
    RawBytes currency;
    int64 amount;
    int64 basis_points;
    bool has_max_discount;
    int64 max_discount;
    int64 minimum_amount;
    bool is_valid;
    bool has_uses_left;
    int64 uses_left;
    bool has_user_uses_left;
    int64 user_uses_left;
} SqlCoupon;

typedef struct SqlEvent {
    const unsigned char* id; /* 16 bytes */
    RawBytes topic;
    int64 key;
    RawBytes type;
    RawBytes payload;
    RawBytes headers; /* empty: NULL */
    TimestampTz created_at;
} SqlEvent;

/* Open and close the SPI frame.  After an error the transaction's end closes it. */
extern void order_sql_begin(void);
extern void order_sql_end(void);

extern int64 order_sql_next_order_id(void);

/* False when the id is one that next_order_id has not given out. */
extern bool order_sql_is_issued(int64 order_id);

/* Keeps others from making a tombstone for the order until the transaction ends, then looks. */
extern SqlTombstone order_sql_find_tombstone(int64 order_id);

/* Fills at most `count` products in ascending order; returns how many exist. */
extern int order_sql_read_products(const int64* ids, int count, bool lock, SqlProduct* products);

extern bool order_sql_claim_key(int64 user_id, RawBytes key, const SqlAnswer* answer);
extern SqlAnswer order_sql_find_answer(int64 user_id, RawBytes key);
extern void order_sql_change_answer(int64 user_id, RawBytes key, const SqlAnswer* answer);
extern void order_sql_release_key(int64 user_id, RawBytes key);

/* Both return why the user is not admitted, which lives until order_sql_end; empty: admitted. */
extern RawBytes order_sql_check_admission(const SqlAdmission* admission, bool lock);
extern RawBytes order_sql_use_admission(const SqlAdmission* admission, int64 order_id);

/* Locks `count` counts, which are in ascending order, and fills `taken`. */
extern void order_sql_lock_limits(const int64* product_ids, const int64* user_ids, int count,
                                  int64* taken);
extern void order_sql_add_taken(int64 order_id, int64 user_id, const int64* product_ids,
                                const int64* quantities, int count, TimestampTz at);

extern void order_sql_insert_order(const SqlOrder* order, const SqlEvent* events, int event_count);
extern void order_sql_insert_event(const SqlEvent* event);

typedef struct SqlSaga {
    bool found;
    int32 version;
    RawBytes stock_taking; /* lives until order_sql_end */
} SqlSaga;

/* The newest version of a saga. */
extern SqlSaga order_sql_find_saga(RawBytes name);
extern void order_sql_start_saga(int64 order_id, RawBytes name, int32 version);

/* The row's version rises by `changes`. */
extern SqlStock order_sql_reserve(int64 product_id, int64 quantity, int64 changes);

/* Fills at most `count` coupons, in ascending order of the claims (code, user); returns how many
 * exist.  Locks first the users' counters and then the coupons', each ascending. */
extern int order_sql_read_coupons(const RawBytes* codes, const int64* user_ids, int count,
                                  bool lock, SqlCoupon* coupons);
/* False when fewer uses are left. */
extern bool order_sql_take_coupon_of_user(RawBytes code, int64 user_id, int64 uses);
extern bool order_sql_take_coupon(RawBytes code, int64 uses);

/* Flushes, and waits for synchronous standbys, until the transaction's commit is as durable as the
 * session wants its own commits to be.  For one that was committed with its locks released early.
 */
extern void order_sql_await_durable(TransactionId xid);

/* SHA-256 of `size` bytes into 32 bytes. */
extern void raw_sha256(const char* data, Size size, unsigned char* digest);

#ifdef __cplusplus
}
#endif

#endif
