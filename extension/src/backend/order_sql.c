#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "backend/order_sql.h"
#include "backend/product_lookup.h"
#include "backend/stock_row.h"
#include "backend/table_writer.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "replication/syncrep.h"
#include "storage/lwlock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/uuid.h"

#define MAX_PARAMETERS MAX_WRITER_COLUMNS

typedef struct Statement {
    const char* sql;
    int parameter_count;
    Oid parameter_types[MAX_PARAMETERS];
    SPIPlanPtr plan;
} Statement;

#define PRODUCT_COLUMNS                                                                \
    "SELECT p.product_id, p.unit_price, p.currency, s.mode, s.on_hand - s.reserved - " \
    "s.safety_stock, coalesce(p.waiting_room_id, 0), coalesce(p.max_per_order, 0), "   \
    "coalesce(p.max_per_user, 0) "                                                     \
    "FROM holdfast.product p JOIN holdfast.stock s ON s.product_id = p.product_id "

static Statement read_products = {
    PRODUCT_COLUMNS "WHERE p.product_id = ANY ($1) ORDER BY p.product_id", 1, {INT8ARRAYOID}, NULL};

static Statement lock_products = {
    PRODUCT_COLUMNS "WHERE p.product_id = ANY ($1) ORDER BY p.product_id FOR NO KEY UPDATE OF s",
    1,
    {INT8ARRAYOID},
    NULL};

static Statement claim_key = {
    "INSERT INTO holdfast.idempotency (user_id, key, request_hash, order_id, status, detail) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    6,
    {INT8OID, TEXTOID, BYTEAOID, INT8OID, TEXTOID, JSONBOID},
    NULL};

static Statement change_answer = {
    "UPDATE holdfast.idempotency SET request_hash = $3, order_id = $4, status = $5, detail = $6 "
    "WHERE user_id = $1 AND key = $2",
    6,
    {INT8OID, TEXTOID, BYTEAOID, INT8OID, TEXTOID, JSONBOID},
    NULL};

static Statement find_answer = {
    "SELECT request_hash, order_id, status, detail::text, xmin FROM holdfast.idempotency "
    "WHERE user_id = $1 AND key = $2",
    2,
    {INT8OID, TEXTOID},
    NULL};

static Statement release_key = {"DELETE FROM holdfast.idempotency WHERE user_id = $1 AND key = $2",
                                2,
                                {INT8OID, TEXTOID},
                                NULL};

static Statement check_admission = {"SELECT holdfast.check_admission($1, $2, $3, $4, $5)",
                                    5,
                                    {INT4OID, INT8OID, TEXTOID, TEXTOID, BOOLOID},
                                    NULL};

static Statement use_admission = {"SELECT holdfast.use_admission($1, $2, $3, $4, $5)",
                                  5,
                                  {INT4OID, INT8OID, TEXTOID, TEXTOID, INT8OID},
                                  NULL};

static Statement lock_limits = {
    "SELECT l.taken FROM unnest(holdfast.lock_limits($1, $2)) WITH ORDINALITY AS l(taken, n) "
    "ORDER BY l.n",
    2,
    {INT8ARRAYOID, INT8ARRAYOID},
    NULL};

static Statement add_taken = {
    "INSERT INTO holdfast.customer_take (order_id, user_id, product_id, quantity, taken_at) "
    "SELECT $1, $2, l.product_id, l.quantity, $5 FROM unnest($3, $4) AS l(product_id, quantity)",
    5,
    {INT8OID, INT8OID, INT8ARRAYOID, INT8ARRAYOID, TIMESTAMPTZOID},
    NULL};

static Statement lock_order_id = {"SELECT holdfast.lock_order_id($1)", 1, {INT8OID}, NULL};

static Statement last_order_id = {
    "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM holdfast.order_id_seq",
    0,
    {0},
    NULL};

static Statement find_tombstone = {
    "SELECT step, reason, message FROM holdfast.order_tombstone WHERE order_id = $1",
    1,
    {INT8OID},
    NULL};

/*
 * The claims come in ascending order.  OFFSET 0 keeps each of them a look by key: as a join it
 * would be planned for the few rows that the tables have at first.  A limit that there is not makes
 * what is left of it null.
 */
static Statement read_coupons = {
    "SELECT c.code, w.user_id, c.currency, coalesce(c.amount, 0), "
    "coalesce(c.percent * 100, 0)::bigint, c.max_discount, c.minimum_amount, "
    "coalesce(c.valid_from <= clock_timestamp(), true) "
    "AND coalesce(c.valid_until > clock_timestamp(), true), "
    "c.total_uses - c.uses, c.uses_per_user - coalesce(u.uses, 0) "
    "FROM unnest($1, $2) AS w(code, user_id) "
    "CROSS JOIN LATERAL (SELECT * FROM holdfast.coupon WHERE code = w.code OFFSET 0) c "
    "LEFT JOIN LATERAL (SELECT uses FROM holdfast.coupon_user "
    "WHERE code = w.code AND user_id = w.user_id OFFSET 0) u ON true",
    2,
    {TEXTARRAYOID, INT8ARRAYOID},
    NULL};

static Statement add_coupon_users = {
    "INSERT INTO holdfast.coupon_user (code, user_id) SELECT w.code, w.user_id "
    "FROM unnest($1, $2) AS w(code, user_id) CROSS JOIN LATERAL "
    "(SELECT FROM holdfast.coupon WHERE code = w.code OFFSET 0) c ON CONFLICT DO NOTHING",
    2,
    {TEXTARRAYOID, INT8ARRAYOID},
    NULL};

static Statement lock_coupon_users = {
    "SELECT FROM unnest($1, $2) AS w(code, user_id) CROSS JOIN LATERAL "
    "(SELECT FROM holdfast.coupon_user WHERE code = w.code AND user_id = w.user_id "
    "FOR NO KEY UPDATE) u",
    2,
    {TEXTARRAYOID, INT8ARRAYOID},
    NULL};

static Statement lock_coupons = {
    "SELECT FROM holdfast.coupon c WHERE c.code = ANY ($1) ORDER BY c.code FOR NO KEY UPDATE",
    1,
    {TEXTARRAYOID},
    NULL};

static Statement take_coupon_of_user = {
    "INSERT INTO holdfast.coupon_user AS u (code, user_id, uses) VALUES ($1, $2, $3) "
    "ON CONFLICT (code, user_id) DO UPDATE SET uses = u.uses + excluded.uses "
    "WHERE u.uses + excluded.uses <= coalesce((SELECT c.uses_per_user FROM holdfast.coupon c "
    "WHERE c.code = u.code), 9223372036854775807)",
    3,
    {TEXTOID, INT8OID, INT8OID},
    NULL};

static Statement take_coupon = {
    "UPDATE holdfast.coupon SET uses = uses + $2 WHERE code = $1 "
    "AND coalesce(uses + $2 <= total_uses, true) "
    "AND coalesce(valid_until > clock_timestamp(), true)",
    2,
    {TEXTOID, INT8OID},
    NULL};

static TableWriter orders = {
    .table = "orders",
    .column_count = 17,
    .columns = {{"order_id", INT8OID},
                {"user_id", INT8OID},
                {"status", TEXTOID},
                {"currency", TEXTOID},
                {"original_total_amount", INT8OID},
                {"discount_amount", INT8OID},
                {"final_total_amount", INT8OID},
                {"failure_step", TEXTOID},
                {"failure_reason", TEXTOID},
                {"failure_message", TEXTOID},
                {"trace_id", TEXTOID},
                {"traceparent", TEXTOID},
                {"idempotency_key", TEXTOID},
                {"created_at", TIMESTAMPTZOID},
                {"updated_at", TIMESTAMPTZOID},
                {"expires_at", TIMESTAMPTZOID},
                {"saga", TEXTOID}},
};

static TableWriter order_lines = {
    .table = "order_line",
    .column_count = 6,
    .columns = {{"order_id", INT8OID},
                {"line_no", INT4OID},
                {"product_id", INT8OID},
                {"quantity", INT8OID},
                {"unit_price", INT8OID},
                {"discount_amount", INT8OID}},
};

static TableWriter coupon_uses = {
    .table = "coupon_use",
    .column_count = 7,
    .columns = {{"order_id", INT8OID},
                {"code", TEXTOID},
                {"user_id", INT8OID},
                {"discount_amount", INT8OID},
                {"state", TEXTOID},
                {"created_at", TIMESTAMPTZOID},
                {"updated_at", TIMESTAMPTZOID}},
};

static TableWriter reservations = {
    .table = "reservation",
    .column_count = 7,
    .columns = {{"order_id", INT8OID},
                {"product_id", INT8OID},
                {"quantity", INT8OID},
                {"state", TEXTOID},
                {"expires_at", TIMESTAMPTZOID},
                {"created_at", TIMESTAMPTZOID},
                {"updated_at", TIMESTAMPTZOID}},
};

static TableWriter outbox = {
    .table = "outbox",
    .column_count = 7,
    .columns = {{"id", UUIDOID},
                {"aggregatetype", TEXTOID},
                {"aggregateid", TEXTOID},
                {"type", TEXTOID},
                {"payload", JSONOID},
                {"headers", JSONOID},
                {"created_at", TIMESTAMPTZOID}},
};

static Statement reserve = {
    "UPDATE holdfast.stock SET reserved = reserved + $2, version = version + $3, updated_at = "
    "clock_timestamp() "
    "WHERE product_id = $1 AND on_hand - reserved - safety_stock >= $2 "
    "RETURNING on_hand, reserved, on_hand - reserved - safety_stock, version",
    3,
    {INT8OID, INT8OID, INT8OID},
    NULL};

static Statement find_saga = {
    "SELECT version, stock_taking FROM holdfast.saga_plan($1)", 1, {TEXTOID}, NULL};

static Statement start_saga = {
    "SELECT holdfast.saga_start($1, $2, $3)", 3, {INT8OID, TEXTOID, INT4OID}, NULL};

/* Parameters of one execution, or columns of one row. */
typedef struct Parameters {
    Datum values[MAX_PARAMETERS];
    bool nulls[MAX_PARAMETERS];
    int count;
} Parameters;

static void add(Parameters* parameters, Datum value) {
    parameters->nulls[parameters->count] = false;
    parameters->values[parameters->count++] = value;
}

static void add_null(Parameters* parameters) {
    parameters->nulls[parameters->count] = true;
    parameters->values[parameters->count++] = (Datum)0;
}

static void add_text(Parameters* parameters, RawBytes text) {
    add(parameters, raw_text_datum(text.data, text.size));
}

static void add_optional_text(Parameters* parameters, RawBytes text) {
    if (text.size == 0)
        add_null(parameters);
    else
        add_text(parameters, text);
}

static void add_int64_array(Parameters* parameters, const int64* values, int count) {
    Datum* elements = palloc(sizeof(Datum) * (Size)count);

    for (int i = 0; i < count; i++) elements[i] = Int64GetDatum(values[i]);
    add(parameters, PointerGetDatum(construct_array(elements, count, INT8OID, 8, FLOAT8PASSBYVAL,
                                                    TYPALIGN_DOUBLE)));
}

static void add_int64_as_text(Parameters* parameters, int64 value) {
    char digits[MAXINT8LEN + 1];

    add(parameters, raw_text_datum(digits, (Size)pg_lltoa(value, digits)));
}

static int execute(Statement* statement, Parameters* parameters, bool read_only) {
    char flags[MAX_PARAMETERS];
    int result;

    if (statement->plan == NULL) {
        /* Generic at once: what the parameters are never changes these plans. */
        SPIPlanPtr plan = SPI_prepare_cursor(statement->sql, statement->parameter_count,
                                             statement->parameter_types, CURSOR_OPT_GENERIC_PLAN);

        if (plan == NULL)
            elog(ERROR, "could not prepare \"%s\": %s", statement->sql,
                 SPI_result_code_string(SPI_result));
        if (SPI_keepplan(plan) != 0)
            elog(ERROR, "could not keep the plan of \"%s\"", statement->sql);
        statement->plan = plan;
    }
    Assert(parameters->count == statement->parameter_count);
    for (int i = 0; i < parameters->count; i++) flags[i] = parameters->nulls[i] ? 'n' : ' ';
    result = SPI_execute_plan(statement->plan, parameters->values, flags, read_only, 0);
    if (result < 0)
        elog(ERROR, "could not execute \"%s\": %s", statement->sql, SPI_result_code_string(result));
    return (int)SPI_processed;
}

/* For tables that grow: the plan is kept, and was perhaps made when they were small. */
static int execute_by_index(Statement* statement, Parameters* parameters) {
    int settings = NewGUCNestLevel();
    int rows;

    (void)set_config_option("enable_seqscan", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                            true, 0, false);
    rows = execute(statement, parameters, false);
    AtEOXact_GUC(true, settings);
    return rows;
}

/* Columns of the last result's row; order_sql_* promise what may be null. */
static Datum column(int row, int number, bool* is_null) {
    return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, number, is_null);
}

static int64 int64_column(int row, int number) {
    bool is_null;
    Datum value = column(row, number, &is_null);

    if (is_null) elog(ERROR, "column %d is null", number);
    return DatumGetInt64(value);
}

static int32 int32_column(int row, int number) {
    bool is_null;
    Datum value = column(row, number, &is_null);

    if (is_null) elog(ERROR, "column %d is null", number);
    return DatumGetInt32(value);
}

/* Empty when null; lives in the SPI frame. */
static RawBytes text_column(int row, int number) {
    bool is_null;
    Datum value = column(row, number, &is_null);
    RawBytes empty = {"", 0};

    return is_null ? empty : raw_text_bytes(value);
}

void order_sql_begin(void) {
    if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "could not connect to SPI");
}

void order_sql_end(void) {
    if (SPI_finish() != SPI_OK_FINISH) elog(ERROR, "could not disconnect from SPI");
}

int64 order_sql_next_order_id(void) {
    Oid schema = get_namespace_oid("holdfast", false);
    Oid sequence = get_relname_relid("order_id_seq", schema);

    if (!OidIsValid(sequence))
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE),
                errmsg("sequence holdfast.order_id_seq does not exist"));
    return DatumGetInt64(DirectFunctionCall1(nextval_oid, ObjectIdGetDatum(sequence)));
}

bool order_sql_is_issued(int64 order_id) {
    Parameters none = {.count = 0};

    execute(&last_order_id, &none, false);
    return order_id <= int64_column(0, 1);
}

SqlTombstone order_sql_find_tombstone(int64 order_id) {
    Parameters parameters = {.count = 0};
    SqlTombstone tombstone;

    add(&parameters, Int64GetDatum(order_id));
    execute(&lock_order_id, &parameters, false);
    /* A new snapshot: the one before may be older than the lock. */
    tombstone.found = execute(&find_tombstone, &parameters, false) > 0;
    if (tombstone.found) {
        tombstone.step = text_column(0, 1);
        tombstone.reason = text_column(0, 2);
        tombstone.message = text_column(0, 3);
    }
    return tombstone;
}

int order_sql_read_products(const int64* ids, int count, bool lock, SqlProduct* products) {
    Parameters parameters = {.count = 0};
    int found;
    int row;

    if (!lock && product_lookup(ids, count, products, &found)) return found;
    add_int64_array(&parameters, ids, count);
    found = execute(lock ? &lock_products : &read_products, &parameters, false);
    for (row = 0; row < Min(found, count); row++) {
        products[row].product_id = int64_column(row, 1);
        products[row].unit_price = int64_column(row, 2);
        products[row].currency = text_column(row, 3);
        products[row].stock_mode = text_column(row, 4);
        products[row].available = int64_column(row, 5);
        products[row].waiting_room = int32_column(row, 6);
        products[row].max_per_order = int64_column(row, 7);
        products[row].max_per_user = int64_column(row, 8);
    }
    return found;
}

static void add_answer(Parameters* parameters, int64 user_id, RawBytes key,
                       const SqlAnswer* answer) {
    char* detail = pnstrdup(answer->detail.data, answer->detail.size);

    add(parameters, Int64GetDatum(user_id));
    add_text(parameters, key);
    add(parameters, raw_text_datum(answer->request_hash.data, answer->request_hash.size));
    if (answer->has_order_id)
        add(parameters, Int64GetDatum(answer->order_id));
    else
        add_null(parameters);
    add_text(parameters, answer->status);
    add(parameters, DirectFunctionCall1(jsonb_in, CStringGetDatum(detail)));
}

bool order_sql_claim_key(int64 user_id, RawBytes key, const SqlAnswer* answer) {
    Parameters parameters = {.count = 0};

    add_answer(&parameters, user_id, key, answer);
    return execute(&claim_key, &parameters, false) > 0;
}

void order_sql_change_answer(int64 user_id, RawBytes key, const SqlAnswer* answer) {
    Parameters parameters = {.count = 0};

    add_answer(&parameters, user_id, key, answer);
    execute(&change_answer, &parameters, false);
}

void order_sql_release_key(int64 user_id, RawBytes key) {
    Parameters parameters = {.count = 0};

    add(&parameters, Int64GetDatum(user_id));
    add_text(&parameters, key);
    execute(&release_key, &parameters, false);
}

static void add_admission(Parameters* parameters, const SqlAdmission* admission) {
    add(parameters, Int32GetDatum(admission->room));
    add(parameters, Int64GetDatum(admission->user_id));
    add_optional_text(parameters, admission->token);
    add_optional_text(parameters, admission->trace_id);
}

RawBytes order_sql_check_admission(const SqlAdmission* admission, bool lock) {
    Parameters parameters = {.count = 0};

    add_admission(&parameters, admission);
    add(&parameters, BoolGetDatum(lock));
    execute(&check_admission, &parameters, false);
    return text_column(0, 1);
}

RawBytes order_sql_use_admission(const SqlAdmission* admission, int64 order_id) {
    Parameters parameters = {.count = 0};

    add_admission(&parameters, admission);
    add(&parameters, Int64GetDatum(order_id));
    execute(&use_admission, &parameters, false);
    return text_column(0, 1);
}

void order_sql_lock_limits(const int64* product_ids, const int64* user_ids, int count,
                           int64* taken) {
    Parameters parameters = {.count = 0};
    int found;

    add_int64_array(&parameters, product_ids, count);
    add_int64_array(&parameters, user_ids, count);
    found = execute(&lock_limits, &parameters, false);
    if (found != count) elog(ERROR, "lock_limits returned %d counts, not %d", found, count);
    for (int i = 0; i < count; i++) taken[i] = int64_column(i, 1);
}

void order_sql_add_taken(int64 order_id, int64 user_id, const int64* product_ids,
                         const int64* quantities, int count, TimestampTz at) {
    Parameters parameters = {.count = 0};

    add(&parameters, Int64GetDatum(order_id));
    add(&parameters, Int64GetDatum(user_id));
    add_int64_array(&parameters, product_ids, count);
    add_int64_array(&parameters, quantities, count);
    add(&parameters, TimestampTzGetDatum(at));
    execute(&add_taken, &parameters, false);
}

SqlAnswer order_sql_find_answer(int64 user_id, RawBytes key) {
    Parameters parameters = {.count = 0};
    SqlAnswer answer;
    bool is_null;
    Datum value;
    TransactionId writer;

    add(&parameters, Int64GetDatum(user_id));
    add_text(&parameters, key);
    memset(&answer, 0, sizeof answer);
    answer.found = execute(&find_answer, &parameters, false) > 0;
    if (!answer.found) return answer;
    answer.request_hash = text_column(0, 1);
    value = column(0, 2, &is_null);
    answer.has_order_id = !is_null;
    answer.order_id = is_null ? 0 : DatumGetInt64(value);
    answer.status = text_column(0, 3);
    answer.detail = text_column(0, 4);
    writer = DatumGetTransactionId(column(0, 5, &is_null));
    order_sql_await_durable(writer);
    return answer;
}

static void insert(TableWriter* writer, Parameters* row) {
    Assert(row->count == writer->column_count);
    table_writer_insert(writer, row->values, row->nulls);
}

void order_sql_insert_order(const SqlOrder* order, const SqlEvent* events, int event_count) {
    Parameters row = {.count = 0};
    int i;

    add(&row, Int64GetDatum(order->order_id));
    add(&row, Int64GetDatum(order->user_id));
    add_text(&row, order->status);
    add_text(&row, order->currency);
    add(&row, Int64GetDatum(order->original_total_amount));
    add(&row, Int64GetDatum(order->discount_amount));
    add(&row, Int64GetDatum(order->final_total_amount));
    add_optional_text(&row, order->failure_step);
    add_optional_text(&row, order->failure_reason);
    add_optional_text(&row, order->failure_message);
    add_optional_text(&row, order->trace_id);
    add_optional_text(&row, order->traceparent);
    add_optional_text(&row, order->idempotency_key);
    add(&row, TimestampTzGetDatum(order->created_at));
    add(&row, TimestampTzGetDatum(order->created_at));
    if (order->refused)
        add_null(&row);
    else
        add(&row, TimestampTzGetDatum(order->expires_at));
    add_optional_text(&row, order->saga);
    insert(&orders, &row);

    for (i = 0; i < order->line_count; i++) {
        row.count = 0;
        add(&row, Int64GetDatum(order->order_id));
        add(&row, Int32GetDatum(i + 1));
        add(&row, Int64GetDatum(order->product_ids[i]));
        add(&row, Int64GetDatum(order->quantities[i]));
        add(&row, Int64GetDatum(order->unit_prices[i]));
        add(&row, Int64GetDatum(order->line_discounts[i]));
        insert(&order_lines, &row);
    }
    for (i = 0; i < order->line_count && order->reserved; i++) {
        row.count = 0;
        add(&row, Int64GetDatum(order->order_id));
        add(&row, Int64GetDatum(order->product_ids[i]));
        add(&row, Int64GetDatum(order->quantities[i]));
        add(&row, CStringGetTextDatum("HELD"));
        add(&row, TimestampTzGetDatum(order->expires_at));
        add(&row, TimestampTzGetDatum(order->created_at));
        add(&row, TimestampTzGetDatum(order->created_at));
        insert(&reservations, &row);
    }
    for (i = 0; i < order->coupon_count; i++) {
        row.count = 0;
        add(&row, Int64GetDatum(order->order_id));
        add_text(&row, order->coupon_codes[i]);
        add(&row, Int64GetDatum(order->user_id));
        add(&row, Int64GetDatum(order->coupon_discounts[i]));
        add(&row, CStringGetTextDatum("HELD"));
        add(&row, TimestampTzGetDatum(order->created_at));
        add(&row, TimestampTzGetDatum(order->created_at));
        insert(&coupon_uses, &row);
    }
    for (i = 0; i < event_count; i++) order_sql_insert_event(&events[i]);
}

void order_sql_insert_event(const SqlEvent* event) {
    Parameters row = {.count = 0};

    add(&row, raw_uuid_datum(event->id));
    add_text(&row, event->topic);
    add_int64_as_text(&row, event->key);
    add_text(&row, event->type);
    add_text(&row, event->payload);
    add_optional_text(&row, event->headers);
    add(&row, TimestampTzGetDatum(event->created_at));
    insert(&outbox, &row);
}

SqlSaga order_sql_find_saga(RawBytes name) {
    Parameters parameters = {.count = 0};
    SqlSaga saga;
    bool is_null;

    add_text(&parameters, name);
    memset(&saga, 0, sizeof saga);
    saga.found = execute(&find_saga, &parameters, false) > 0;
    if (!saga.found) return saga;
    saga.version = DatumGetInt32(column(0, 1, &is_null));
    saga.stock_taking = text_column(0, 2);
    return saga;
}

void order_sql_start_saga(int64 order_id, RawBytes name, int32 version) {
    Parameters parameters = {.count = 0};

    add(&parameters, Int64GetDatum(order_id));
    add_text(&parameters, name);
    add(&parameters, Int32GetDatum(version));
    execute(&start_saga, &parameters, false);
}

SqlStock order_sql_reserve(int64 product_id, int64 quantity, int64 changes) {
    Parameters parameters = {.count = 0};
    SqlStock stock;

    if (stock_row_reserve(product_id, quantity, changes, &stock)) return stock;
    memset(&stock, 0, sizeof stock);
    add(&parameters, Int64GetDatum(product_id));
    add(&parameters, Int64GetDatum(quantity));
    add(&parameters, Int64GetDatum(changes));
    stock.reserved_now = execute(&reserve, &parameters, false) > 0;
    if (stock.reserved_now) {
        stock.on_hand = int64_column(0, 1);
        stock.reserved = int64_column(0, 2);
        stock.available = int64_column(0, 3);
        stock.version = int64_column(0, 4);
    }
    return stock;
}

/* Zero when null, and then *is_set is false. */
static int64 optional_column(int row, int number, bool* is_set) {
    bool is_null;
    Datum value = column(row, number, &is_null);

    *is_set = !is_null;
    return is_null ? 0 : DatumGetInt64(value);
}

int order_sql_read_coupons(const RawBytes* codes, const int64* user_ids, int count, bool lock,
                           SqlCoupon* coupons) {
    Parameters parameters = {.count = 0};
    Parameters of_codes;
    Datum* elements = palloc(sizeof(Datum) * (Size)count);
    int found;
    int row;

    for (row = 0; row < count; row++)
        elements[row] = raw_text_datum(codes[row].data, codes[row].size);
    add(&parameters,
        PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false, TYPALIGN_INT)));
    of_codes = parameters;
    for (row = 0; row < count; row++) elements[row] = Int64GetDatum(user_ids[row]);
    add(&parameters, PointerGetDatum(construct_array(elements, count, INT8OID, 8, FLOAT8PASSBYVAL,
                                                     TYPALIGN_DOUBLE)));
    if (lock) {
        execute_by_index(&add_coupon_users, &parameters);
        execute_by_index(&lock_coupon_users, &parameters);
        execute_by_index(&lock_coupons, &of_codes);
    }
    /* A new snapshot: one from before the locks would not see what they waited for. */
    found = execute_by_index(&read_coupons, &parameters);
    for (row = 0; row < Min(found, count); row++) {
        SqlCoupon* coupon = &coupons[row];
        bool is_null;

        coupon->code = text_column(row, 1);
        coupon->user_id = int64_column(row, 2);
        coupon->currency = text_column(row, 3);
        coupon->amount = int64_column(row, 4);
        coupon->basis_points = int64_column(row, 5);
        coupon->max_discount = optional_column(row, 6, &coupon->has_max_discount);
        coupon->minimum_amount = int64_column(row, 7);
        coupon->is_valid = DatumGetBool(column(row, 8, &is_null));
        coupon->uses_left = optional_column(row, 9, &coupon->has_uses_left);
        coupon->user_uses_left = optional_column(row, 10, &coupon->has_user_uses_left);
    }
    return found;
}

bool order_sql_take_coupon_of_user(RawBytes code, int64 user_id, int64 uses) {
    Parameters parameters = {.count = 0};

    add_text(&parameters, code);
    add(&parameters, Int64GetDatum(user_id));
    add(&parameters, Int64GetDatum(uses));
    return execute_by_index(&take_coupon_of_user, &parameters) > 0;
}

bool order_sql_take_coupon(RawBytes code, int64 uses) {
    Parameters parameters = {.count = 0};

    add_text(&parameters, code);
    add(&parameters, Int64GetDatum(uses));
    return execute_by_index(&take_coupon, &parameters) > 0;
}

void order_sql_await_durable(TransactionId xid) {
    XLogRecPtr lsn = InvalidXLogRecPtr;

    if (synchronous_commit <= SYNCHRONOUS_COMMIT_OFF || TransactionIdIsCurrentTransactionId(xid))
        return;
    /* The status of an old transaction may have been truncated away; it has long been durable. */
    LWLockAcquire(XactTruncationLock, LW_SHARED);
    if (TransactionIdIsNormal(xid) && !TransactionIdPrecedes(xid, HOLDFAST_OLDEST_CLOG_XID()))
        lsn = TransactionIdGetCommitLSN(xid);
    LWLockRelease(XactTruncationLock);
    if (XLogRecPtrIsInvalid(lsn)) return;
    XLogFlush(lsn);
    HOLD_INTERRUPTS();
    SyncRepWaitForLSN(lsn, true);
    RESUME_INTERRUPTS();
}

void raw_sha256(const char* data, Size size, unsigned char* digest) {
    pg_cryptohash_ctx* context = pg_cryptohash_create(PG_SHA256);

    if (context == NULL) ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"));
    if (pg_cryptohash_init(context) < 0 ||
        pg_cryptohash_update(context, (const uint8*)data, size) < 0 ||
        pg_cryptohash_final(context, digest, PG_SHA256_DIGEST_LENGTH) < 0)
        elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(context));
    pg_cryptohash_free(context);
}
