#!/bin/sh
# `make replay`: a city's 311 file through the real daemon, on a jurisdiction made for it, and the books proved after.
# FILE= the CSV, plain or gzip; DOOR= tcp or redis; TZ_NAME= the city's time zone; BUILD= where the programs are.
# Everything lands in one temporary folder that is kept and named; only the last line goes to standard output.
set -eu

FILE=${FILE:-${1:-}}
DOOR=${DOOR:-tcp}
TZ_NAME=${TZ_NAME:-America/New_York}
BUILD=${BUILD:-build}
WAIT=200 # tenths of a second for a server to answer

[ -n "$FILE" ] || { echo "usage: make replay FILE=requests.csv.gz [DOOR=tcp|redis] [TZ_NAME=America/New_York]" >&2; exit 2; }
[ -r "$FILE" ] || { echo "replay: cannot read $FILE" >&2; exit 2; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/gridloop-replay-XXXXXX")
daemon= redis=

# Asks a process to end and waits for it.
end() {
	[ -z "$1" ] || { kill "$1" 2>/dev/null && wait "$1" 2>/dev/null; } || true
}
finish() {
	code=$?
	trap - EXIT
	end "$daemon"
	end "$redis"
	echo "replay: everything is in $folder" >&2
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Waits until a command succeeds, or until the process behind it has ended.
wait_for() {
	process=$1 log=$2
	shift 2
	for _ in $(seq $WAIT); do
		"$@" >/dev/null 2>&1 && return 0
		kill -0 "$process" 2>/dev/null || break
		sleep 0.1
	done
	echo "replay: $log says:" >&2
	tail -n 20 "$log" >&2
	return 1
}

"$BUILD/gridloop" replay --prepare "$folder/jurisdiction" --tz "$TZ_NAME" "$FILE" >&2

address= redis_options=
if [ "$DOOR" = redis ]; then
	redis-server --port 0 --unixsocket "$folder/redis.sock" --dir "$folder" --appendonly yes --save "" \
		>"$folder/redis.log" 2>&1 &
	redis=$!
	wait_for "$redis" "$folder/redis.log" redis-cli -s "$folder/redis.sock" ping
	address="unix:$folder/redis.sock"
	redis_options="--door redis --redis $address"
fi

# The kernel names a free port: the daemon logs which one it got.
cat >"$folder/gridloop.conf" <<END
listen = 127.0.0.1:0
database = $folder/gridloop.db
jurisdiction = $folder/jurisdiction
time_zone = $TZ_NAME
clock = replay
inflight_max = 1024
connection_memory = 4m
redis = $address
END
"$BUILD/gridloopd" -c "$folder/gridloop.conf" >"$folder/gridloopd.log" 2>&1 &
daemon=$!
wait_for "$daemon" "$folder/gridloopd.log" grep -q '^<[0-9]>ready .*port=' "$folder/gridloopd.log"
port=$(sed -n 's/^<[0-9]>ready .*port=\([0-9]*\).*/\1/p' "$folder/gridloopd.log" | tail -n 1)

# The daemon stops only after the last answer, and the books are read when nothing moves any more.
# shellcheck disable=SC2086 # two words each, and no spaces in them
"$BUILD/gridloop" replay --server "127.0.0.1:$port" --tz "$TZ_NAME" $redis_options "$FILE" >"$folder/replay.txt" ||
	{ cat "$folder/replay.txt" >&2; exit 1; }
end "$daemon"
daemon=
sed '$d' "$folder/replay.txt" >&2

invariants=ok
"$BUILD/gridloop" verify "$folder/gridloop.db" >&2 || invariants=broken
tail -n 1 "$folder/replay.txt" | sed "s/\"invariants\":\"[^\"]*\"/\"invariants\":\"$invariants\"/"
[ "$invariants" = ok ]
