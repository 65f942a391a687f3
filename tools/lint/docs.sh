#!/usr/bin/env bash
# Links between the documents lead somewhere, tests that they name exist, and nothing in the tree says it is unfinished.
set -euo pipefail
failed=0
while IFS=: read -r file target; do
    target=${target%%#*}
    case $target in ''|http:*|https:*|mailto:*) continue ;; esac
    [ -e "$(dirname "$file")/$target" ] || { echo "$file: broken link to $target" >&2; failed=1; }
done < <(git ls-files '*.md' | xargs grep -oP '\]\(\K[^)]+(?=\))' --with-filename)
for name in $(git grep -ohE '`test_[a-z0-9_]+`' -- '*.md' | tr -d '`' | sort -u); do
    git grep -qE "def $name\\(" -- test || { echo "no test is called $name" >&2; failed=1; }
done
for state in $(git grep -ohE '\bHF0[0-9]{2}\b' -- sql/parts extension/src | sort -u); do
    grep -q "^| $state |" docs/errors.md || { echo "docs/errors.md: SQLSTATE $state is not described" >&2; failed=1; }
done
if git grep -nE '\b(TODO|FIXME|XXX)\b' -- . ':!tools/lint'; then
    echo "lint: finish or drop the lines above" >&2
    failed=1
fi
[ $failed = 0 ] || exit 1
echo "lint: document links hold"
