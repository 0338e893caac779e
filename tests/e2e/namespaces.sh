#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Network namespaces that are found: a machine of its own (process 1, /run) with one that has a name and a stuck server
# in it, and others that come and go.
in_own_netns=(unshare --net --pid --fork --kill-child --mount-proc --)
source "$(dirname "$0")/harness.bash"
mount -t tmpfs tmpfs /run  # the namespaces' names

api=http://127.0.0.1:10180/api/v1
shows() { grep -qE -- "$1" "$scratch/output" || die "no line like $1: $(cat "$scratch/output")"; }
hides() { ! grep -qE -- "$1" "$scratch/output" || die "a line like $1: $(cat "$scratch/output")"; }

# A server in the namespace shop whose queue of 5 is full: a second daemon, stopped by SIGSTOP.
ip netns add shop
in_shop() { nsenter --net=/run/netns/shop "$@"; }
in_shop ip link set lo up
in_shop sysctl -qw net.core.somaxconn=4
nsenter --net=/run/netns/shop "$tcpdiagd" --web.listen-address=127.0.0.1:10181 2>"$scratch/stuck.log" &
stuck=$!
started+=("$stuck")
in_shop_answers() { in_shop curl -s -o /dev/null --max-time 5 http://127.0.0.1:10181/-/ready; }
within 15 in_shop_answers || die "the server does not start: $(cat "$scratch/stuck.log")"

echo "the namespaces of the machine are listed, with what is in them"
run 0 "$tcpdiag" namespaces
shows '^NAME +KIND +PID +PROCS +LISTENERS +CONNS +WORST FINDING$'
shows '^host +host '
shows "^shop +named +$stuck +2 +1 +[0-9]+ +warning sysctl-somaxconn-low$"
run 0 "$tcpdiag" namespaces --json --duration=1s
[ "$(jq -c '[.namespaces[] | [.name, .kind, .state]]' "$scratch/output")" = \
  '[["host","host","watched"],["shop","named","watched"]]' ] ||
  die "the namespaces in JSON: $(cat "$scratch/output")"
run 0 "$tcpdiag" listeners
shows '^shop +127\.0\.0\.1:10181 +0/4 '
run 0 "$tcpdiag" listeners --netns=host
hides 'shop'
for name in shop 'sh*' /run/netns/shop; do
  run 0 "$tcpdiag" listeners --netns="$name"
  shows '^127\.0\.0\.1:10181 +0/4 '
done
run 0 "$tcpdiag" fds
shows "^shop +$stuck +"
run 0 "$tcpdiag" fds --netns=shop
[ "$(grep -cE '^[a-z]+ +[0-9]+ ' "$scratch/output")" = 1 ] || die "others than those of shop: $(cat "$scratch/output")"
run 0 "$tcpdiag" sysctl --netns=shop
hides 'net.core.netdev_max_backlog'
run 0 "$tcpdiag" record --netns=shop --duration=500ms "$scratch/recording"
run 0 "$tcpdiag" replay "$scratch/recording"
[ "$(jq -c '[.namespaces[] | select(.name == "shop").listeners.endpoints[].port]' "$scratch/output")" = '[10181]' ] ||
  die "the recording of shop: $(jq -c '.namespaces[]' "$scratch/output" | cut -c1-300)"
run 2 "$tcpdiag" connections --netns=shpo
grep -q 'no network namespace is called "shpo"; there is "shop"; ' "$scratch/error" || die "$(cat "$scratch/error")"

echo "whoever may not enter them is told so, and that nothing is known of them"
without_it=(setpriv --bounding-set=-sys_admin --)
run 0 "${without_it[@]}" "$tcpdiag" namespaces
shows "^shop +named +$stuck +2 +\? +\? +may not be entered$"
run 3 "${without_it[@]}" "$tcpdiag" check --duration=2s --brief
shows '^Not looked into: 1 namespace that may not be entered \(shop\)\.$'
run 1 "${without_it[@]}" "$tcpdiag" listeners --netns=shop
chmod 755 "$scratch"
install -m 755 "$tcpdiag" "$scratch/tcpdiag"  # nobody may not be able to reach the build
run 0 setpriv --reuid=65534 --regid=65534 --clear-groups -- "$scratch/tcpdiag" namespaces
shows '^host +host '

echo "a daemon watches what it finds, and names it"
start_daemon
ready
watches() { sample_is tcpdiag_netns_watched "$1"; }
within 15 watches 2 || die "shop is not watched: $(metrics | grep netns)"
page_shows '^tcpdiag_netns_info{netns="shop",kind="named",' || die "no info: $(grep netns_info "$scratch/page")"
page_shows '^tcpdiag_listener_queue_limit{netns="shop",address="127.0.0.1",port="10181"} 4$' || die "no queue of shop"

echo "a queue that stands full in it is an incident of it"
kill -STOP "$stuck"
holds() { [ "$(in_shop ss -Hltn sport = :10181 | awk '{ print $2 }')" = "$1" ]; }
for waiting in 1 2 3 4 5 5 5; do
  in_shop curl -s --max-time 60 -o /dev/null http://127.0.0.1:10181/ &
  started+=($!)
  within 15 holds "$waiting" || die "the queue does not hold $waiting: $(in_shop ss -tan)"
done
is_found() {
  curl -sf --max-time 5 $api/findings |
    jq -e '.findings[] | select(.id == "accept-queue-app-stalled" and .netns == "shop" and .subject.port == 10181)'
}
within 15 is_found >/dev/null || die "not found: $(curl -s $api/findings)"
run 2 "$tcpdiag" check --brief --duration=7s
shows 'shop'
run 0 "$tcpdiag" check --brief --duration=3s --netns=host
hides 'shop'

echo "a recording has it, too, and its replay says the same"
run 0 "$tcpdiag" record --duration=8 "$scratch/of_all"
"$tcpdiag" replay --format=metrics "$scratch/of_all" >"$scratch/output" 2>"$scratch/error" || die "no replay: $(cat "$scratch/error")"
shows '^tcpdiag_finding_active\{finding="accept-queue-app-stalled",severity="critical",netns="shop",subject="127\.0\.0\.1:10181"\} 1$'
run 0 "$tcpdiag" namespaces
shows "^shop +named +$stuck +[0-9]+ +1 +[0-9]+ +critical accept-queue-app-stalled$"
run 0 "$tcpdiag" namespaces --url=http://127.0.0.1:10180
shows "^shop +named +$stuck +[0-9]+ +1 +[0-9]+ +critical accept-queue-app-stalled$"
page_of() { curl -sf --max-time 5 "http://127.0.0.1:10180/?netns=$1" >"$scratch/output"; }
page_of s%68op || die "shop has no page"
shows 'id="accept-queue-app-stalled"'
page_of host || die "the host has no page"
hides 'accept-queue-app-stalled'
[ "$(status_of 'http://127.0.0.1:10180/?netns=nothing')" = 404 ] || die "a namespace that is not there has a page"
kill -CONT "$stuck"

echo "what is excluded is listed, and nothing else is said of it; a reload takes it back"
stop_daemon
echo '{"netns_exclude": ["sh*"]}' >"$scratch/netns.json"
start_daemon --config.file="$scratch/netns.json"
ready
within 15 page_shows '^tcpdiag_netns_info{netns="shop",' || die "shop is not listed"
[ "$(grep -c 'netns="shop"' "$scratch/page")" = 1 ] || die "more of shop: $(grep 'netns="shop"' "$scratch/page" | head -3)"
run 0 "$tcpdiag" namespaces --url=http://127.0.0.1:10180
shows '^shop +named .* \? +\? +excluded$'
run 0 "$tcpdiag" check --brief --url=http://127.0.0.1:10180
shows '^Not looked into: 1 namespace excluded by the configuration \(shop\)\.$'
echo '{"netns_include": ["sh\"p"]}' >"$scratch/netns.json"
kill -HUP "$daemon"
within 5 grep -q 'netns_include is .*allowed: .*a pattern' "$scratch/daemon.log" || die "no word about a bad pattern"
echo '{}' >"$scratch/netns.json"
kill -HUP "$daemon"
within 15 watches 2 || die "shop is not watched again: $(metrics | grep netns)"

echo "namespaces that come and go leave nothing behind"
open_files() { ls "/proc/$daemon/fd" | wc -l; }
threads() { ls "/proc/$daemon/task" | wc -l; }
# What is open in the two namespaces when all collectors have run.
settled() { [ "$(metrics | grep -c '^tcpdiag_collector_age_seconds{.*netns="shop"')" = 7 ]; }
within 30 settled || die "not every collector has run in shop: $(metrics | grep collector_age)"
files_before=$(open_files)
threads_before=$(threads)
for _ in 1 2; do
  visitors=()
  for _ in $(seq 10); do
    unshare --net sleep 60 &
    visitors+=($!)
    started+=($!)
  done
  within 15 watches 12 || die "ten more are not watched: $(metrics | grep '^tcpdiag_netns')"
  kill -KILL "${visitors[@]}"
  wait "${visitors[@]}" 2>/dev/null || true
  within 15 watches 2 || die "ten that are gone are watched: $(metrics | grep '^tcpdiag_netns')"
done
as_before() { [ "$(open_files)" -le "$files_before" ] && [ "$(threads)" = "$threads_before" ]; }
within 15 as_before || die "$(open_files) open files and $(threads) threads, were $files_before and $threads_before"
! page_shows 'netns="netns ' || die "series of namespaces that are gone: $(grep 'netns="netns ' "$scratch/page" | head -3)"

echo "one that is gone is gone, and another one of its name is another one"
kill -KILL "$stuck"
wait "$stuck" 2>/dev/null || true
ip netns del shop
within 15 watches 1 || die "shop is still watched"
ip netns add shop
within 15 watches 2 || die "the new shop is not watched"

echo "a hostile name is harmless wherever it is shown"
hostile=$'x;\e[31m<b>"\xff*'
ip netns add "$hostile"
within 15 watches 3 || die "the hostile one is not watched: $(metrics | grep '^tcpdiag_netns')"
run 0 "$tcpdiag" namespaces --url=http://127.0.0.1:10180
shows '^x;.*<b>'
hides $'\e'
name=$(curl -sf http://127.0.0.1:10180/api/v1/namespaces | jq -r '.namespaces[-1].name')
run 0 "$tcpdiag" listeners --netns="$name"
page_of "$(jq -rn --arg name "$name" '$name | @uri')" || die "$name has no page"
hides '<b>'
curl -sf http://127.0.0.1:10180/ >"$scratch/output"
hides '<b>|'$'\e'

echo "the daemon may not enter them itself: a child may, and nothing else; stopped or killed, it costs what only it can open"
doorkeeper=$(pgrep -P "$daemon")
started+=("$doorkeeper")
effective() { sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$1/status"; }
[ $((0x$(effective "$doorkeeper"))) = $((1 << 21)) ] || die "the child has $(effective "$doorkeeper")"
[ $((0x$(effective "$daemon") & 1 << 21)) = 0 ] || die "the daemon has $(effective "$daemon")"
of() { page_shows "^tcpdiag_collector_success{collector=\"$2\",netns=\"$1\"} $3\$"; }
appears() { ip netns add "$1" && { nsenter --net="/run/netns/$1" sleep 600 & started+=($!); }; }
within 15 of shop listeners 1 || die "not seen: $(grep shop "$scratch/page")"
kill -STOP "$doorkeeper"
appears first
within 15 of first netstat 1 || die "no counters while it hangs: $(grep first "$scratch/page")"
of first listeners 0 || die "its listeners are known"
of shop listeners 1 || die "what is open is lost"
kill -CONT "$doorkeeper"
within 30 of first listeners 1 || die "not seen when it goes on"
kill -KILL "$doorkeeper"
appears second
within 15 of second netstat 1 || die "no counters without it: $(grep second "$scratch/page")"
of second listeners 0 || die "its listeners are known"
of first listeners 1 || die "what is open is lost"
says "$scratch/daemon.log" 'error="tcpdiagd-netns has ended' || die "it is not said why"
stop_daemon
