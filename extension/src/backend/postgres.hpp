// The one way by which C++ sees the server's headers: C linkage around them, postgres.h first.  A
// third-party C++ header never shares a translation unit with this file (postgres.h redefines
// snprintf and many short names).
#pragma once

extern "C" {
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/elog.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "backend/version.h"
}
