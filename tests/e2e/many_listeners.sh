#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# many_listeners.sh [LISTENERS [FULL [MEBIBYTES]]]: very many listeners of one user, some of them stalled, do not swell the daemon
# (docs/operations.md, "What it costs") and hide nothing of another user.
source "$(dirname "$0")/harness.bash"

listeners=${1:-60000}
full=${2:-2000}
allowed=${3:-96}
root_at=127.0.0.1

at_most() { [ "$1" -le "$2" ] || die "$3: $1 KiB of $2"; }
peak() { awk '$1 == "VmHWM:" { print $2 }' "/proc/$daemon/status"; }
# hold ADDRESS LISTENERS FULL COMMAND...: listeners, by what the command starts
hold() {
  local arguments=("$1" "$2" "$3")
  shift 3
  "$@" "$TCPDIAG_BUILD_DIR/tests/hold_listeners" "${arguments[@]}" >"$scratch/held-${arguments[0]}" &
  started+=("$!")
  within 30 grep -qs held "$scratch/held-${arguments[0]}" || die "no listeners at ${arguments[0]}"
}
ask_for_all() {
  local path
  for path in / /metrics /api/v1/report /api/v1/findings /api/v1/incidents; do
    curl -sf --max-time 20 -o "$scratch/plain" "http://127.0.0.1:10180$path" || die "$path fails"
    curl -sf --max-time 20 -H 'Accept-Encoding: gzip' -o "$scratch/page.gz" "http://127.0.0.1:10180$path" || die "$path fails, compressed"
    gzip -t "$scratch/page.gz" || die "$path is no gzip file"
    [ -s "$scratch/plain" ] || die "$path is empty"
  done
}

echo "62000 65535" >/proc/sys/net/ipv4/ip_local_port_range  # connect() takes no port that somebody listens on
echo "$listeners listeners of a user, $full of them stalled, and one of root's that is"
hold 127.0.0.2 "$listeners" "$full" setpriv --reuid=1000 --clear-groups
hold "$root_at" 1 1 env
start_daemon --cpu-budget=1
within 60 answers http://127.0.0.1:10180/-/ready || die "not ready"

echo "root's is on every page"
its_finding() { page_shows "tcpdiag_finding_active{finding=\"accept-queue-app-stalled\".*subject=\"$root_at:2000\"}"; }
within 60 its_finding || die "no finding about $root_at:2000"
page_shows "tcpdiag_listener_queue_length{netns=\"host\",address=\"$root_at\",port=\"2000\"} 1" || die "its queue is not shown"
curl -sf http://127.0.0.1:10180/ >"$scratch/page"
says "$scratch/page" "$root_at:2000" || die "it is not on the page"

echo "the others are few findings that count the rest, and what was cut is told"
active=$(metrics | grep -c '^tcpdiag_finding_active' || true)
[ "$active" -le 40 ] || die "$active findings"
curl -sf http://127.0.0.1:10180/api/v1/findings >"$scratch/findings"
says "$scratch/findings" 'The same is true of [0-9]* more listeners' || die "they are not counted"
cut=$(sample 'tcpdiag_listening_sockets_cut{netns="host"}')
[ "$cut" -gt 0 ] || die "$cut sockets are cut"

echo "all pages, plain and compressed, for 20 s"
end=$((SECONDS + 20))
while [ "$SECONDS" -lt "$end" ]; do ask_for_all; done
echo "at its peak $(($(peak) / 1024)) MiB"
at_most "$(peak)" $((allowed * 1024)) "memory at its peak"
stop_daemon 5  # one look at so many listeners comes to its end first, without optimization
