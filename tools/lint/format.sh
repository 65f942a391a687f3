#!/usr/bin/env bash
# Every C and C++ file is as clang-format leaves it (mend with: make format).
set -euo pipefail
git ls-files '*.cpp' '*.hpp' '*.c' '*.h' | xargs clang-format --dry-run --Werror
echo "lint: format is clean"
