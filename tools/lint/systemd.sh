#!/usr/bin/env bash
# The unit file is valid, and its exposure is at most 1.5 (systemd-analyze security).
set -euo pipefail
unit=packaging/systemd/holdfast-relay.service
if ! command -v systemd-analyze >/dev/null; then
    echo "lint: systemd-analyze is not installed (package systemd); the unit file was not checked"
    exit 0
fi
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
# verify looks for the executable: here any will do.
sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' "$unit" >"$copy/holdfast-relay.service"
SYSTEMD_LOG_LEVEL=err systemd-analyze verify --man=no "$copy/holdfast-relay.service"
exposure=$(systemd-analyze security --offline=true --threshold=15 --no-pager "$unit" | grep -oP 'exposure level.*: \K[0-9.]+')
echo "lint: the unit file is valid, exposure $exposure"
