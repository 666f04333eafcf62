#!/bin/sh
# Makes the examples anew: two runs, of which the Markdown, the charts that it shows and the scenario are kept.
#
# Usage: docs/examples/remake.sh
# Needs redis-server and python3, and plimsoll as PLIMSOLL or from `cargo build --profile fast`. Takes a minute; nothing
# else should run meanwhile.
set -eu
cd "$(dirname "$0")"
plimsoll=$(realpath "${PLIMSOLL:-../../target/fast/plimsoll}")
work=$(mktemp -d)
started=
trap 'kill $started 2>/dev/null || true; rm -rf "$work"' EXIT

# A missed objective (exit code 1) is a result, too.
analyse() {
    name=$1
    shift
    "$plimsoll" run "$@" --style analysis --out "$work/$name" || [ $? -eq 1 ]
    rm -rf "$name/charts"
    mkdir "$name/charts"
    cp "$work/$name"/charts/*.svg "$name/charts"
    cp "$work/$name/analysis.md" "$work/$name/scenario.toml" "$name"
}

analyse default

redis-server "$PWD/neglected/redis.conf" --dir "$work" --logfile "$work/redis.log" &
started="$!"
python3 - <<'PYTHON' 2>/dev/null &
from http.server import BaseHTTPRequestHandler, HTTPServer

class Unhealthy(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(503)

HTTPServer(("127.0.0.1", 8089), Unhealthy).serve_forever()
PYTHON
started="$started $!"
until redis-cli -p 7399 ping >/dev/null 2>&1; do sleep 0.1; done
until python3 -c 'import socket; socket.create_connection(("127.0.0.1", 8089))' 2>/dev/null; do sleep 0.1; done
analyse neglected neglected/scenario.toml --target redis://127.0.0.1:7399
