#!/bin/sh
# What the last comparison with a baseline (cargo bench -- --baseline NAME) found, bench by bench, the slowest change first.
#
#   benches/changes.sh [LIMIT]     LIMIT in percent, 10 by default
#
# Ends with 1 where the whole 95 % interval of a change of the mean lies above LIMIT, with 2 where there is nothing to read, or
# something cannot be read. Needs jq. CRITERION_HOME and CARGO_TARGET_DIR are heeded as criterion does.
set -eu

# Also from within a substitution, whose caller passes the code on.
die() {
    echo "changes.sh: $*" >&2
    exit 2
}

limit=${1:-10}
case $limit in
'' | *[!0-9.]*) die "\"$limit\" is no percentage; write a number such as 10" ;;
esac
command -v jq >/dev/null || die "jq is missing; install it (apt install jq)"
cd "$(dirname "$0")/.."
home=${CRITERION_HOME:-${CARGO_TARGET_DIR:-target}/criterion}
tab=$(printf '\t')

# No bench takes so many seconds. What was written longer before the next is of a comparison before the last one.
pause=120

# Seconds since 1970 at which a file was written, by GNU's stat or BSD's.
written() {
    stat -c %Y "$1" 2>/dev/null || stat -f %m "$1"
}

# Every change that criterion has left: when, percent, lower bound, upper bound, bench.
changes() {
    while IFS= read -r change; do
        bench=${change%/change/estimates.json}
        newer=$(find "$bench/new/sample.json" -newer "$change") || die "could not look at $bench"
        # A bench that ran again without a baseline since it was compared has nothing to say.
        [ -z "$newer" ] || continue
        when=$(written "$change") || die "could not look at $change"
        name=$(jq -e -r .full_id "$bench/new/benchmark.json") || die "could not read $bench/new/benchmark.json"
        jq -r --arg when "$when" --arg bench "$name" \
            '.mean | [.point_estimate, .confidence_interval.lower_bound, .confidence_interval.upper_bound]
             | map(. * 100) | [$when] + . + [$bench] | @tsv' "$change" || die "could not read $change"
    done
}

nothing="no comparison in $home; run cargo bench -- --save-baseline NAME, then cargo bench -- --baseline NAME"
[ -d "$home" ] || die "$nothing"
files=$(find "$home" -path '*/change/estimates.json') || die "could not look through $home"
[ -n "$files" ] || die "$nothing"
all=$(printf '%s\n' "$files" | changes) || exit 2
[ -n "$all" ] || die "$nothing"
# Each step by itself: of a pipe only the last program is asked how it ended.
newest_first=$(printf '%s\n' "$all" | sort -t "$tab" -k 1,1nr) || die "could not sort"
last=$(printf '%s\n' "$newest_first" | awk -F '\t' -v pause="$pause" '
    NR > 1 && before - $1 > pause { old = 1 }
    { before = $1 }
    !old') || die "could not pick the last comparison"
slowest_first=$(printf '%s\n' "$last" | sort -t "$tab" -k 2,2gr) || die "could not sort"
printf '%s\n' "$slowest_first" | awk -F '\t' -v limit="$limit" '
    {
        slower = $3 > limit
        found += slower
        printf "%+8.1f %% [%+.1f, %+.1f]  %s%s\n", $2, $3, $4, $5, slower ? "  SLOWER" : ""
    }
    END {
        printf "%d of %d benches slower by more than %s %%\n", found, NR, limit
        exit found > 0
    }'
