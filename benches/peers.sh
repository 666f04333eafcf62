#!/usr/bin/env bash
# Compares plimsoll, with each of its clients, with other load generators on one private server, in turns. Prints the medians,
# and the ratio of each client to the best of the others.
#
#   benches/peers.sh [ROUNDS]        default 5
#
# Needs redis-server and redis-benchmark (Debian: redis-server, redis-tools) and a release build; memtier_benchmark and
# valkey-benchmark take part where they are on PATH. Ratios within one call are what counts; absolute values are the machine's.
# Set PLIMSOLL to measure another binary.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-5}
plimsoll=${PLIMSOLL:-target/release/plimsoll}
for needed in redis-server redis-benchmark redis-cli; do
  command -v "$needed" >/dev/null || { echo "peers.sh: $needed is missing; install redis-server and redis-tools" >&2; exit 2; }
done
[ -x "$plimsoll" ] || { echo "peers.sh: $plimsoll is missing; run: cargo build --release" >&2; exit 2; }
ulimit -n "$(ulimit -Hn)"

work=$(mktemp -d)
port=$((20000 + RANDOM % 20000))
redis-server --port $port --bind 127.0.0.1 --save '' --appendonly no --maxclients 10000 --dir "$work" \
  --daemonize no >"$work/server.log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 100); do redis-cli -p $port ping >/dev/null 2>&1 && break; sleep 0.1; done
# The keys of the others are there as well: a GET that finds nothing costs the server less.
redis-benchmark -p $port -t set -n 1000000 -P 16 -d 3 -r 100000 -q >/dev/null
if command -v memtier_benchmark >/dev/null; then
  memtier_benchmark -p $port -t 1 -c 1 --pipeline=16 --ratio=1:0 --key-pattern=P:P -n allkeys --key-minimum=1 --key-maximum=100000 \
    -d 3 --hide-histogram >/dev/null 2>&1
fi

# Contestants. Each prints "rate p50_us" of one round.
plimsoll() { # client scenario
  rm -rf "$work/out"
  # Exit codes other than 2 are verdicts, which do not matter here.
  "$plimsoll" run "benches/peers/$2.toml" --client "$1" --target "redis://127.0.0.1:$port" --out "$work/out" --quiet >/dev/null ||
    [ $? -ne 2 ]
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i }
    $1 == "*" && $2 == "*" { print $col["rate_per_s"], $col["response_p50_us"] }' "$work/out/summary.csv"
}
fred() { plimsoll fred "$1"; }
wire() { plimsoll wire "$1"; }
of_redis() { # program command connections pipeline requests
  "$1" -p $port -t "$2" -c "$3" -P "$4" -n "$5" -d 3 -r 100000 --csv 2>/dev/null |
    tr -d '"' | awk -F, 'NR > 1 { print $2, $5 * 1000 }'
}
redis-benchmark() { of_redis "$(type -P redis-benchmark)" "${@:2}"; }
valkey-benchmark() { of_redis "$(type -P valkey-benchmark)" "${@:2}"; }
memtier() { # scenario command connections pipeline
  local ratio=0:1
  [ "$2" = set ] && ratio=1:0
  memtier_benchmark -p $port -t 1 -c "$3" --pipeline="$4" --ratio=$ratio --key-maximum=100000 -d 3 --test-time=4 \
    --hide-histogram 2>/dev/null | awk '/^Totals/ { print $2, $6 * 1000 }'
}
contestants=(fred wire redis-benchmark)
type -P valkey-benchmark >/dev/null && contestants+=(valkey-benchmark)
type -P memtier_benchmark >/dev/null && contestants+=(memtier)

median() { # file column
  awk -v c="$2" '{ print $c }' "$1" | sort -g | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

compare() { # title scenario command connections pipeline requests
  local count=${#contestants[@]} round turn name
  for name in "${contestants[@]}"; do : >"$work/$name"; done
  for round in $(seq "$rounds"); do
    for turn in $(seq 0 $((count - 1))); do
      name=${contestants[$(((turn + round) % count))]}
      "$name" "${@:2}" >>"$work/$name"
    done
  done
  for figure in "rate/s 1" "p50_us 2"; do
    set -- "$1" $figure
    printf '%-34s %-7s' "$1" "$2"
    for name in "${contestants[@]}"; do echo "$(median "$work/$name" "$3") $name"; done |
      awk -v lower="$([ "$3" = 2 ] && echo 1 || echo 0)" '
        { value[NR] = $1; printf "%17.1f", $1
          if (NR > 2 && (best == "" || (lower ? $1 < best : $1 > best))) best = $1 }
        END { printf "%10.2f%10.2f\n", value[1] / best, value[2] / best }'
  done
}

echo "# $(redis-server --version | cut -d' ' -f1-3), $(nproc) cores, $rounds rounds each, medians; $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs)"
printf '%-34s %-7s' "closed loop, GET unless said" ""
for name in "${contestants[@]}"; do printf '%17s' "$name"; done
printf '%10s%10s\n' fred/best wire/best
compare "1 connection" get-1 get 1 1 100000
compare "50 connections" get-50 get 50 1 600000
compare "50 connections, SET" set-50 set 50 1 600000
compare "50 connections x 16 requests" get-50x16 get 50 16 4000000
compare "9 000 connections" get-9000 get 9000 1 300000
compare "50 conn., ours open at 10 000/s" open-10000 get 50 1 600000
