#!/usr/bin/env bash
# The border between C++ and the server (CONTRIBUTING.md): who may see its headers, raise its errors
# and catch them.  Prints each offence and fails when there is one.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0

# offend REASON PATTERN FILE...: lines that match, comments aside.
offend() {
    local reason=$1 pattern=$2 found
    shift 2
    [ $# -gt 0 ] || return 0
    found=$(grep -nEH "$pattern" "$@" | grep -vE '^[^:]+:[0-9]+: *(//|/?\*)' || true)
    if [ -n "$found" ]; then
        printf 'boundary: %s\n%s\n' "$reason" "$found" >&2
        status=1
    fi
}

mapfile -t outside < <(git ls-files -co --exclude-standard 'extension/*.cpp' 'extension/*.hpp' 'extension/*.c' 'extension/*.h' |
    grep -vE '^extension/src/(backend/|sql_functions\.cpp$|module\.cpp$)')
mapfile -t core < <(git ls-files -co --exclude-standard 'extension/src/core/*')
mapfile -t cpp < <(git ls-files -co --exclude-standard 'extension/*.cpp' 'extension/*.hpp')
mapfile -t doors < <(printf '%s\n' "${cpp[@]}" | grep -vE '/backend/guard\.(hpp|cpp)$')
[ ${#core[@]} -gt 0 ] || { echo 'boundary: found no core to check' >&2; exit 1; }

offend 'only extension/src/{backend,sql_functions.cpp,module.cpp} may meet the server' \
    'postgres\.h|\b(ereport|elog)\b *\(|\bPG_(TRY|CATCH|RE_THROW)\b' "${outside[@]}"
offend 'the core includes no header of the server or of backend/' \
    '#include *[<"](postgres|backend/|fmgr|utils/|executor/|catalog/|access/|nodes/|miscadmin|funcapi|storage/|commands/|tcop/|libpq|c\.h)' \
    "${core[@]}"
offend 'the core knows no Datum and no memory context' '\b(Datum|MemoryContext|palloc|pfree)\b' "${core[@]}"
offend 'C++ neither raises nor catches errors of the server itself: run_core and call_backend do' \
    '\b(ereport|elog)\b *\(|\bPG_(TRY|CATCH|FINALLY|END_TRY|RE_THROW)\b|\bsigsetjmp\b|\bPG_exception_stack\b' \
    "${doors[@]}"
exit $status
