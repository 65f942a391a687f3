// Raises each kind of error from a chosen depth of C++ frames that own objects; only for the test
// error_boundary, which declares the SQL functions itself.  The installed SQL has none of this.
#pragma once

#include "backend/postgres.hpp"

namespace holdfast::backend {

// (kind text, depth int): depth frames deep, raises `kind`: backend_error, sql_error, core_error,
// bad_alloc, std_exception, unknown, cancel, sleep (until a timeout ends it), warning (whose text
// the client's encoding may not have) or none.  Runs inside run_core.
Datum probe_raise(FunctionCallInfo fcinfo);

// () -> bigint: how many owning C++ objects of the module are alive.
Datum probe_live_objects();

}  // namespace holdfast::backend
