#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# overload.sh [SECONDS [KILOBYTES]]: hundreds of bad clients, for so long (12), do not keep Prometheus, at another one, from its
# metrics, and cost the daemon at most so much memory (8192).
source "$(dirname "$0")/harness.bash"

duration=${1:-12}  # longer than it lets a connection be idle
allowed=${2:-8192}

resident() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$daemon/status"; }
open_fds() { ls "/proc/$daemon/fd" | wc -l; }
connected() { ss -Htn state established sport = :10180 | wc -l; }
most() { [ "$1" -le "$2" ] || die "$3: $1"; }
# misbehave COUNT PER_ADDRESS LEAST: bad clients, of which so many can connect
misbehave() {
  "$TCPDIAG_BUILD_DIR/tests/bad_clients" 10180 "$1" "$2" $((duration + 48)) 2>"$scratch/bad_clients.log" &
  bad_clients=$!
  started+=("$bad_clients")
  least=$3
  within 15 they_are_many || die "only $(connected) bad clients: $(cat "$scratch/bad_clients.log")"
}
they_are_many() { [ "$(connected)" -ge "$least" ]; }  # those that were cut off come again
stop_misbehaving() {
  kill -TERM "$bad_clients"
  wait "$bad_clients" 2>/dev/null || true
  within 15 nobody_is_connected || die "$(connected) connections are left of clients that are gone"
}
nobody_is_connected() { [ "$(connected)" = 0 ]; }
# scrape COUNT: from an address of its own; the milliseconds of the slowest one are in $slowest, those of the one in the
# middle of all since $scratch/times was emptied in $median
scrape() {
  local answer status
  slowest=0
  for _ in $(seq "$1"); do
    answer=$(curl -s -o /dev/null --max-time 5 --interface 127.0.9.9 -H 'Accept-Encoding: gzip' \
      -w '%{http_code} %{time_total}' http://127.0.0.1:10180/metrics) || die "a scrape failed: $answer"
    read -r status seconds <<<"$answer"
    [ "$status" = 200 ] || die "a scrape got $status"
    echo "${seconds/./}" >>"$scratch/times"
    slowest=$(awk -v so_far="$slowest" -v ms="${seconds/./}" 'BEGIN { ms = int(ms / 1000); print (ms > so_far ? ms : so_far) }')
  done
  median=$(sort -n "$scratch/times" | awk '{ us[NR] = $1 } END { print int(us[int((NR + 1) / 2)] / 1000) }')
}
# answered STATUS ARGUMENTS...: what a bad request gets
answered() {
  local expected=$1 status
  shift
  status=$(curl -s -o /dev/null --max-time 5 --interface 127.0.9.9 -w '%{http_code}' "$@" || true)
  [ "$status" = "$expected" ] || die "$* got $status instead of $expected"
}
bad_requests() {
  local url=http://127.0.0.1:10180
  answered 404 $url/nothing
  answered 405 -X DELETE $url/metrics
  answered 405 --data x $url/metrics
  answered 413 -X GET --data x $url/metrics
  answered 413 -X GET -H 'Transfer-Encoding: chunked' --data-binary @"$tcpdiagd" $url/metrics
  answered 431 -H "X-Long: $(head -c 16200 /dev/zero | tr '\0' a)" $url/metrics
  raw_answered 400 'no such thing as this\r\n\r\n'
  raw_answered 400 'GET /metrics HTTP/1.1\r\n\r\n'
  raw_answered 400 'GET /metrics HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n'
  raw_answered 400 'GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 35\r\n\r\n'
  raw_answered 400 'GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n'
  raw_answered 400 'GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n'
  raw_answered 505 'GET /metrics HTTP/2.0\r\nHost: x\r\n\r\n'
}
# raw_answered STATUS TEXT: what a text gets that curl would not send
raw_answered() {
  local line=
  exec 5<>/dev/tcp/127.0.0.1/10180
  printf '%b' "$2" >"$scratch/raw"
  cat "$scratch/raw" >&5 || true  # at once, and not line by line as printf does
  read -r -t 5 line <&5 || true
  exec 5>&-
  [[ "$line" = "HTTP/1.1 $1 "* ]] || die "$2 got '$line' instead of $1"
}

start_daemon
ready
scrape 20
resident_before=$(resident) fds_before=$(open_fds)

echo "200 bad clients, and Prometheus"
misbehave 200 50 180  # below the daemon's limit for one address
: >"$scratch/times"
end=$((SECONDS + duration))
while [ "$SECONDS" -lt "$end" ]; do
  scrape 20
  bad_requests
  echo "scrapes took $median ms in the middle, $slowest ms at most, resident $(resident) kB, $(connected) connections"
  most "$slowest" 1000 "milliseconds for a scrape"
  most $(($(resident) - resident_before)) "$allowed" "kB more than before"
done
most "$median" 20 "milliseconds for the scrape in the middle"
within 5 they_are_many || die "only $(connected) bad clients are left"
most "$(wc -l <"$scratch/daemon.log")" $((50 + duration)) "lines in the log"
stop_misbehaving

echo "one address does not get all connections"
misbehave 400 400 60
scrape 20
most "$slowest" 1000 "milliseconds for a scrape"
# As the daemon counts them, once a second: the kernel has more, which the daemon has not looked at yet.
open=
few_are_open() {
  open=$(curl -s --max-time 5 --interface 127.0.9.9 http://127.0.0.1:10180/metrics | awk '$1 == "tcpdiag_http_connections" { print $2 }')
  [ "$open" -ge 60 ] && [ "$open" -le 80 ]  # 64, and those without an end from elsewhere
}
within 5 few_are_open || die "$open connections are open"


stop_misbehaving

echo "afterwards all is as before"
as_before() { [ "$(connected)" = 0 ] && [ "$(open_fds)" -le "$fds_before" ]; }
within 15 as_before || die "$(connected) connections, $(open_fds) descriptors instead of $fds_before"
scrape 20
most "$slowest" 1000 "milliseconds for a scrape"
most $(($(resident) - resident_before)) "$allowed" "kB more than before"
answered 200 --interface 127.0.0.2 http://127.0.0.1:10180/metrics
sample_is 'tcpdiag_collector_success{collector="listeners",netns="host"}' 1 || die "listeners fails"

echo "SIGTERM stops it with all of them connected"
misbehave 200 50 180
stop_daemon
