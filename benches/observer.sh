#!/usr/bin/env bash
# What watching the server costs: runs plimsoll in turns with and without its observer, at 20 000/s uniform on one private
# server, and prints the ratio of the medians of p50 with its spread over the rounds.
#
#   benches/observer.sh [ROUNDS] [DURATION]        default 11 rounds of 10s
#
# Needs redis-server and redis-cli (Debian: redis-server, redis-tools) and a release build. Set PLIMSOLL to measure
# another binary, RATE for another rate. The ratio counts; absolute times are the machine's.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-11}
duration=${2:-10s}
rate=${RATE:-20000}
plimsoll=${PLIMSOLL:-target/release/plimsoll}
for needed in redis-server redis-cli; do
  command -v "$needed" >/dev/null || { echo "observer.sh: $needed is missing; install redis-server and redis-tools" >&2; exit 2; }
done
[ -x "$plimsoll" ] || { echo "observer.sh: $plimsoll is missing; run: cargo build --release" >&2; exit 2; }

work=$(mktemp -d)
port=$((20000 + RANDOM % 12000))
redis-server --port $port --bind 127.0.0.1 --save '' --appendonly no --dir "$work" --daemonize no >"$work/server.log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 100); do redis-cli -p $port ping >/dev/null 2>&1 && break; sleep 0.1; done

# One run; prints p50 in microseconds. Exit codes other than 2 are verdicts, which do not matter here.
p50() { # further arguments
  rm -rf "$work/out"
  "$plimsoll" run benches/observer.toml --target "redis://127.0.0.1:$port" --rate "$rate" --duration "$duration" \
    --out "$work/out" --quiet "$@" >/dev/null || [ $? -ne 2 ]
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i }
    $1 == "*" && $2 == "*" { print $col["response_p50_us"] }' "$work/out/summary.csv"
}

: >"$work/pairs"
for round in $(seq "$rounds"); do
  # Each goes first in every other round: what drifts over time falls on both.
  if [ $((round % 2)) -eq 1 ]; then
    with=$(p50); without=$(p50 --no-observation)
  else
    without=$(p50 --no-observation); with=$(p50)
  fi
  echo "$with $without" >>"$work/pairs"
done

# Value at a share of a sorted column: the lower one of two that are meant.
at() { # share
  sort -g | awk -v s="$1" '{ v[NR] = $1 } END { i = int(1 + s * (NR - 1)); print v[i] }'
}
# Median of a column.
median() { # field
  awk -v c="$1" '{ print $c }' "$work/pairs" | sort -g |
    awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
ratios() { awk '{ print $1 / $2 }' "$work/pairs"; }

with=$(median 1); without=$(median 2)
echo "# $(redis-server --version | cut -d' ' -f1-3), $(nproc) cores, $rounds rounds of $duration at $rate/s"
awk -v a="$with" -v b="$without" -v l="$(ratios | at 0)" -v q="$(ratios | at 0.25)" -v r="$(ratios | at 0.75)" -v h="$(ratios | at 1)" \
  'BEGIN { printf "p50 with the observer %.2f us, without %.2f us: ratio of medians %.4f; of single rounds half lie in %.3f..%.3f, all in %.3f..%.3f\n", a, b, a / b, q, r, l, h }'
