/*
 * The procedures place_order and place_order_item.
 *
 * The work is done by holdfast.place_order_work, which is SECURITY DEFINER and so cannot commit;
 * these outer procedures run with the caller's rights and can.  Called at top level, they commit
 * with synchronous_commit = off, which frees the locks as soon as the commit record is in the WAL
 * buffers, and then wait for flush and synchronous standbys before they answer.  That is safe
 * because WAL is written in order: whoever saw our rows has a later commit record, so whatever a
 * crash loses was acknowledged to nobody.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "backend/early_release.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "replication/syncrep.h"
#include "replication/walsender.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

PG_FUNCTION_INFO_V1(holdfast_place_order);
PG_FUNCTION_INFO_V1(holdfast_place_order_item);

typedef struct WorkArguments {
    NullableDatum values[WORK_ARGUMENTS];
} WorkArguments;

typedef struct WorkResult {
    HeapTupleHeader row;
    bool lost_race;
} WorkResult;

static bool may_release_early(FunctionCallInfo fcinfo);
static Datum place(FunctionCallInfo fcinfo, WorkArguments* arguments);
static WorkResult call_work(const WorkArguments* arguments);
static void commit_releasing_locks_early(void);

Datum holdfast_place_order(PG_FUNCTION_ARGS) {
    WorkArguments arguments;

    memset(&arguments, 0, sizeof arguments);
    arguments.values[WORK_USER_ID] = fcinfo->args[0];
    arguments.values[WORK_LINES] = fcinfo->args[1];
    arguments.values[WORK_BY_ITEM].value = BoolGetDatum(false);
    arguments.values[WORK_PRODUCT_ID].isnull = true;
    arguments.values[WORK_QUANTITY].isnull = true;
    arguments.values[WORK_IDEMPOTENCY_KEY] = fcinfo->args[2];
    arguments.values[WORK_OPTIONS] = fcinfo->args[3];
    return place(fcinfo, &arguments);
}

Datum holdfast_place_order_item(PG_FUNCTION_ARGS) {
    WorkArguments arguments;

    memset(&arguments, 0, sizeof arguments);
    arguments.values[WORK_USER_ID] = fcinfo->args[0];
    arguments.values[WORK_LINES].isnull = true;
    arguments.values[WORK_BY_ITEM].value = BoolGetDatum(true);
    arguments.values[WORK_PRODUCT_ID] = fcinfo->args[1];
    arguments.values[WORK_QUANTITY].isnull = fcinfo->args[2].isnull;
    arguments.values[WORK_QUANTITY].value = Int64GetDatum(DatumGetInt32(fcinfo->args[2].value));
    arguments.values[WORK_IDEMPOTENCY_KEY] = fcinfo->args[3];
    arguments.values[WORK_OPTIONS] = fcinfo->args[4];
    return place(fcinfo, &arguments);
}

static Datum place(FunctionCallInfo fcinfo, WorkArguments* arguments) {
    bool early = may_release_early(fcinfo);
    MemoryContext caller = CurrentMemoryContext;
    WorkResult result;

    /* A toasted value could be vacuumed away once the transaction has ended. */
    if (!arguments->values[WORK_LINES].isnull)
        arguments->values[WORK_LINES].value =
            PointerGetDatum(PG_DETOAST_DATUM(arguments->values[WORK_LINES].value));
    if (!arguments->values[WORK_IDEMPOTENCY_KEY].isnull)
        arguments->values[WORK_IDEMPOTENCY_KEY].value =
            PointerGetDatum(PG_DETOAST_DATUM(arguments->values[WORK_IDEMPOTENCY_KEY].value));
    if (!arguments->values[WORK_OPTIONS].isnull)
        arguments->values[WORK_OPTIONS].value =
            PointerGetDatum(PG_DETOAST_DATUM(arguments->values[WORK_OPTIONS].value));
    arguments->values[WORK_DURABILITY].value = CStringGetTextDatum(early ? "elr" : "tx");
    /* The caller's transaction cannot be rolled back here, so there the stock must not be lost
     * again. */
    arguments->values[WORK_LOCK_STOCK_FIRST].value = BoolGetDatum(!early);

    if (!early) return HeapTupleHeaderGetDatum(call_work(arguments).row);

    if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
        elog(ERROR, "could not connect to SPI");
    /* The result must outlive the transaction and this SPI frame; the caller's context does. */
    MemoryContextSwitchTo(caller);
    result = call_work(arguments);
    if (result.lost_race) {
        SPI_rollback();
        EnsurePortalSnapshotExists();
        MemoryContextSwitchTo(caller);
        arguments->values[WORK_LOCK_STOCK_FIRST].value = BoolGetDatum(true);
        result = call_work(arguments);
    }
    /* Without a write there is nothing to wait for; the server ends the transaction as usual. */
    if (TransactionIdIsValid(GetTopTransactionIdIfAny())) commit_releasing_locks_early();
    SPI_finish();
    MemoryContextSwitchTo(caller);
    return HeapTupleHeaderGetDatum(result.row);
}

/*
 * True when ending the transaction here ends nothing of the caller's: the statement that the client
 * sent is this very CALL, outside of a transaction block and of a pipeline with earlier statements.
 * A CALL inside somebody's procedure or DO block may be non-atomic as well, but committing there
 * would commit their work.
 */
static bool may_release_early(FunctionCallInfo fcinfo) {
    PlannedStmt* statement;

    if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
        castNode(CallContext, fcinfo->context)->atomic)
        return false;
    if (IsTransactionBlock() || IsSubTransaction() || HOLDFAST_IN_PIPELINE()) return false;
    if (ActivePortal == NULL || list_length(ActivePortal->stmts) != 1) return false;
    statement = linitial_node(PlannedStmt, ActivePortal->stmts);
    if (statement->utilityStmt == NULL || !IsA(statement->utilityStmt, CallStmt) ||
        castNode(CallStmt, statement->utilityStmt)->funcexpr->funcid != fcinfo->flinfo->fn_oid)
        return false;

    /*
     * remote_apply: the commit record itself must ask the standby for a prompt reply, and it only
     * does so when committed at that level.
     */
    if (synchronous_commit >= SYNCHRONOUS_COMMIT_REMOTE_APPLY && SyncRepRequested() &&
        SyncRepStandbyNames != NULL && SyncRepStandbyNames[0] != '\0')
        return false;
    return true;
}

/* The looked-up place_order_work; forgotten whenever a function of that name could have changed. */
static FmgrInfo work_function;
static MemoryContext work_function_context = NULL;
static bool work_function_valid = false;

static void forget_work_function(Datum arg pg_attribute_unused(), int cacheid pg_attribute_unused(),
                                 uint32 hashvalue pg_attribute_unused()) {
    work_function_valid = false;
}

static FmgrInfo* find_work_function(void) {
    static bool registered = false;
    static const Oid argument_types[WORK_ARGUMENTS] = {INT8OID, JSONBOID, BOOLOID, INT8OID, INT8OID,
                                                       TEXTOID, JSONBOID, TEXTOID, BOOLOID};
    Oid function;

    if (work_function_valid) return &work_function;
    if (!registered) {
        CacheRegisterSyscacheCallback(PROCOID, forget_work_function, (Datum)0);
        registered = true;
    }
    if (work_function_context == NULL)
        work_function_context = AllocSetContextCreate(TopMemoryContext, "holdfast place_order_work",
                                                      ALLOCSET_SMALL_SIZES);
    function = LookupFuncName(
        list_make2(makeString(pstrdup("holdfast")), makeString(pstrdup("place_order_work"))),
        WORK_ARGUMENTS, argument_types, false);
    MemoryContextReset(work_function_context);
    /* By way of the wrapper that switches to the owner's rights and the pinned search_path. */
    fmgr_info_cxt(function, &work_function, work_function_context);
    work_function_valid = true;
    return &work_function;
}

static WorkResult call_work(const WorkArguments* arguments) {
    LOCAL_FCINFO(call, WORK_ARGUMENTS);
    WorkResult result;
    HeapTupleData tuple;
    TupleDesc descriptor;
    Datum status;
    bool status_is_null;

    InitFunctionCallInfoData(*call, find_work_function(), WORK_ARGUMENTS, InvalidOid, NULL, NULL);
    memcpy(call->args, arguments->values, sizeof arguments->values);
    result.row = DatumGetHeapTupleHeader(FunctionCallInvoke(call));
    if (call->isnull) elog(ERROR, "place_order_work returned null");

    descriptor = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(result.row),
                                        HeapTupleHeaderGetTypMod(result.row));
    tuple.t_len = HeapTupleHeaderGetDatumLength(result.row);
    ItemPointerSetInvalid(&tuple.t_self);
    tuple.t_tableOid = InvalidOid;
    tuple.t_data = result.row;
    status = heap_getattr(&tuple, 2, descriptor, &status_is_null);
    result.lost_race =
        !status_is_null && strcmp(TextDatumGetCString(status), ORDER_STATUS_LOST_RACE) == 0;
    ReleaseTupleDesc(descriptor);
    return result;
}

static void commit_releasing_locks_early(void) {
    /* LOCAL ends with the commit, so the waiting below is at the caller's own level. */
    if (synchronous_commit > SYNCHRONOUS_COMMIT_OFF)
        (void)set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION,
                                GUC_ACTION_LOCAL, true, 0, false);
    SPI_commit();

    if (synchronous_commit > SYNCHRONOUS_COMMIT_OFF) {
        XLogFlush(XactLastCommitEnd);
        /* Committed already: an interrupt now could only take the answer away.  SyncRepWaitForLSN
         * itself ends the wait with a warning when the session is told to stop. */
        HOLD_INTERRUPTS();
        SyncRepWaitForLSN(XactLastCommitEnd, true);
        RESUME_INTERRUPTS();
    }
}
