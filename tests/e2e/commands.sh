#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `tcpdiag listeners`, `connections` and `fds` beside a server that is stuck: a second daemon that is stopped by
# SIGSTOP accepts nobody. What they say is what `ss` and /proc say.
in_own_netns=(unshare --net --pid --fork --kill-child --mount-proc --)
source "$(dirname "$0")/harness.bash"

# shows STATUS ARGUMENTS...: the command exits so, and no line of its tables is longer than 100 columns
shows() {
  local expected=$1
  shift
  run "$expected" "${as[@]}" "$tcpdiag" "$@"
  ! LC_ALL=C.UTF-8 grep -E '^.{101}' "$scratch/output" || die "$*: a line is too long"
}
has() { says_line "$1" "$scratch/output"; }
complains() { says_line "$1" "$scratch/error"; }
says_line() { grep -qE -- "$1" "$2" || die "no line like $1: $(cat "$2")"; }
value() { jq -c "$1" "$scratch/output"; }
expect() { [ "$1" = "$2" ] || die "$3: $1 instead of $2"; }

echo 4 >/proc/sys/net/core/somaxconn
"$tcpdiagd" --web.listen-address=127.0.0.1:10181 2>"$scratch/stuck.log" &
stuck=$!
started+=("$stuck")
within 15 answers http://127.0.0.1:10181/-/ready || die "the server does not start: $(cat "$scratch/stuck.log")"
# A connection that the server closes and this shell does not: CLOSE_WAIT.
exec {kept}<>/dev/tcp/127.0.0.1/10181
printf 'GET /-/healthy HTTP/1.0\r\n\r\n' >&"$kept"
closed_by_server() { [ -n "$(ss -Htn state close-wait dport = :10181)" ]; }
within 15 closed_by_server || die "the server keeps the connection: $(ss -tan)"
kill -STOP "$stuck"
# One client after the other: two handshakes that end on two CPUs at once can both take the last place, and a queue of 5
# holds 6. The last three find no place.
holds() { [ "$(ss -Hltn sport = :10181 | awk '{ print $2 }')" = "$1" ]; }
for waiting in 1 2 3 4 5 5 5 5; do
  curl -s --max-time 60 -o /dev/null http://127.0.0.1:10181/ &
  started+=($!)
  within 15 holds "$waiting" || die "the queue does not hold $waiting: $(ss -tan)"
done

echo "listeners shows the full queue and who does not accept"
shows 0 listeners
has "^127\.0\.0\.1:10181 +5/4 +100% +5 +[1-9][0-9]* +[0-9]+ +1 +tcpdiagd\[$stuck\] "
shows 0 listeners --json
expect "$(value '.namespaces[0].listeners.endpoints[0].sockets[0].queue_length')" 5 "the queue in JSON"
expect "$(value '.namespaces[0] | keys')" '["listeners","name"]' "the parts of the JSON"

echo "connections shows who waits, and who holds what is closed"
shows 0 connections
has "^ *10181 +5 .* 5 +tcpdiagd\[$stuck\]$"
has "^ *10181 .* ≥[0-9]+s .* bash\[$$\]$"
has "^127\.0\.0\.1 +127\.0\.0\.1:10181 +[0-9]+ +28232 +<1%$"
shows 0 connections --port 10181
has '^server +established +5$'
has '^server +not accepted yet +5 '
has '^client +close_wait +1 +the oldest for ≥[0-9]+s$'
has "^client +≥[0-9]+s +127\\.0\\.0\\.1:10181 +bash\\[$$\\] +[0-9]+ +[0-9]+$"
shows 0 connections --port 10181 --json
expect "$(value '.namespaces[0].connections.server[0] | [.port, .unaccepted]')" '[10181,5]' "the port in JSON"
shows 0 connections --port 7
has '^No connection and no listener on port 7\.$'

echo "fds shows processes, and what one of them has open"
shows 0 fds
has "^ *$stuck +tcpdiagd "
shows 0 fds "$stuck"
has "^tcpdiagd\[$stuck\].*: [0-9]+ descriptors open, soft limit $(ulimit -Sn) "
has '^TCP STATE +DESCRIPTORS$'
has '^listen +1$'
shows 0 fds $$
has '^close_wait +1$'
shows 0 fds "$stuck" --json
expect "$(value '[.kinds[]] | add')" "$(ls "/proc/$stuck/fd" | wc -l)" "the kinds together"
expect "$(value '.tcp_states.listen')" 1 "its listening socket"
expect "$(value '.kinds.socket >= 1 and .kinds.eventpoll >= 1')" true "sockets and epoll"

echo "what cannot be known is said"
shows 1 fds 99999
complains '^tcpdiag: no process has pid 99999$'
shows 2 listeners --netns no-such-namespace
complains '^tcpdiag: no network namespace is called "no-such-namespace"; tcpdiag namespaces lists them$'
shows 3 check --netns no-such-namespace
shows 1 listeners --netns /proc/99999999/ns/net
complains '^tcpdiag: listeners \(/proc/99999999/ns/net\): .*: No such file'
chmod 755 "$scratch"
install -m 755 "$tcpdiag" "$scratch/tcpdiag"  # nobody may not be able to reach the build
tcpdiag=$scratch/tcpdiag
as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
shows 1 fds "$stuck"
complains 'Permission denied; that takes CAP_SYS_PTRACE'
shows 0 listeners
has "^127\.0\.0\.1:10181 +5/4 .* +\? +\?$"
complains '^tcpdiag: some owners are not known: '
as=()

echo "a mistake on the command line is named"
shows 2 connections --port 70000
shows 2 listeners --port 80
shows 2 fds nginx
