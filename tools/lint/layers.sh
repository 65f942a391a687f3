#!/usr/bin/env bash
# Arrows point down: an include between the relay's modules must be one of those that
# docs/architecture.md allows.  The build enforces the libraries; this enforces the headers, which
# share one include root.
set -euo pipefail
declare -A may=(
    [base]="" [metrics]="base" [config]="base" [pgoutput]="base" [debezium]="pgoutput base"
    [capture]="pgoutput debezium metrics base" [inbox]="metrics base" [notify]="inbox metrics base" [upkeep]="base"
    [snapshot]="capture pgoutput debezium metrics base" [postgres]="base" [kafka]="base" [http]="base"
    [adapters]="capture snapshot inbox notify upkeep postgres kafka metrics http config debezium pgoutput base"
    [commands]="adapters capture snapshot inbox notify upkeep postgres kafka metrics http config debezium pgoutput base"
)
failed=0
for module in "${!may[@]}"; do
    while IFS=: read -r file line target; do
        case " $module ${may[$module]} " in
            *" $target "*) ;;
            *) echo "$file:$line: $module may not include $target/ (allowed: ${may[$module]:-nothing})" >&2; failed=1 ;;
        esac
    done < <(grep -rnoP '#include "\K[a-z]+(?=/)' "relay/$module" --include='*.hpp' --include='*.cpp' || :)
done
[ $failed = 0 ] || exit 1
echo "lint: every include points down"
