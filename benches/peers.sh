#!/usr/bin/env bash
# Holds plimsoll against redis-benchmark on one private server, in turns, and prints medians and their ratios.
#
#   benches/peers.sh [ROUNDS]        default 5
#
# Needs redis-server and redis-benchmark (Debian: redis-server, redis-tools) and a release build. Ratios within one
# call are what counts; absolute times are the machine's. Set PLIMSOLL to measure another binary.
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

# One round of redis-benchmark: prints "rate p50_us".
peer() { # command connections requests
  redis-benchmark -p $port -t "$1" -c "$2" -n "$3" -d 3 -r 100000 --csv 2>/dev/null |
    tr -d '"' | awk -F, 'NR > 1 { print $2, $5 * 1000 }'
}

# One round of plimsoll: prints "rate p50_us". Exit codes other than 2 are verdicts, which do not matter here.
ours() { # scenario connections
  rm -rf "$work/out"
  "$plimsoll" run "benches/peers/$1.toml" --target "redis://127.0.0.1:$port" --out "$work/out" --quiet >/dev/null || [ $? -ne 2 ]
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i }
    $1 == "*" && $2 == "*" { print $col["rate_per_s"], $col["response_p50_us"] }' "$work/out/summary.csv"
}

# Median of one column of a file.
median() { # file column
  awk -v c="$2" '{ print $c }' "$1" | sort -g | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

compare() { # title scenario command connections requests
  : >"$work/a"; : >"$work/b"
  for round in $(seq "$rounds"); do
    if [ $((round % 2)) -eq 1 ]; then
      ours "$2" >>"$work/a"; peer "$3" "$4" "$5" >>"$work/b"
    else
      peer "$3" "$4" "$5" >>"$work/b"; ours "$2" >>"$work/a"
    fi
  done
  for figure in "rate/s 1" "p50_us 2"; do
    set -- "$1" "$2" "$3" "$4" "$5" $figure
    a=$(median "$work/a" "$7"); b=$(median "$work/b" "$7")
    awk -v t="$1" -v f="$6" -v a="$a" -v b="$b" 'BEGIN { printf "%-44s %-8s plimsoll %10.1f   redis-benchmark %10.1f   ratio %.2f\n", t, f, a, b, a / b }'
  done
}

echo "# $(redis-server --version | cut -d' ' -f1-3), $(nproc) cores, $rounds rounds each, medians; $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs)"
compare "closed loop, 1 connection, GET" get-1 get 1 100000
compare "closed loop, 50 connections, GET" get-50 get 50 600000
compare "closed loop, 50 connections, SET" set-50 set 50 600000
compare "open loop 10 000/s (peer: closed loop), GET" open-10000 get 50 600000
compare "closed loop, 9 000 connections, GET" get-9000 get 9000 300000
