// What SQL callers give and sessions set for placing orders, in the core's terms.
#pragma once

#include <string_view>

#include "backend/postgres.hpp"
#include "backend/raw.h"
#include "core/order_draft.hpp"
#include "core/order_request.hpp"

namespace holdfast::backend {

// `durability` must outlive the rules.
core::PlacingRules rules_of_session(std::string_view durability);

// An argument, or an element of an array of them.
struct Argument {
    Datum value;
    bool is_null;
};
inline Argument argument(FunctionCallInfo fcinfo, int index) {
    return {PG_GETARG_DATUM(index), PG_ARGISNULL(index)};
}

std::string_view view(RawBytes bytes);

// Throws core::Error HF005 when `argument` is null.
void require(const Argument& argument, const char* name);

// Fill a request; throw core::Error as core/order_request.hpp says, and HF005.
void set_user(core::OrderRequest& request, const Argument& user_id);
void set_lines(core::OrderRequest& request, const Argument& lines);
void set_idempotency_key(core::OrderRequest& request, const Argument& key);
void set_options(core::OrderRequest& request, const Argument& options);

}  // namespace holdfast::backend
