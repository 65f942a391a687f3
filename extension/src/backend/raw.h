/*
 * Calls of the server that take several steps or use its macros, in C: a frame that an error may
 * jump over cannot own a C++ object here.  C++ calls each of these through call_backend only.  All
 * of them may raise unless they say otherwise.
 */
#ifndef HOLDFAST_BACKEND_RAW_H
#define HOLDFAST_BACKEND_RAW_H

#include "postgres.h"

#include "backend/version.h"
#include "datatype/timestamp.h"
#include "fmgr.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Raises an ERROR.  The texts are copied; an empty detail or hint is left out. */
HOLDFAST_NORETURN extern void raw_raise(const char* sqlstate, const char* message,
                                        const char* detail, const char* hint);

/* Fills `target` from the server's strong random source. */
extern void raw_random(void* target, Size size);

/* A palloc'd text (also json) or uuid with these bytes, in the current memory context. */
extern Datum raw_text_datum(const char* data, Size size);
extern Datum raw_uuid_datum(const unsigned char* bytes);

/* A text, json or uuid argument as bytes; detoasted into the current memory context when needed. */
typedef struct RawBytes {
    const char* data;
    Size size;
} RawBytes;

extern RawBytes raw_text_bytes(Datum datum);
extern RawBytes raw_uuid_bytes(Datum datum);

/* The text of a jsonb argument. */
extern RawBytes raw_jsonb_text(Datum datum);

/* The elements of an array argument; a null array has none.  In the current memory context. */
typedef struct RawArray {
    const Datum* values;
    const bool* nulls;
    int count;
} RawArray;

extern RawArray raw_array(FunctionCallInfo fcinfo, int argument);

/* A jsonb of this text. */
extern Datum raw_jsonb_datum(const char* data, Size size);

/* Does what the error boundary's test asks for by name: raises, warns, sleeps or cancels. */
extern void raw_probe(const char* kind);

/* The row (order_id bigint, status text, detail jsonb) of the type that the call declares. */
extern Datum raw_order_row(FunctionCallInfo fcinfo, bool has_order_id, int64 order_id,
                           RawBytes status, RawBytes detail);

#ifdef __cplusplus
}
#endif

#endif
