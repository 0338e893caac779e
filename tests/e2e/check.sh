#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `tcpdiag check`, by itself and beside a daemon: silent on a quiet host, names a flood of SYNs while it lasts, and says
# in one line why it cannot ask.
# Neither other processes nor what this machine is configured to shall be judged.
in_own_netns=(unshare --net --mount --pid --fork --kill-child --mount-proc --)
source "$(dirname "$0")/harness.bash"

url=http://127.0.0.1:10180
for directory in /etc/sysctl.d /run/sysctl.d /usr/local/lib/sysctl.d /usr/lib/sysctl.d /lib/sysctl.d; do
  [ ! -d "$directory" ] || mount -t tmpfs tcpdiag-e2e "$directory"
done
[ ! -e /etc/sysctl.conf ] || mount --bind /dev/null /etc/sysctl.conf
ip link add nowhere type veth peer name end
ip link set end up
ip link set nowhere arp off up
ip address add 192.0.2.1/24 dev nowhere

# check STATUS ARGUMENTS...: what it prints is in $scratch/output
check() {
  local expected=$1
  shift
  run "$expected" "$tcpdiag" check "$@"
  [ ! -s "$scratch/error" ] || die "complains: $(cat "$scratch/error")"
}
shows() { says "$scratch/output" "$1" || die "does not say '$1': $(cat "$scratch/output")"; }
fits() {
  local line
  while read -r line; do
    [ ${#line} -le 100 ] || die "a line is too long: $line"
  done < <(grep -v "tcpdump\|sysctl\|^[A-Z]*  " "$scratch/output")  # commands, and the table, are lines however long
}

start_daemon
ready

echo "a quiet host: nothing is found, and what is not there to be looked at is told"
# The kernel log may be out of reach: no finding that rests on it alone is critical here.
has_kernel_log=yes
dd if=/dev/kmsg of=/dev/null bs=8192 count=1 iflag=nonblock 2>"$scratch/kmsg" || has_kernel_log=
check 0 --duration=10s
shows "^No findings in 10 s over 1 listener, .* 1 namespace\. Leaks may take"
[ -n "$has_kernel_log" ] || shows "^Cannot tell: .*: /dev/kmsg: "
check 0 --url $url
shows "^No findings at 20.* UTC over 1 listener, .* 1 namespace\.$"

check 0 --json --url $url
others=$(jq -r ".unknown[].why" "$scratch/output" | grep -v "/dev/kmsg" || true)
[ -z "$others" ] || die "it cannot tell: $others"

echo "a flood of SYNs"
# Half-open connections leave a full queue after some seconds: about 600 a second have to come to keep it full.
"$TCPDIAG_BUILD_DIR/tests/syn_flood" 192.0.2.1 10180 2000 200 2>"$scratch/flood.log" &
flood=$!
started+=("$flood")
found() { { "$tcpdiag" check --url $url || true; } | grep '^CRITICAL syn-flood-suspected' >/dev/null; }
within 30 found || die "the daemon does not find it: $("$tcpdiag" check --url $url)"
check 2 --url $url
shows '^CRITICAL  tcpdiagd\[[0-9]*\]  *\[::\]:10180  '
shows '^CRITICAL syn-flood-suspected  \[::\]:10180 tcpdiagd\['
shows "^  since 20.* UTC"
shows '^    SyncookiesSent  *[0-9]* SYN-ACKs  *in [0-9]* s$'
shows '^    .*net.core.somaxconn = '
shows "^         tcpdump -nn -i any -c 200 '(tcp.tcpflags. "
fits
check 2
shows '^CRITICAL syn-flood-suspected  \[::\]:10180 tcpdiagd\['
shows ' critical.* in [0-9]* s over '
fits

echo "as metrics"
sample_is 'tcpdiag_finding_active{finding="syn-flood-suspected",severity="critical",netns="host",subject="[::]:10180"}' 1 ||
  die "not shown: $(metrics | grep tcpdiag_finding)"
sample_is 'tcpdiag_findings_opened_total{finding="syn-flood-suspected"}' 1 || die "not counted"
sample_is 'tcpdiag_findings_opened_total{finding="syn-queue-drop"}' 0 || die "not counted from the start"
sample_is 'tcpdiag_finding_unknown{finding="syn-flood-suspected"}' 0 || die "it can tell"

echo "as JSON, what the API says"
check 2 --json --url $url
[ "$(jq -r '.findings[0].id' "$scratch/output")" = syn-flood-suspected ] || die "$(cat "$scratch/output")"
# The machine may be in other trouble, too.
same='{findings: [.findings[] | select(.id == "syn-flood-suspected") | {id, severity, subject, docs}], keys: keys}'
of_daemon=$(jq -c "$same" "$scratch/output")
[ "$of_daemon" = "$(curl -sf $url/api/v1/findings | jq -c "$same")" ] || die "another one than the API's"
check 2 --json
[ "$of_daemon" = "$(jq -c "$same" "$scratch/output")" ] || die "another one by itself: $(cat "$scratch/output")"

kill -KILL "$flood"
wait "$flood" 2>/dev/null || true

echo "it ends early when it is asked to, and says what it has found"
# A setting is judged at the first look; when that is over, it waits for the next one.
sysctl -qw net.ipv4.tcp_abort_on_overflow=1
"$tcpdiag" check --duration=600 >"$scratch/output" &
checking=$!
started+=("$checking")
has_looked() { [[ "$(cat "/proc/$checking/wchan")" = do_sigtimedwait* ]]; }
within 30 has_looked || die "no look in 30 s; it is in $(cat "/proc/$checking/wchan")"
kill -INT "$checking"
within 2 gone "$checking" || die "still looking two seconds after SIGINT"
status=0
wait "$checking" || status=$?
[ "$status" = 1 ] || die "exit $status instead of 1: $(cat "$scratch/output")"
shows '^WARNING  *sysctl-abort-on-overflow'
sysctl -qw net.ipv4.tcp_abort_on_overflow=0

echo "when the daemon cannot be asked: one line, exit 3"
refuses() {
  local because=$1
  shift
  run 3 "$tcpdiag" check "$@"
  [ "$(wc -l <"$scratch/error")" = 1 ] || die "not one line: $(cat "$scratch/error")"
  says "$scratch/error" "$because" || die "does not say '$because': $(cat "$scratch/error")"
  [ ! -s "$scratch/output" ] || die "it shows something all the same: $(cat "$scratch/output")"
}
refuses '^tcpdiag: 127.0.0.1:1: Connection refused' --url http://127.0.0.1:1
refuses '^tcpdiag: --url is "127.0.0.1:10180"; allowed: http://HOST:PORT or https://HOST:PORT$' --url 127.0.0.1:10180
refuses "^tcpdiag: no.such.host.invalid:80: " --url http://no.such.host.invalid
refuses '^tcpdiag: 127.0.0.1:10180: answers 404 to GET /x/api/v1/findings: Not found' --url $url/x
refuses '^tcpdiag: unknown flag "--urll"' --urll $url
refuses '^tcpdiag: --duration is "0"; allowed' --duration=0
kill -STOP "$daemon"
begun=$SECONDS
refuses '^tcpdiag: 127.0.0.1:10180: no answer in time' --url $url
[ $((SECONDS - begun)) -le 7 ] || die "it waited for $((SECONDS - begun)) s"
kill -CONT "$daemon"

echo "what is no tcpdiagd"
# serve TEXT: to one client
serve() { "$TCPDIAG_BUILD_DIR/tests/say" 10181 "$1" >"$scratch/heard" & started+=($!); }
stranger() {
  local because=$1
  serve "$2"
  within 5 listening || die "nobody listens"
  refuses "$because" --url http://127.0.0.1:10181
}
listening() { ss -Hltn 'sport = :10181' | grep -q .; }
stranger '^tcpdiag: 127.0.0.1:10181: the answer is not HTTP' 'SSH-2.0-OpenSSH_9.2\r\n'
stranger '^tcpdiag: 127.0.0.1:10181: no answer' ''
stranger '^tcpdiag: 127.0.0.1:10181: the answer ends early' 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{'
stranger '^tcpdiag: http://127.0.0.1:10181: answers, but not as tcpdiagd does: not JSON' 'HTTP/1.1 200 OK\r\n\r\n<html>'
stranger '^tcpdiag: http://127.0.0.1:10181: answers, but not as tcpdiagd does: generated_at: missing' 'HTTP/1.1 200 OK\r\n\r\n{}'
stranger "^tcpdiag: 127.0.0.1:10181: redirects to http://127.0.0.1:10181/: Connection refused" 'HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'
stop_daemon
