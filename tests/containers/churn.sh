#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# churn.sh [SECONDS [RATE]]: containers that come and go, five a second for a minute: none is taken for another, the
# daemon's loop keeps its pace, and nothing of them is left. Ten minutes: 600. Ten thousand: 500 20.
source "$(dirname "$0")/harness.bash"
needs_programs python3
seconds=${1:-60} rate=${2:-5}

start_daemon_as_root
ready
open_files() { ls "/proc/$daemon/fd" | wc -l; }
threads() { ls "/proc/$daemon/task" | wc -l; }
memory() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$daemon/status"; }
churn() {
  nice python3 "$here/churn.py" "$1" "$2" "$groups" http://127.0.0.1:10180/metrics >"$scratch/churn" 2>"$scratch/wrong" ||
    die "$(cat "$scratch/churn" "$scratch/wrong")"
}
alone() { sample_is tcpdiag_netns_found 1 && sample_is tcpdiag_netns_watched 1; }
only_host() { metrics >"$scratch/page" && ! grep -E 'netns="[^"]+"' "$scratch/page" | grep -v 'netns="host"' >"$scratch/left"; }

# What is opened once, with the first ones, is open.
churn 3 10
within 15 alone || die "still there: $(metrics | grep ^tcpdiag_netns)"
within 15 only_host || die "series that are left: $(head -5 "$scratch/left")"
files_before=$(open_files) threads_before=$(threads) memory_before=$(memory) late_before=$(sample tcpdiag_loop_late_ticks_total)

# How often the machine lets a program sleep 100 ms too long, and more where it is overloaded.
python3 -u - >"$scratch/late" <<'PYTHON' &
import time
late = 0
while True:
    begin = time.monotonic()
    time.sleep(0.1)
    late += time.monotonic() - begin > 0.2
    print(late)
PYTHON
sleeper=$!
started+=("$sleeper")

echo "$rate containers a second for $seconds s"
churn "$seconds" "$rate"
cat "$scratch/churn"
late=$(($(sample tcpdiag_loop_late_ticks_total) - late_before))
machine_late=$(tail -n 1 "$scratch/late")
kill -KILL "$sleeper"
wait "$sleeper" 2>/dev/null || true

echo "nothing is left of them"
within 15 alone || die "still there: $(metrics | grep ^tcpdiag_netns)"
within 15 only_host || die "series that are left: $(head -5 "$scratch/left")"
as_before() { [ "$(open_files)" = "$files_before" ] && [ "$(threads)" = "$threads_before" ]; }
within 15 as_before || die "$(open_files) open files and $(threads) threads, were $files_before and $threads_before: $(ls -l "/proc/$daemon/fd")"
echo "$files_before open files, $threads_before threads, $memory_before kB and then $(memory) kB"
# A tick may have to wait for both cores where the other tests of the stage run as well.
echo "$late ticks came late, and $machine_late where nothing was done"
[ "$late" -le $((machine_late + seconds / 20)) ] || die "$late ticks came late"
stop_daemon
