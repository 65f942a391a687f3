#!/usr/bin/env bash
# Runs every lint, cheapest first; each prints one line when it is content.
set -euo pipefail
cd "$(dirname "$0")/../.."
for check in format boundary layers docs docker systemd tidy; do
    "tools/lint/$check.sh"
done
echo "lint: everything passed"
