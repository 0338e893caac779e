#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Beside 40 000 sockets the daemon counts right, keeps its ticks and its budget, and stops in time.
in_own_netns=("$TCPDIAG_BUILD_DIR/tests/crowd" 40000 10)
source "$(dirname "$0")/harness.bash"

# The daemon's own port is left out of every count: asking it changes them.
others='not ( sport = :10180 or dport = :10180 )'
sum_of() { metrics | awk -v want="^tcpdiag_connections\\\\{.*$1.*\\\\}" '$1 ~ want && !/port="10180"/ { sum += $2 } END { print sum + 0 }'; }
by_ss() { ss -Htan "$@" | wc -l; }
agree() {  # on the sockets of a state, and one that serves a port
  counted="$(sum_of 'state="established"') $(sum_of 'state="time_wait"') $(sum_of 'role="server",port="2000",state="established"')"
  seen="$(by_ss state established "$others") $(by_ss state time-wait "$others") $(by_ss state established sport = :2000)"
  [ "$counted" = "$seen" ]
}
queues_agree() {
  counted=$(metrics | sed -n 's/^tcpdiag_listener_queue_length{.*,port="\([0-9]*\)"} \(.*\)/\1 \2/p' | grep -v ^10180 | sort)
  seen=$(ss -Htln "$others" | awk '{ port = $4; sub(/.*:/, "", port); print port, $2 }' | sort)
  [ "$counted" = "$seen" ]
}
unaccepted_agree() {
  counted=$(metrics | sed -n 's/^tcpdiag_connections_unaccepted{netns="host",port="\([0-9]*\)"} \(.*\)/\1 \2/p' | grep -v ^10180 | sort)
  [ "$counted" = "$(ss -Htln "$others" | awk '{ port = $4; sub(/.*:/, "", port); print port, $2 }' | sort)" ]
}
period() { sample 'tcpdiag_collector_period_seconds{collector="connections",netns="host"}'; }
above() { awk -v value="$1" -v least="$2" 'BEGIN { exit !(value > least) }'; }

echo "the counts are those of ss"
start_daemon --cpu-budget=1
ready
began=${EPOCHREALTIME/./}
[ "$(by_ss)" -gt 20000 ] || die "only $(by_ss) sockets"
within 15 agree || die "counted $counted, ss saw $seen"
within 5 queues_agree || die "queues: $counted, ss saw $seen"
within 10 unaccepted_agree || die "not accepted: $counted, ss saw $seen"
seen_by_ss=$(by_ss) seen=$(sample 'tcpdiag_sockets_seen{netns="host"}')
[ $((seen - seen_by_ss)) -lt 100 ] && [ $((seen_by_ss - seen)) -lt 100 ] || die "$seen sockets, ss saw $seen_by_ss"
sample_is 'tcpdiag_collector_period_seconds{collector="connections",netns="host"}' 4 || die "period: $(period)"
passed() { ticks=$(((${EPOCHREALTIME/./} - began) / 100000)) && [ "$ticks" -ge 60 ]; }
within 10 passed  # with at least one more dump
late=$(sample tcpdiag_loop_late_ticks_total)
echo "$late of at least $ticks ticks late"
# Other programs may keep this one from running; the dumps must not.
[ "$late" -le $((ticks / 5 + 5)) ] || die "$late of $ticks ticks were late"

echo "SIGTERM stops it in the middle of a dump"
worker=$(grep -lx worker "/proc/$daemon/task/"*/comm)
worker=${worker%/comm}
works_now() { local state; read -r _ _ state _ <"$worker/stat" && [ "$state" = R ]; }
spin_until() {  # within() with its pauses would miss it
  local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
  shift
  until "$@"; do [ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1; done
}
spin_until 10 works_now || die "the worker does not work"
stop_daemon

echo "a small budget stretches the period, for all to see"
start_daemon --cpu-budget=0.0005
ready
stretched() { above "$(period)" 10; }
within 10 stretched || die "the period is still $(period) s"
[ "$(sample 'tcpdiag_collector_success{collector="connections",netns="host"}')" = 1 ] || die "connections fails"
[ "$(sum_of 'state="established"')" -gt 20000 ] || die "only $(sum_of 'state="established"') connections"
stop_daemon
