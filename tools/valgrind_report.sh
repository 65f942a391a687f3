#!/usr/bin/env bash
# Fails when one of valgrind's reports in DIR names the extension's module, and shows it.
#
#   tools/valgrind_report.sh DIR
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 DIR" >&2; exit 1; }
shopt -s nullglob
reports=("$1"/valgrind.*)
[ ${#reports[@]} -gt 0 ] || { echo "valgrind: error: no report in $1: did the server run under it?" >&2; exit 1; }
# A report is a block of lines between two that hold nothing but the prefix.
found=$(awk '{ line = $0; sub(/^==[0-9]+== ?/, "", line) }
             line == "" { if (block ~ /holdfast\.so|extension\/src/) print block; block = ""; next }
             { block = block "\n" line }
             END { if (block ~ /holdfast\.so|extension\/src/) print block }' "${reports[@]}")
if [ -n "$found" ]; then
    echo "$found"
    exit 1
fi
echo "valgrind: ${#reports[@]} processes, no report names the module"
