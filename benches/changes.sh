#!/bin/sh
# What the last comparison with a baseline (cargo bench -- --baseline NAME) found, bench by bench, the slowest change first.
#
#   benches/changes.sh [LIMIT]     LIMIT in percent, 10 by default
#
# Ends with 1 where the whole 95 % interval of a change of the mean lies above LIMIT, with 2 where there is nothing to read.
# Needs jq. CRITERION_HOME and CARGO_TARGET_DIR are heeded as criterion does.
set -eu

limit=${1:-10}
case $limit in
'' | *[!0-9.]*)
    echo "changes.sh: \"$limit\" is no percentage; write a number such as 10" >&2
    exit 2
    ;;
esac
if ! command -v jq >/dev/null; then
    echo "changes.sh: jq is missing; install it (apt install jq)" >&2
    exit 2
fi
cd "$(dirname "$0")/.."
home=${CRITERION_HOME:-${CARGO_TARGET_DIR:-target}/criterion}

# A bench that ran again without a baseline since it was compared has nothing to say.
changes=$(
    find "$home" -path '*/change/estimates.json' 2>/dev/null | while IFS= read -r change; do
        bench=${change%/change/estimates.json}
        if [ -z "$(find "$bench/new/sample.json" -newer "$change")" ]; then
            jq -r --arg bench "$(jq -r .full_id "$bench/new/benchmark.json")" \
                '.mean | [.point_estimate, .confidence_interval.lower_bound, .confidence_interval.upper_bound]
                 | map(. * 100) | @tsv + "\t" + $bench' "$change"
        fi
    done | sort -g -r
)
if [ -z "$changes" ]; then
    echo "changes.sh: no comparison in $home; run cargo bench -- --save-baseline NAME, then cargo bench -- --baseline NAME" >&2
    exit 2
fi
printf '%s\n' "$changes" | awk -F '\t' -v limit="$limit" '
    {
        slower = $2 > limit
        found += slower
        printf "%+8.1f %% [%+.1f, %+.1f]  %s%s\n", $1, $2, $3, $4, slower ? "  SLOWER" : ""
    }
    END {
        printf "%d of %d benches slower by more than %s %%\n", found, NR, limit
        exit found > 0
    }'
