#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# gunicorn in a Docker container on the default bridge, overloaded by its published port and from another container: the
# daemon of the host and a check as root name its accept queue, and blame nobody else. What the finding advises is done,
# and it is over.
source "$(dirname "$0")/harness.bash"
needs_programs dockerd docker containerd runc iptables python3 gunicorn jq

echo "{}" >"$scratch/docker.json"
dockerd --config-file="$scratch/docker.json" --host="$DOCKER_HOST" --storage-driver="$(storage_driver overlay2)" \
  >"$scratch/dockerd.log" 2>&1 &
started+=($!)
runs() { docker version >"$scratch/docker-version" 2>&1; }
within 30 runs || die "dockerd does not start"
base_image | docker import - base >/dev/null

# open_shop OPTION...: one worker, and what else gunicorn is told
open_shop() {
  docker run -d --name shop -p 5000:8000 -e SECONDS=0.5 "${machine_in_container[@]}" base \
    gunicorn --workers=1 --backlog=40 --bind=0.0.0.0:8000 --worker-tmp-dir=/dev/shm "$@" shop:application >/dev/null ||
    die "the container does not start"
  within 20 serves || die "the shop does not answer: $(docker logs shop 2>&1 | tail -5)"
}
serves() { [ "$(ip netns exec outside curl -s --max-time 5 http://10.9.0.1:5000/)" = ok ]; }

joined outside 10.9.0.2 10.9.0.1
open_shop
start_daemon_as_service
ready
named() { page_shows '^tcpdiag_netns_info{netns="shop",kind="docker",.*container="'; }
within 15 named || die "no namespace is called shop: $(metrics | grep netns_info)"
inside=$(docker inspect -f '{{.NetworkSettings.IPAddress}}' shop)

echo "overloaded, its accept queue is the finding, and nobody else is blamed"
"$tcpdiag" check --json --duration=16s >"$scratch/check.json" 2>"$scratch/check.log" &
check=$!
ip netns exec outside python3 "$here/customers.py" 16 10.9.0.1:5000 &
started+=($!)
python3 "$here/customers.py" 8 10.9.0.1:5000 127.0.0.1:5000 &
started+=($!)
docker run -d --name kiosk "${machine_in_container[@]}" base python3 customers.py 8 "$inside:8000" 172.17.0.1:5000 >/dev/null
is_named='.netns == "shop" and .subject.port == 8000 and .id == "accept-queue-app-slow"'
within 30 found "$is_named" || die "not found: $(findings)"
is_shown() { page_shows '^tcpdiag_finding_active{finding="accept-queue-app-slow",severity="critical",netns="shop",subject="0.0.0.0:8000"} 1$'; }
within 5 is_shown || die "no metric of it: $(grep '^tcpdiag_finding_active' "$scratch/page")"
within 10 not_found '.netns != "shop"' || die "what follows from it is told as something else: $(findings)"
status=0
wait "$check" || status=$?
[ "$status" = 2 ] || die "check exits with $status: $(cat "$scratch/check.log" "$scratch/check.json")"
jq -e "[.findings[] | select($is_named)] | length == 1" "$scratch/check.json" >/dev/null || die "check: $(cat "$scratch/check.json")"
# What is said before the queue has stood long enough to be judged is about clients, and names it.
jq -r '.findings[] | select(.netns != "shop") | .summary' "$scratch/check.json" >"$scratch/said"
sed -n 's/.* msg="opened: \(.*\)" event=opened .* netns=\([a-z]*\) .*/\2 \1/p' "$scratch/daemon.log" |
  grep -v '^shop ' >>"$scratch/said" || true
! grep -vF 'That is this host itself (container shop, port 8000): the accept queue of its listener 0.0.0.0:8000 (gunicorn[' "$scratch/said" ||
  die "blamed somebody else"

echo "what it advises is done, and under the same load it is over"
findings | jq -r ".findings[] | select($is_named) | .advice[0].do" >"$scratch/advice"
says "$scratch/advice" "more workers or threads" || die "the first advice is: $(cat "$scratch/advice")"
found_nothing() { not_found '.severity != "info"'; }
# Later options of a kind win over earlier ones.
is_over_with() {
  docker rm -f shop >/dev/null
  open_shop "$@"
  within 40 found_nothing && "$tcpdiag" check --brief --duration=12s >"$scratch/output" && found_nothing
}
if ! is_over_with --threads=64; then
  # Where others use the machine's cores as well, a burst of all clients may not fit; that is told, and what helps.
  grep -qF 'Raise the backlog of gunicorn from 40 to 1024: gunicorn --backlog 1024' "$scratch/output" "$scratch/findings" ||
    die "still found: $(cat "$scratch/findings" "$scratch/output")"
  is_over_with --threads=64 --backlog=1024 || die "found again: $(cat "$scratch/findings" "$scratch/output")"
fi
! grep -E 'opened: .*(far end|on the (path|way))' "$scratch/daemon.log" || die "the path was blamed"
stop_daemon
