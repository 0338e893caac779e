#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `ip netns` and systemd-nspawn: a stuck server in a namespace that was given a name, and one in a container with a cable
# to the host, are found under the names that people gave them.
source "$(dirname "$0")/harness.bash"
needs_programs python3 jq systemd-nspawn

ip netns add blue
ip -n blue link set lo up
ip netns exec blue python3 "$here/stuck.py" 8081 4 &
server=$!
started+=($!)

# As systemd-nspawn@my-web.service, which systemd calls so; the container's own groups are inside of that.
root=$scratch/root unit='machine.slice/systemd-nspawn@my\x2dweb.service'
mkdir -p "$root"/{usr,etc,tmp,proc,sys,dev,run,var,tests}
ln -s usr/{bin,sbin,lib,lib64} "$root"
: >"$root/etc/os-release"
run_in_group "$unit" \
  systemd-nspawn --quiet --directory="$root" --machine=my-web --register=no --keep-unit --network-veth --console=pipe \
  --bind-ro=/usr --bind-ro="$here:/tests" python3 /tests/stuck.py 8082 4 </dev/null >"$scratch/nspawn.log" 2>&1
nspawn=$process
inside() { inner=$(pgrep -P "$nspawn" -f 'stuck.py 8082') && [ -n "$(nsenter -t "$inner" -n ss -Hltn sport = :8082)" ]; }
within 15 inside || die "the container does not start"
in_my_web() { nsenter -t "$inner" -n "$@"; }
in_my_web ip addr add 10.8.0.2/24 dev host0
in_my_web ip link set host0 up
ip addr add 10.8.0.1/24 dev ve-my-web
ip link set ve-my-web up

echo "both are found by name"
run 0 "$tcpdiag" namespaces --json
[ "$(jq -c '[.namespaces[] | [.name, .kind]]' "$scratch/output")" = \
  '[["host","host"],["blue","named"],["my-web","nspawn"]]' ] || die "the namespaces: $(cat "$scratch/output")"
start_daemon_as_service
ready
watched() { sample_is tcpdiag_netns_watched "$1"; }
within 15 watched 3 || die "not all are watched: $(metrics | grep ^tcpdiag_netns)"
page_shows '^tcpdiag_netns_info{netns="my-web",kind="nspawn",container="my-web",' || die "my-web: $(grep netns_info "$scratch/page")"

echo "a stuck server in each is an incident of it, and clients on the host follow from that"
python3 "$here/customers.py" 4 10.8.0.2:8082 &
started+=($!)
stalled() { found ".id == \"accept-queue-app-stalled\" and .netns == \"$1\" and .subject.port == $2"; }
within 15 stalled blue 8081 || die "not found in blue: $(findings)"
within 15 stalled my-web 8082 || die "not found in my-web: $(findings)"
follows() { found '.netns == "my-web" and (.consequences | index("syn-sent-unanswered"))'; }
within 20 follows || die "the host's clients do not follow from it: $(findings)"
not_found '.netns == "host"' || die "something else is found on the host: $(findings)"
run 2 "$tcpdiag" check --duration=7s
says "$scratch/output" 'in my-web' && says "$scratch/output" 'in blue' || die "check: $(cat "$scratch/output")"
! grep 'netns=host' "$scratch/daemon.log" | grep -vF 'That is this host itself (container my-web, port 8082)' || die "blamed somebody else"

echo "of both nothing is left when they are gone"
kill -KILL "$server" "$inner"
wait "$server" "$nspawn" 2>/dev/null || true
ip netns del blue
within 15 watched 1 || die "still watched: $(metrics | grep ^tcpdiag_netns)"
nothing_left() { metrics >"$scratch/page" && ! grep -E 'netns="(blue|my-web)"' "$scratch/page" >"$scratch/left"; }
within 20 nothing_left || die "series are left: $(head -3 "$scratch/left")"
stop_daemon
