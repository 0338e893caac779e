#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `tcpdiag record` beside a listener that is stuck; `tcpdiag replay` then says what the daemon said, also of what is
# left of a damaged recording.
# The stuck listener is a second daemon that is stopped by SIGSTOP: it accepts nobody.
in_own_netns=(unshare --net --pid --fork --kill-child --mount-proc --)
source "$(dirname "$0")/harness.bash"

queue='.namespaces[0].listeners.endpoints[] | select(.port == 10181).sockets[0]'
# What must be equal: overflows and drops of the namespace, and the stuck listener's queue.
signs="[.namespaces[0].tcp.listen_overflows, .namespaces[0].tcp.listen_drops,
        ($queue | .queue_length, .queue_limit, .drops)]"
live() { curl -sf --max-time 5 http://127.0.0.1:10180/api/v1/report | jq -c "$1"; }
replayed() { "$tcpdiag" replay "$1" 2>"$scratch/error" | jq -c "$2"; }
failing='[.collectors[] | select(.success | not).name]'
expect() { [ "$1" = "$2" ] || die "$3: $1 instead of $2"; }

start_daemon
echo 4 >/proc/sys/net/core/somaxconn
echo 1 >/proc/sys/net/ipv4/tcp_synack_retries  # whoever is not let in is given up after three seconds
"$tcpdiagd" --web.listen-address=127.0.0.1:10181 2>"$scratch/stuck.log" &
stuck=$!
started+=("$stuck")
ready
within 15 answers http://127.0.0.1:10181/-/ready || die "the second daemon does not start"
kill -STOP "$stuck"

echo "record, while clients find the queue full"
recording=$scratch/recording
"$tcpdiag" record --duration=600 "$recording" 2>"$scratch/record.log" &
recorder=$!
started+=("$recorder")
begun() { [ -s "$recording/ticks" ]; }
within 15 begun || die "no recording: $(cat "$scratch/record.log")"
clients=()
for _ in $(seq 12); do
  curl -s --max-time 60 -o /dev/null http://127.0.0.1:10181/ &
  clients+=($!)
done
started+=("${clients[@]}")
overflows() { [ "$(live "$queue.queue_length")" = 5 ] && [ "$(live '.namespaces[0].tcp.listen_overflows')" -ge 7 ]; }
within 15 overflows || die "no overflow: $(live "$signs")"
{ kill -KILL "${clients[@]}"; wait "${clients[@]}"; } 2>/dev/null || true
# A client that is gone sends its FIN until the kernel has given up what it answers, and each one is an overflow.
unfinished=(state syn-sent state syn-recv state fin-wait-1)
quiet() { [ -z "$(ss -Htan "${unfinished[@]}")" ]; }
within 15 quiet || die "somebody still connects: $(ss -Htan "${unfinished[@]}")"
by_kernel=$(nstat -asz TcpExtListenOverflows | awk '$1 == "TcpExtListenOverflows" { print $2 }')
live_is_up_to_date() { [ "$(live '.namespaces[0].tcp.listen_overflows')" = "$by_kernel" ]; }
within 10 live_is_up_to_date || die "$(live "$signs") instead of $by_kernel overflows"
live_now=$(live "$signs")

echo "an unfinished recording can be replayed, and SIGINT leaves a whole one"
same_as_live() { [ "$(replayed "$recording" "$signs")" = "$live_now" ]; }
within 15 same_as_live || die "$(replayed "$recording" "$signs") instead of $live_now: $(cat "$scratch/error")"
# The tick before the last has to say the same, because the last one is cut off below.
damage() { rm -rf "$scratch/damaged" && cp -r "$recording" "$scratch/damaged"; }
cut_last_tick() { damage && truncate -s -3 "$scratch/damaged/ticks"; }
last_two_are_equal() { cut_last_tick && [ "$(replayed "$scratch/damaged" "$signs")" = "$live_now" ]; }
within 15 last_two_are_equal || die "the tick before the last: $(replayed "$scratch/damaged" "$signs") instead of $live_now"
kill -INT "$recorder"
within 1 gone "$recorder" || die "still recording a second after SIGINT"
wait "$recorder" || die "record: exit $?: $(cat "$scratch/record.log")"
expect "$(replayed "$recording" "$signs")" "$live_now" "the whole recording"
expect "$(replayed "$recording" "$queue.queue_limit")" 4 "the queue's limit"
expect "$(replayed "$recording" "$failing")" "$(live "$failing")" "collectors that fail"
"$tcpdiag" replay --format=metrics "$recording" >"$scratch/page"
grep -qx "tcpdiag_tcp_listen_overflows_total{netns=\"host\"} $by_kernel" "$scratch/page" || die "no metrics"

echo "a damaged recording: what is damaged is an error, the rest is there"
kernel_log_too=$(live "$failing" | grep -o '"kernel_log"' || true)
only_fails() { expect "$(replayed "$scratch/damaged" "$failing")" "[$1${kernel_log_too:+,$kernel_log_too}]" "collectors that fail"; }
cut_last_tick
expect "$(replayed "$scratch/damaged" "$signs")" "$live_now" "its last tick cut off"
damage
find "$scratch/damaged" -path '*/proc/net/netstat' -exec truncate -s 1000 {} +
only_fails '"netstat"'
expect "$(replayed "$scratch/damaged" "$queue.queue_limit")" 4 "the queue's limit"
damage
find "$scratch/damaged" -path '*/sock_diag/*' -exec truncate -s -7 {} +
only_fails '"listeners","connections"'
expect "$(replayed "$scratch/damaged" '.namespaces[0].tcp.listen_overflows')" "$by_kernel" "overflows"
damage
find "$scratch/damaged" -path '*/proc/net/softnet_stat' -exec cp "$tcpdiag" {} \;
only_fails '"softnet"'
expect "$(replayed "$scratch/damaged" "$signs")" "$live_now" "beside a garbled file"

echo "what is no recording: one line that names it, exit 1"
refuses() {
  run 1 "$tcpdiag" replay "$1"
  [ "$(wc -l <"$scratch/error")" = 1 ] || die "not one line: $(cat "$scratch/error")"
  says "$scratch/error" "$1" || die "does not name $1: $(cat "$scratch/error")"
  [ ! -s "$scratch/output" ] || die "it shows something all the same"
}
mkdir "$scratch/empty"
refuses "$scratch/empty"
refuses "$scratch/nowhere"
refuses "$tcpdiag"
damage
head -c 1000 "$tcpdiag" >"$scratch/damaged/about"
refuses "$scratch/damaged"
damage
head -c 1000 "$tcpdiag" >"$scratch/damaged/ticks"
refuses "$scratch/damaged"
run 1 "$tcpdiag" record --duration=1 "$recording"
says "$scratch/error" "$recording" || die "does not name the directory that is not empty: $(cat "$scratch/error")"

echo "root's recording is for root alone, and not written where somebody else could lead it elsewhere"
expect "$(find "$recording" -perm /077)" "" "what others may read or write"
mkdir "$scratch/foreign" && chown 65534 "$scratch/foreign"
ln -s "$scratch/precious" "$scratch/foreign/ticks" && ln -s "$scratch/empty" "$scratch/elsewhere"
run 1 "$tcpdiag" record --duration=1 "$scratch/foreign"
says "$scratch/error" "$scratch/foreign: belongs to user 65534" || die "does not say whose it is: $(cat "$scratch/error")"
run 1 "$tcpdiag" record --duration=1 "$scratch/elsewhere"
says "$scratch/error" "$scratch/elsewhere: a link" || die "does not say that it is a link: $(cat "$scratch/error")"
[ ! -e "$scratch/precious" ] && [ -z "$(ls -A "$scratch/empty")" ] || die "a link was followed"

echo "a full disk: one line that names the path, exit 1, and what was written can be replayed"
mkdir "$scratch/disk"
mount -t tmpfs -o size=2m tcpdiag-e2e "$scratch/disk"  # in the mount namespace of this test, gone with it
"$tcpdiag" record --duration=600 "$scratch/disk/recording" 2>"$scratch/error" &
recorder=$!
started+=("$recorder")
some_ticks() { [ -s "$scratch/disk/recording/ticks" ] && [ "$(wc -l <"$scratch/disk/recording/ticks")" -gt 10 ]; }
within 15 some_ticks || die "no recording: $(cat "$scratch/error")"
head -c 3M /dev/zero >"$scratch/disk/the_rest" 2>/dev/null && die "the disk is not full"
metrics_change_and_it_ends() { metrics >/dev/null && gone "$recorder"; }
within 15 metrics_change_and_it_ends || die "it records on a full disk"
status=0
wait "$recorder" || status=$?
expect "$status" 1 "exit status: $(cat "$scratch/error")"
[ "$(wc -l <"$scratch/error")" = 1 ] || die "not one line: $(cat "$scratch/error")"
says "$scratch/error" "$scratch/disk/recording.*No space left" || die "does not say so: $(cat "$scratch/error")"
expect "$(replayed "$scratch/disk/recording" "$signs")" "$live_now" "what was written"
umount "$scratch/disk"
