#!/usr/bin/env bash
# docker/ names only what exists: paths in this repository, packages of Debian.  Where a Compose
# client is installed, it also reads the compose file; no engine is needed.
set -euo pipefail
cd "$(dirname "$0")/../.."
dockerfile=docker/Dockerfile
compose=docker/compose.yaml
failed=0
fail() { printf 'lint: docker: %s\n' "$*"; failed=1; }

# Sources of COPY (but for those of another stage), and what compose mounts or builds from.
copied=$(awk '$1 == "COPY" && !/--from=/ { for (i = 2; i < NF; i++) if ($i !~ /^--/) print $i }' "$dockerfile")
mounted=$(grep -oE '^ +- \./[^:]+' "$compose" | sed 's|^ *- \./|docker/|')
built=$(grep -oE 'dockerfile: .*' "$compose" | cut -d' ' -f2)
for path in $copied $mounted $built; do
    [ -e "$path" ] || fail "$path is named in docker/ and does not exist"
done

# Each target that compose builds is a stage.
for target in $(grep -oE 'target: .*' "$compose" | cut -d' ' -f2); do
    grep -qE "^FROM .* AS $target\$" "$dockerfile" || fail "$dockerfile has no stage $target"
done

packages=$(sed -e ':a;/\\$/N;s/\\\n/ /;ta' "$dockerfile" | grep -oE 'apt-get install [^&]*' |
    sed -E 's/apt-get install//; s/ -[^ ]+//g')
packages+=" $(grep -hv '^#' tools/packages.txt)"
# Without package lists (a slim image, say) apt-cache knows no package at all.
if apt-cache show bash >/dev/null 2>&1; then
    for package in $packages; do
        apt-cache show --no-all-versions "$package" >/dev/null 2>&1 || fail "Debian has no package $package"
    done
fi

bash -n docker/postgres-entrypoint.sh || failed=1
if docker compose version >/dev/null 2>&1; then
    client=(docker compose)
elif command -v docker-compose >/dev/null; then
    client=(docker-compose)
else
    client=()
fi
if [ ${#client[@]} -gt 0 ]; then
    HOLDFAST_APP_PASSWORD=x HOLDFAST_RELAY_PASSWORD=x "${client[@]}" -f "$compose" config -q ||
        fail "$compose is not valid"
fi
[ "$failed" = 0 ] || exit 1
# shellcheck disable=SC2086
echo "lint: docker: $(wc -w <<<"$copied $mounted $built") paths and $(wc -w <<<"$packages") packages exist${client:+, compose.yaml is valid}"
