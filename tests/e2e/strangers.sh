#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Strangers from hundreds of addresses cost the daemon neither a scrape nor a core: they drip, they do not read, they take the
# last descriptor, they begin TLS handshakes and break off.
ulimit -n 4096
source "$(dirname "$0")/harness.bash"

connected() { ss -Htn state established sport = :10180 | wc -l; }
they_are_many() { [ "$(connected)" -ge "$least" ]; }
# strangers COUNT HABIT LEAST: so many of them are connected at once
strangers() {
  "$TCPDIAG_BUILD_DIR/tests/strangers" 10180 "$1" "$2" 2>"$scratch/strangers.log" &
  strangers=$!
  started+=("$strangers")
  least=$3
  within 15 they_are_many || die "only $(connected) strangers: $(cat "$scratch/strangers.log")"
}
# age_of COLLECTOR NETNS: seconds since it last succeeded
age_of() {
  curl -skf --max-time 5 $scheme://127.0.0.1:10180/metrics |
    awk -v series="tcpdiag_collector_age_seconds{collector=\"$1\",netns=\"$2\"}" '$1 == series { print $2 }'
}
# has_run COLLECTOR NETNS: whether it has run since $since, a time as in EPOCHREALTIME
has_run() {
  local age
  age=$(age_of "$1" "$2")
  awk -v age="${age:-inf}" -v since="$since" -v now="$EPOCHREALTIME" 'BEGIN { exit !(age + 0 == age && age < now - since) }'
}
strangers_leave() {
  kill -KILL "$strangers"
  wait "$strangers" 2>/dev/null || true
}
scheme=http
# scrape ADDRESS: from there
scrape() {
  local answer
  answer=$(curl -sk -o /dev/null --max-time 5 --interface "$1" -w '%{http_code} after %{time_total} s' $scheme://127.0.0.1:10180/metrics || true)
  [[ "$answer" = "200 after "[01].* ]] || die "a scrape from $1: $answer, with $(connected) connections"
}
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$daemon/stat"; }
# costs_little MOST: hundredths of a second of CPU time within three seconds, in which all goes on
costs_little() {
  local before after
  before=$(cpu_ticks)
  sleep 3
  after=$(cpu_ticks)
  echo "$((after - before)) hundredths of a second of CPU time in 3 s"
  [ $((after - before)) -le "$1" ] || die "$((after - before)) hundredths of a second of CPU time in 3 s"
}

start_daemon
ready
scrape 127.0.9.9

echo "1200 addresses that drip"
strangers 1200 drip 400
for i in $(seq 30); do
  scrape 127.0.9.9    # is known
  scrape "127.0.8.$i"  # has never been here
done
strangers_leave

echo "1200 addresses that ask, and do not read"
strangers 1200 do-not-read 400
for i in $(seq 30); do scrape 127.0.9.9; done
strangers_leave
nobody_is_left() { [ "$(connected)" = 0 ]; }
within 15 nobody_is_left || die "$(connected) connections are left of strangers that are gone"
says "$scratch/daemon.log" 'HTTP connections dropped' || die "the log does not say that connections had to go"
stop_daemon

echo "few descriptors: the collectors have theirs"
as=(prlimit --nofile=128:128 --)
start_daemon
ready
says "$scratch/daemon.log" 'max_connections is [0-9]* instead of 512' || die "the log does not say that it serves fewer"
strangers 300 drip 20
since=$EPOCHREALTIME
all_have_run() { scrape 127.0.9.9 && has_run listeners host && has_run netstat host && has_run connections host && has_run processes ""; }
within 30 all_have_run || die "a collector has not run beside strangers for 30 s: $(metrics | grep collector_age)"
page_shows '^tcpdiag_collector_success' || die "no collectors on the page"
! grep -E '^tcpdiag_collector_success.* 0$' "$scratch/page" || die "collectors fail beside strangers"
strangers_leave
within 15 nobody_is_left || die "$(connected) connections are left of strangers that are gone"

echo "no descriptor left"
prlimit --pid "$daemon" --nofile=$(($(ls "/proc/$daemon/fd" | wc -l) + 20)):128
strangers 100 drip 5
waits() { says "$scratch/daemon.log" 'HTTP connections have to wait: Too many open files'; }
within 15 waits || die "the log does not say that connections have to wait"
costs_little 100
strangers_leave
within 15 answers http://127.0.0.1:10180/metrics || die "it does not answer although descriptors are free again"
stop_daemon

echo "TLS handshakes that do not end"
as=()
cd "$scratch"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -keyout server.key \
  -out server.crt 2>openssl.log
echo 'tls_server_config: {cert_file: server.crt, key_file: server.key}' >web.yml
start_daemon --web.config.file=web.yml
scheme=https
is_ready() { [ "$(curl -sk -o /dev/null -w '%{http_code}' --max-time 5 https://127.0.0.1:10180/-/ready || true)" = 200 ]; }
within 15 is_ready || die "not ready: $(cat daemon.log)"
exec 5<>/dev/tcp/127.0.0.1/10180
printf '\x16\x03\x01\x02' >&5
costs_little 100
exec 5>&-

echo "TLS handshakes that are reset"
open_sockets() { find "/proc/$daemon/fd" -lname 'socket:*' 2>find.log | wc -l; }
before=$(open_sockets)
strangers 100 reset 0
for look in 1 2 3; do  # sockets that leak are found in two looks at processes
  since=$EPOCHREALTIME
  has_looked() { scrape 127.0.9.9 && has_run processes ""; }
  within 30 has_looked || die "processes were not looked at for the ${look}th time"
done
strangers_leave
as_before() { [ "$(open_sockets)" -le $((before + 2)) ]; }
within 2 as_before || die "$(open_sockets) sockets are open, $before before"
curl -sk --max-time 5 https://127.0.0.1:10180/api/v1/incidents >incidents
! grep -E 'closed-socket|close-wait|fd-limit' incidents || die "it has a finding about itself"
stop_daemon
