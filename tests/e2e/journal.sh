#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What becomes of a finding is told once: to the journal where standard error goes there, otherwise in the log. A journal
# that does not answer keeps nobody waiting.
# A /run of its own, with a journal of the test in it.
in_own_netns=(unshare --net --mount --pid --fork --kill-child --mount-proc --)
source "$(dirname "$0")/harness.bash"

mount -t tmpfs tcpdiag-e2e /run
mkdir -p /run/systemd/journal
socket=/run/systemd/journal/socket
entries=$scratch/entries log=$scratch/daemon.log
ip link add nowhere type veth peer name end
ip link set end up
ip link set nowhere arp off up
ip address add 192.0.2.1/24 dev nowhere

# start_journal [deaf]
start_journal() {
  rm -f "$socket"
  "$TCPDIAG_BUILD_DIR/tests/fake_journal" "$socket" "$@" >"$entries" &
  journal=$!
  started+=("$journal")
  within 5 test -S "$socket" || die "no journal"
}
# start_as_service: standard error is what the journal is said to be behind
start_as_service() {
  : >"$log"
  as=(env "JOURNAL_STREAM=$(stat -c %d:%i "$log")")
  start_daemon
  ready
}
start_flood() {
  "$TCPDIAG_BUILD_DIR/tests/syn_flood" 192.0.2.1 10180 2000 2>"$scratch/flood.log" &
  flood=$!
  started+=("$flood")
}
end() { { kill -KILL "$1"; wait "$1"; } 2>/dev/null || true; }
has() { says "$1" "$2" || die "$1 does not say '$2': $(cat "$1")"; }
count() { grep -c -- "$2" "$1" || true; }
one() { [ "$(count "$1" "$2")" = 1 ] || die "not once '$2': $(cat "$1")"; }
none() { [ "$(count "$1" "$2")" = 0 ] || die "'$2': $(cat "$1")"; }
# entry EVENT: of the flood; the machine may be in other trouble. Entries are parted by blank lines.
entry() { awk -v RS= "/TCPDIAG_EVENT=$1/ && /TCPDIAG_FINDING=syn-flood-suspected/" "$entries"; }
told() { [ -n "$(entry "$1")" ]; }
told_once() { [ "$(entry "$1" | grep -c '^TCPDIAG_EVENT=')" = 1 ] || die "not once $1: $(cat "$entries")"; }

echo "as a service: a finding appears and goes, each is one entry"
start_journal
start_as_service
start_flood
within 15 told opened || die "no entry: $(cat "$entries" "$log")"
entry opened >"$scratch/opened"
has "$scratch/opened" '^MESSAGE=opened: .*SYNs that are never followed up: [0-9]* SYN cookies'
has "$scratch/opened" '^MESSAGE_ID=[0-9a-f]\{32\}$'
has "$scratch/opened" '^PRIORITY=2$'
has "$scratch/opened" '^SYSLOG_IDENTIFIER=tcpdiagd$'
has "$scratch/opened" '^TCPDIAG_FINDING=syn-flood-suspected$'
has "$scratch/opened" '^TCPDIAG_SEVERITY=critical$'
has "$scratch/opened" '^TCPDIAG_NETNS=host$'
has "$scratch/opened" '^TCPDIAG_SUBJECT=\[::\]:10180$'
has "$scratch/opened" '^TCPDIAG_SUBJECT_KIND=listener$'
sed -n 's/^TCPDIAG_JSON=//p' "$scratch/opened" | jq -e '.id == "syn-flood-suspected" and .bites.value >= 128' >/dev/null ||
  die "no JSON: $(cat "$scratch/opened")"
end "$flood"
within 90 told closed || die "it does not end: $(cat "$entries")"
told_once opened
told_once closed
entry closed >"$scratch/closed"
has "$scratch/closed" '^MESSAGE=closed after [0-9]* s; it was: '
has "$scratch/closed" '^PRIORITY=5$'
has "$entries" '^MESSAGE=started version='
has "$entries" '^TCPDIAG_VERSION='
[ ! -s "$log" ] || die "told twice: $(cat "$log")"
end "$journal"

echo "the journal is started anew"
start_journal
start_flood
within 15 told opened || die "no entry: $(cat "$entries" "$log")"
none "$log" finding=
stop_daemon
end "$journal"
end "$flood"

echo "the journal is deaf: a line of the log instead, and nobody waits"
start_journal deaf
start_as_service
start_flood
within 15 says "$log" 'event=opened finding=syn-flood-suspected' || die "nothing: $(cat "$log")"
one "$log" 'the journal takes no entries; findings are logged as lines instead'
one "$log" 'event=opened finding=syn-flood-suspected'
began=$(sample tcpdiag_report_timestamp_seconds)
later() { awk -v now="$(sample tcpdiag_report_timestamp_seconds)" -v then="$began" 'BEGIN { exit !(now - then > 2) }'; }
within 6 later || die "the report stands still"
stop_daemon
end "$journal"
end "$flood"

echo "no service: a line of the log, though there is a journal"
start_journal
as=(env "JOURNAL_STREAM=1:1")
start_daemon --log.format=json
ready
start_flood
opened() { grep '"event":"opened"' "$log" | grep '"syn-flood-suspected"'; }
within 15 opened >/dev/null || die "nothing: $(cat "$log")"
opened | jq -e '.level == "error" and .finding == "syn-flood-suspected" and
  .subject == "[::]:10180" and .json.severity == "critical"' >/dev/null || die "$(cat "$log")"
[ "$(opened | wc -l)" = 1 ] || die "not once: $(cat "$log")"
[ ! -s "$entries" ] || die "told twice: $(cat "$entries")"
stop_daemon
