#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "backend/price_function.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

#define ERRCODE_BAD_PRICE_ANSWER MAKE_SQLSTATE('H', 'F', '0', '3', '5')

HOLDFAST_NORETURN static void no_price_function(const char* name, const char* why) {
    /* Says nothing about the order: the inbox retries it, and makes no dead letter. */
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("holdfast.price_order \"%s\" %s", name, why),
            errhint("It names a function (jsonb) returning jsonb, with its schema."));
}

HOLDFAST_NORETURN static void must_not(const char* name, Oid role) {
    no_price_function(
        name, psprintf("must not be called by role \"%s\"", GetUserNameFromId(role, false)));
}

/* Looked up with the rights of `role`, who must be able to call it and is not `owner`. */
static Oid find_function(const char* name, Oid role, Oid owner) {
    static const Oid argument_types[] = {JSONBOID};
    List* names = HOLDFAST_QUALIFIED_NAME(name);
    Oid schema;
    Oid function;
    HeapTuple tuple;
    Form_pg_proc form;
    bool is_one;
    Oid runs_as;

    if (list_length(names) != 2) no_price_function(name, "has no schema");
    schema = get_namespace_oid(strVal(linitial(names)), true);
    if (!OidIsValid(schema)) no_price_function(name, "does not exist");
    if (!HOLDFAST_MAY_USE(schema, role)) must_not(name, role);
    function = LookupFuncName(names, lengthof(argument_types), argument_types, true);
    if (!OidIsValid(function)) no_price_function(name, "does not exist");
    tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) no_price_function(name, "does not exist");
    form = (Form_pg_proc)GETSTRUCT(tuple);
    is_one = form->prokind == PROKIND_FUNCTION && !form->proretset && form->prorettype == JSONBOID;
    runs_as = form->prosecdef ? form->proowner : role;
    ReleaseSysCache(tuple);
    if (!is_one) no_price_function(name, "is not a function that returns jsonb");
    if (runs_as == owner)
        no_price_function(name, "would run with the rights of the extension's owner");
    if (!HOLDFAST_MAY_CALL(function, role)) must_not(name, role);
    return function;
}

static RawBytes ask(const char* name, RawBytes question) {
    LOCAL_FCINFO(call, 1);
    FmgrInfo function;
    Oid owner;
    int security;
    int settings = NewGUCNestLevel();
    Datum answer;

    GetUserIdAndSecContext(&owner, &security);
    /* As for a SECURITY DEFINER function: it cannot SET ROLE out of this.  After an error the end
     * of the transaction, or of the subtransaction, sets both back. */
    SetUserIdAndSecContext(GetOuterUserId(), security | SECURITY_LOCAL_USERID_CHANGE);
    fmgr_info(find_function(name, GetUserId(), owner), &function);
    InitFunctionCallInfoData(*call, &function, 1, InvalidOid, NULL, NULL);
    call->args[0].value = raw_jsonb_datum(question.data, question.size);
    call->args[0].isnull = false;
    answer = FunctionCallInvoke(call);
    if (call->isnull)
        ereport(ERROR, errcode(ERRCODE_BAD_PRICE_ANSWER),
                errmsg("answer of price function \"%s\" is no price: it must not be null", name));
    AtEOXact_GUC(false, settings);
    SetUserIdAndSecContext(owner, security);
    return raw_jsonb_text(answer);
}

/* True: of the session or of the server, and not of the question. */
static bool concerns_all(int sqlstate) {
    switch (ERRCODE_TO_CATEGORY(sqlstate)) {
        case MAKE_SQLSTATE('0', '8', '0', '0', '0'):
        case MAKE_SQLSTATE('2', '5', '0', '0', '0'):
        case MAKE_SQLSTATE('4', '0', '0', '0', '0'):
        case MAKE_SQLSTATE('5', '3', '0', '0', '0'):
        case MAKE_SQLSTATE('5', '5', '0', '0', '0'):
        case MAKE_SQLSTATE('5', '7', '0', '0', '0'):
        case MAKE_SQLSTATE('5', '8', '0', '0', '0'):
        case MAKE_SQLSTATE('X', 'X', '0', '0', '0'):
            return true;
        default:
            return false;
    }
}

static RawBytes bytes_of(const char* text) {
    RawBytes bytes = {text == NULL ? "" : text, text == NULL ? 0 : strlen(text)};

    return bytes;
}

PriceFunctionResult price_function_call(const char* name, RawBytes question, bool alone) {
    MemoryContext caller = CurrentMemoryContext;
    ResourceOwner resources = CurrentResourceOwner;
    PriceFunctionResult result;

    memset(&result, 0, sizeof result);
    if (!alone) {
        result.answer = ask(name, question);
        return result;
    }
    BeginInternalSubTransaction(NULL);
    MemoryContextSwitchTo(caller);
    PG_TRY();
    {
        result.answer = ask(name, question);
        ReleaseCurrentSubTransaction();
        MemoryContextSwitchTo(caller);
        CurrentResourceOwner = resources;
    }
    PG_CATCH();
    {
        ErrorData* error;

        MemoryContextSwitchTo(caller);
        error = CopyErrorData();
        FlushErrorState();
        RollbackAndReleaseCurrentSubTransaction();
        MemoryContextSwitchTo(caller);
        CurrentResourceOwner = resources;
        if (concerns_all(error->sqlerrcode)) ReThrowError(error);
        result.failed = true;
        strlcpy(result.sqlstate, unpack_sql_state(error->sqlerrcode), sizeof result.sqlstate);
        result.message = bytes_of(error->message);
        result.detail = bytes_of(error->detail);
        result.hint = bytes_of(error->hint);
    }
    PG_END_TRY();
    return result;
}
