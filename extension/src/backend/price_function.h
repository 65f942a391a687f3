/*
 * Calls the user's price function (holdfast.price_order), with the rights of the session's role and
 * never with those of the extension's owner, under whom the rest of place_order runs.  Settings
 * that it changes are set back, since names are resolved in search_path afterwards.
 */
#ifndef HOLDFAST_BACKEND_PRICE_FUNCTION_H
#define HOLDFAST_BACKEND_PRICE_FUNCTION_H

#include "backend/raw.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a price function answered, or the error that it raised; in the current memory context. */
typedef struct PriceFunctionResult {
    bool failed;
    RawBytes answer; /* JSON */
    char sqlstate[6];
    RawBytes message;
    RawBytes detail; /* may be empty, and so may the hint */
    RawBytes hint;
} PriceFunctionResult;

/*
 * `name` is a function (jsonb) returning jsonb, with its schema; `question` is JSON.  Raises 55000
 * when there is no such function, the role may not call it, or it would run as the extension's
 * owner, HF035 when it answers NULL, and what it raises itself.
 *
 * With `alone` set it runs in a subtransaction of its own, and an error that is not about the
 * session or the server is a result.
 */
extern PriceFunctionResult price_function_call(const char* name, RawBytes question, bool alone);

#ifdef __cplusplus
}
#endif

#endif
