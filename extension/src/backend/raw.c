#include "postgres.h"

#include "access/htup_details.h"
#include "backend/raw.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

void raw_raise(const char* sqlstate, const char* message, const char* detail, const char* hint) {
    ereport(ERROR,
            errcode(MAKE_SQLSTATE(sqlstate[0], sqlstate[1], sqlstate[2], sqlstate[3], sqlstate[4])),
            errmsg_internal("%s", message),
            detail[0] != '\0' ? errdetail_internal("%s", detail) : 0,
            hint[0] != '\0' ? errhint("%s", hint) : 0);
}

void raw_random(void* target, Size size) {
    if (!pg_strong_random(target, size))
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random bytes"));
}

Datum raw_text_datum(const char* data, Size size) {
    if (size > MaxAllocSize - VARHDRSZ)
        ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("text is too long"));
    return PointerGetDatum(cstring_to_text_with_len(data, (int)size));
}

Datum raw_uuid_datum(const unsigned char* bytes) {
    pg_uuid_t* uuid = palloc(sizeof(pg_uuid_t));

    memcpy(uuid->data, bytes, UUID_LEN);
    return UUIDPGetDatum(uuid);
}

RawBytes raw_text_bytes(Datum datum) {
    text* value = DatumGetTextPP(datum);
    RawBytes bytes = {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};

    return bytes;
}

RawBytes raw_uuid_bytes(Datum datum) {
    RawBytes bytes = {(const char*)DatumGetUUIDP(datum)->data, UUID_LEN};

    return bytes;
}

RawBytes raw_jsonb_text(Datum datum) {
    Jsonb* value = DatumGetJsonbP(datum);
    StringInfoData text;
    RawBytes bytes;

    initStringInfo(&text);
    JsonbToCString(&text, &value->root, VARSIZE(value));
    bytes.data = text.data;
    bytes.size = (Size)text.len;
    return bytes;
}

RawArray raw_array(FunctionCallInfo fcinfo, int argument) {
    RawArray elements = {NULL, NULL, 0};
    ArrayType* array;
    Datum* values;
    bool* nulls;
    int16 length;
    bool by_value;
    char alignment;

    if (PG_ARGISNULL(argument)) return elements;
    array = PG_GETARG_ARRAYTYPE_P(argument);
    get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &alignment);
    deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, alignment, &values, &nulls,
                      &elements.count);
    elements.values = values;
    elements.nulls = nulls;
    return elements;
}

Datum raw_jsonb_datum(const char* data, Size size) {
    return DirectFunctionCall1(jsonb_in, CStringGetDatum(pnstrdup(data, size)));
}

Datum raw_order_row(FunctionCallInfo fcinfo, bool has_order_id, int64 order_id, RawBytes status,
                    RawBytes detail) {
    TupleDesc descriptor = fcinfo->flinfo->fn_extra;
    Datum values[3];
    bool nulls[3] = {!has_order_id, false, false};

    /* Worked out once for as long as the function's lookup is kept. */
    if (descriptor == NULL) {
        MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

        if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE ||
            descriptor->natts != 3)
            elog(ERROR, "unexpected result type");
        descriptor = BlessTupleDesc(descriptor);
        fcinfo->flinfo->fn_extra = descriptor;
        MemoryContextSwitchTo(caller);
    }
    values[0] = Int64GetDatum(order_id);
    values[1] = raw_text_datum(status.data, status.size);
    values[2] = raw_jsonb_datum(detail.data, detail.size);
    return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}

void raw_probe(const char* kind) {
    if (strcmp(kind, "backend_error") == 0)
        ereport(ERROR, errcode(ERRCODE_DIVISION_BY_ZERO), errmsg("raised by the server"),
                errdetail("A detail."), errhint("A hint."), errcontext("a context"));
    else if (strcmp(kind, "sql_error") == 0) {
        SPI_connect();
        SPI_execute("SELECT * FROM no_such_table", false, 0);
        SPI_finish();
    } else if (strcmp(kind, "sleep") == 0) {
        SPI_connect();
        SPI_execute("SELECT pg_catalog.pg_sleep(60)", false, 0);
        SPI_finish();
    } else if (strcmp(kind, "cancel") == 0) {
        InterruptPending = true;
        QueryCancelPending = true;
        CHECK_FOR_INTERRUPTS();
    } else if (strcmp(kind, "warning") == 0)
        ereport(WARNING, errmsg("a warning with a letter of another script: \u0416"));
    else
        elog(ERROR, "unknown kind of error: %s", kind);
}
