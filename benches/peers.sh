#!/usr/bin/env bash
# Compares plimsoll, with each of its clients, with other load generators on one private server, in turns. Prints the medians
# of throughput, response time and CPU time of the client, and the ratio of each client of plimsoll to the best of the others.
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
port=$((20000 + RANDOM % 12000))
redis-server --port $port --bind 127.0.0.1 --save '' --appendonly no --maxclients 10000 --dir "$work" \
  --daemonize no >"$work/server.log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 100); do redis-cli -p $port ping >/dev/null 2>&1 && break; sleep 0.1; done
redis-cli -p $port ping >/dev/null || { echo "peers.sh: redis-server does not start:" >&2; cat "$work/server.log" >&2; exit 2; }
# The keys of the others are there as well: a GET that finds nothing costs the server less.
redis-benchmark -p $port -t set -n 1000000 -P 16 -d 3 -r 100000 -q >/dev/null
if command -v memtier_benchmark >/dev/null; then
  memtier_benchmark -p $port -t 1 -c 1 --pipeline=16 --ratio=1:0 --key-pattern=P:P -n allkeys --key-minimum=1 --key-maximum=100000 \
    -d 3 --hide-histogram >/dev/null 2>&1
fi

# Contestants. Each prints "rate p50_us cpu_us" of one round, the last one the CPU time of the client for each request.
TIMEFORMAT='%U %S'
cpu_per() { # requests: of the times in $work/times
  awk -v n="$1" 'END { print ($1 + $2) / n * 1e6 }' "$work/times"
}
plimsoll() { # client scenario
  rm -rf "$work/out"
  # Exit codes other than 2 are verdicts, which do not matter here.
  "$plimsoll" run "benches/peers/$2.toml" --client "$1" --workers 1 --target "redis://127.0.0.1:$port" --out "$work/out" --quiet >/dev/null ||
    [ $? -ne 2 ]
  # The worker's own time, without that of packing and reporting.
  cpu=$(grep -o '"workers":\[.*' "$work/out/run.json" | grep -o '"cpu":[0-9.e-]*' | head -n 1 | cut -d: -f2)
  awk -F, -v cpu="$cpu" 'NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i }
    $1 == "*" && $2 == "*" { print $col["rate_per_s"], $col["response_p50_us"], cpu * 1e6 / $col["rate_per_s"] }' "$work/out/summary.csv"
}
fred() { plimsoll fred "$1"; }
wire() { plimsoll wire "$1"; }
of_redis() { # program command connections pipeline requests
  { time "$1" -p $port -t "$2" -c "$3" -P "$4" -n "$5" -d 3 -r 100000 --csv 2>/dev/null >"$work/csv"; } 2>"$work/times"
  tr -d '"' <"$work/csv" | awk -F, -v cpu="$(cpu_per "$5")" 'NR > 1 { print $2, $5 * 1000, cpu }'
}
redis-benchmark() { of_redis "$(type -P redis-benchmark)" "${@:2}"; }
valkey-benchmark() { of_redis "$(type -P valkey-benchmark)" "${@:2}"; }
memtier() { # scenario command connections pipeline
  local ratio=0:1 limit=()
  [ "$2" = set ] && ratio=1:0
  # Of each connection.
  [ "$1" = open-10000 ] && limit=(--rate-limiting=200)
  { time memtier_benchmark -p $port -t 1 -c "$3" --pipeline="$4" --ratio=$ratio --key-maximum=100000 -d 3 --test-time=4 \
    --hide-histogram "${limit[@]}" 2>/dev/null >"$work/text"; } 2>"$work/times"
  awk '/^Totals/ { print $2, $6 * 1000 }' "$work/text" >"$work/totals"
  read -r rate _ <"$work/totals"
  echo "$(cat "$work/totals") $(cpu_per "$(awk -v rate="$rate" 'BEGIN { print rate * 4 }')")"
}
contestants=(fred wire redis-benchmark)
type -P valkey-benchmark >/dev/null && contestants+=(valkey-benchmark)
type -P memtier_benchmark >/dev/null && contestants+=(memtier)

median() { # file column
  awk -v c="$2" '{ print $c }' "$1" | sort -g | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

compare() { # title scenario command connections pipeline requests
  local count=${#contestants[@]} scenario=$2 round turn name
  for name in "${contestants[@]}"; do : >"$work/$name"; done
  for round in $(seq "$rounds"); do
    for turn in $(seq 0 $((count - 1))); do
      name=${contestants[$(((turn + round) % count))]}
      "$name" "${@:2}" >>"$work/$name"
    done
  done
  for figure in "rate/s 1" "p50_us 2" "cpu_us 3"; do
    # A worker of plimsoll that waits for due instants uses a core whatever it does.
    [[ $scenario = open-* && $figure = cpu* ]] && continue
    set -- "$1" $figure
    printf '%-34s %-7s' "$1" "$2"
    for name in "${contestants[@]}"; do echo "$(median "$work/$name" "$3") $name"; done |
      awk -v lower="$([ "$3" = 1 ] && echo 0 || echo 1)" '
        { value[NR] = $1; printf "%17.1f", $1
          if (NR > 2 && (best == "" || (lower ? $1 < best : $1 > best))) best = $1 }
        END { if (best) printf "%10.2f%10.2f\n", value[1] / best, value[2] / best; else printf "%10s%10s\n", "-", "-" }'
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
# The others have no rate for all connections together.
contestants=(fred wire)
type -P memtier_benchmark >/dev/null && contestants+=(memtier)
printf '\n%-34s %-7s' "open loop (memtier: limited rate)" ""
for name in "${contestants[@]}"; do printf '%17s' "$name"; done
printf '%10s%10s\n' fred/best wire/best
compare "50 connections, 10 000/s" open-10000 get 50 1
