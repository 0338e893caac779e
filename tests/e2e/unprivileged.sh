#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# As nobody, with no capability at all, the daemon says what it can know and does not guess the rest; each capability
# of the documentation adds what it is said to add.
# Processes of others shall not be among those that it counts.
in_own_netns=(unshare --net --pid --fork --kill-child --mount-proc --)
source "$(dirname "$0")/harness.bash"

chmod 755 "$scratch"
install -m 755 "$tcpdiagd" "$scratch/tcpdiagd"

"$tcpdiagd" --web.listen-address=127.0.0.1:10181 2>"$scratch/of_root.log" &
started+=($!)
tcpdiagd=$scratch/tcpdiagd  # nobody may not be able to reach the build

# become_nobody [CAPABILITY...]: how the next daemon is started
become_nobody() {
  local set=-all capability
  for capability; do set+=,+$capability; done
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps="$set" --ambient-caps="$set" --bounding-set="$set")
}
works() {
  local series
  series=$(metrics | grep "^tcpdiag_collector_success{collector=\"$1\"") && [ "${series##* }" = 1 ]
}
owners_of() { metrics | grep -F "tcpdiag_listener_info{netns=\"host\",address=\"$1\",port=\"$2\",process=\""; }
cannot_tell() { sample_is "tcpdiag_finding_unknown{finding=\"$1\"}" "$2"; }
owner_known() { owners_of "$1" "$2" | grep -F "process=\"$3\"" >/dev/null; }
seconds_later() { awk -v now="$(sample tcpdiag_report_timestamp_seconds)" -v then="$2" -v after="$1" 'BEGIN { exit !(now - then > after) }'; }

echo "nobody, without capabilities"
become_nobody
start_daemon
ready
grep -q '^CapEff:[[:space:]]*0*$' "/proc/$daemon/status" || die "it has capabilities: $(grep Cap "/proc/$daemon/status")"
for collector in netstat sockstat softnet listeners connections sysctl processes file_handles self; do
  works "$collector" || die "$collector fails"
done
within 10 owner_known 127.0.0.1 10181 '' || die "the owner of root's listener: $(owners_of 127.0.0.1 10181)"
within 10 owner_known :: 10180 tcpdiagd || die "does not know its own listener: $(owners_of :: 10180)"
[ "$(metrics | grep -c '^tcpdiag_listener_info{.*port="10181"')" = 1 ] || die "more than one owner"
[ "$(sample tcpdiag_processes_unreadable)" -gt 0 ] || die "no process is unreadable"
# From Linux 6.2 on everybody may count descriptors. Before that, those of root's processes may be at their limit.
uncounted=0
[ "$(stat -c %s /proc/self/fd)" -gt 0 ] || uncounted=1
for finding in fd-limit-reached fd-limit-near; do
  within 10 cannot_tell "$finding" "$uncounted" || die "$finding is unknown: $(metrics | grep "finding_unknown.*$finding")"
done
sample_is tcpdiag_processes_hidden 0 || die "process 1 is hidden"
if [ "$(cat /proc/sys/kernel/dmesg_restrict)" = 0 ]; then
  works kernel_log || die "kernel_log fails, though everybody may read it"
else
  sample_is 'tcpdiag_collector_success{collector="kernel_log",netns=""}' 0 || die "kernel_log: $(metrics | grep kernel_log)"
  began=$(sample tcpdiag_report_timestamp_seconds)
  within 15 seconds_later 3 "$began" || die "the report stands still"
  [ "$(grep -c /dev/kmsg "$scratch/daemon.log")" = 1 ] || die "not one line about /dev/kmsg"
  ! metrics | grep '^tcpdiag_kernel_log_events_total' || die "it counts what it cannot read"
fi
stop_daemon

echo "with CAP_SYSLOG: the kernel log"
become_nobody syslog
start_daemon
ready
works kernel_log || die "kernel_log fails"
! says "$scratch/daemon.log" /dev/kmsg || die "complains about /dev/kmsg"
within 10 owner_known 127.0.0.1 10181 '' || die "the owner of root's listener: $(owners_of 127.0.0.1 10181)"
stop_daemon

echo "with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH: the owners of all listeners"
become_nobody sys_ptrace dac_read_search
start_daemon
ready
within 15 owner_known 127.0.0.1 10181 tcpdiagd || die "the owner of root's listener: $(owners_of 127.0.0.1 10181)"
! owner_known 127.0.0.1 10181 '' || die "known and unknown at once"
within 10 sample_is tcpdiag_processes_unreadable 0 || die "$(sample tcpdiag_processes_unreadable) processes are unreadable"
stop_daemon

echo "where /proc hides the processes of others: it cannot tell whether they are at their limit"
mount -o remount,hidepid=2 /proc
become_nobody
start_daemon
ready
for finding in fd-limit-reached fd-limit-near; do
  within 10 cannot_tell "$finding" 1 || die "$finding is told although processes are hidden"
done
sample_is tcpdiag_processes_hidden 1 || die "does not notice it"
curl -sf --max-time 5 http://127.0.0.1:10180/api/v1/findings |
  jq -e '.unknown[] | select(.id == "fd-limit-reached") | .in_part and (.why | startswith("/proc: ") and contains("CAP_SYS_PTRACE"))' >/dev/null ||
  die "does not say why: $(curl -s http://127.0.0.1:10180/api/v1/findings)"
stop_daemon
install -m 755 "$tcpdiag" "$scratch/tcpdiag"
# Its status depends on this host's settings, too: they may be worth a finding.
if timeout 60 "${as[@]}" "$scratch/tcpdiag" check --duration=2s >"$scratch/output"; then die "check says that all is well"; fi
tr -s ' \n' ' ' <"$scratch/output" | grep -q 'Cannot tell: [a-z, -]*fd-limit-reached[a-z, -]*: /proc: hides processes of other users' ||
  die "check: $(cat "$scratch/output")"

echo "with CAP_SYS_PTRACE: /proc hides nothing from it"
become_nobody sys_ptrace dac_read_search
start_daemon
ready
within 10 cannot_tell fd-limit-reached 0 || die "it cannot tell"
within 10 sample_is tcpdiag_processes_hidden 0 || die "processes are hidden"
stop_daemon
