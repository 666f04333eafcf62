#!/bin/sh
# How often plimsoll gate is right here, on arms whose difference is known.
#
# benches/gate.sh CASE [RUNS] [PROFILE]      PLIMSOLL=target/release/plimsoll FIRST=1 (the first seed)
#
#   same        A against A: nothing may be confirmed
#   neighbour   the same while another process wants both cores
#   larger      B's batches are 10 % larger (5 % with the nightly profile), so that its server works longer
#   delay       both behind a proxy that answers 2 ms later, B 10 % more (5 %)
#   tail        both behind such a proxy, 1 % of B's answers 5 ms later still
#
# Prints a line for each run and counts the verdicts. For the last two cases it starts a server and proxies, and ends them again.
set -eu
cd "$(dirname "$0")/.."
case_of=${1:?"a case: same, neighbour, larger, delay or tail"}
runs=${2:-10}
profile=${3:-quick}
plimsoll=${PLIMSOLL:-target/release/plimsoll}
server_port=${SERVER_PORT:-7391}
place=$(mktemp -d)
started=
finish() {
	# shellcheck disable=SC2086 # several words are several processes
	[ -z "$started" ] || kill $started 2>/dev/null || true
	# The port is free for the next call when they are gone.
	wait
	rm -rf "$place"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() {
	echo "gate.sh: $1" >&2
	exit 2
}

# await WHAT COMMAND...: until the command succeeds, as long as the process that was started last lives.
await() {
	what=$1
	shift
	until "$@"; do
		kill -0 "$!" 2> /dev/null || fail "$what did not start"
		sleep 0.05
	done
}

# proxy SERVER_PORT DELAY [SLOW EXTRA]: starts one and says its port in $port.
proxy() {
	python3 benches/gate/proxy.py "$@" > "$place/port" &
	started="$started $!"
	await "the proxy" test -s "$place/port"
	port=$(cat "$place/port")
	: > "$place/port"
}

server() {
	! answers || fail "something answers on port $server_port already; give another with SERVER_PORT"
	redis-server --port "$server_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$place" > "$place/server.log" &
	started="$started $!"
	await "the server" answers
}

answers() {
	[ "$(redis-cli -p "$server_port" ping 2> /dev/null)" = PONG ]
}

percent=10
[ "$profile" = quick ] || percent=5
set -- gate --profile "$profile" --format json --quiet
case $case_of in
same) set -- "$@" mixed ;;
neighbour)
	for _ in 1 2; do
		while :; do :; done &
		started="$started $!"
	done
	set -- "$@" mixed
	;;
larger)
	batch=$((200 + 2 * percent))
	set -- "$@" benches/gate/zadd.toml --a set:service.scores.operation.ZADD.batch=200 \
		--b "set:service.scores.operation.ZADD.batch=$batch"
	;;
delay | tail)
	server
	proxy "$server_port" 0.002
	a=$port
	if [ "$case_of" = tail ]; then
		proxy "$server_port" 0.002 0.01 0.005
	else
		# The proxy's own time is part of p50, so a share of the delay is a little less than that share of p50.
		proxy "$server_port" "$(awk "BEGIN { print 0.002 * (1 + $percent / 100) }")"
	fi
	set -- "$@" mixed --rate 2000 --a "target=redis://127.0.0.1:$a" --b "target=redis://127.0.0.1:$port"
	;;
*) fail "no case $case_of" ;;
esac

number=${FIRST:-1}
last=$((number + runs - 1))
while [ "$number" -le "$last" ]; do
	"$plimsoll" "$@" --seed "$number" --out "$place/gate" --force > "$place/verdict.json" 2> "$place/said" || true
	# One without a verdict counts as well.
	if ! python3 - "$number" "$place/verdict.json" > "$place/line" 2> /dev/null <<'PYTHON'
import json, sys

gate = json.load(open(sys.argv[2]))
whole = gate["rows"][-1] if gate["rows"] else {"metrics": [], "shape": None}


def told(metric):
    change = metric["confirm"] if metric["suspected"] and metric["confirm"] else metric["screen"]
    seen = change["detectable"]
    return f'{metric["metric"]} {100 * (change["ratio"] - 1):+.1f} % (sees {100 * seen:.1f} %)' if seen else metric["metric"]


suspected = [
    f'{row["service"] or "all"} {row["operation"] or "requests"} {metric["metric"]}'
    for row in gate["rows"]
    for metric in row["metrics"]
    if metric["suspected"]
]
print(sys.argv[1], gate["verdict"], whole["shape"] or "-", *map(told, whole["metrics"]), "suspected:", *suspected or ["none"], sep="; ")
PYTHON
	then
		echo "$number; no verdict; -" > "$place/line"
		cat "$place/said" >&2
	fi
	tee -a "$place/lines" < "$place/line"
	number=$((number + 1))
done
echo
cut -d';' -f2,3 "$place/lines" | sort | uniq -c
