#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# gunicorn in a podman container, overloaded by its published port: its accept queue is named, and nobody else is blamed.
source "$(dirname "$0")/harness.bash"
needs_programs podman conmon crun iptables python3 gunicorn jq

# Everything that podman is told, and keeps, is the machine's own.
mkdir -p "$HOME/.config/containers"
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$HOME/.config/containers/policy.json"
cat >"$scratch/containers.conf" <<TOML
[engine]
helper_binaries_dir = ["$(realpath "$tools")/usr/lib/podman", "/usr/lib/podman", "/usr/libexec/podman"]
runtime = "crun"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
TOML
cat >"$scratch/storage.conf" <<TOML
[storage]
driver = "$(storage_driver overlay)"
graphroot = "/var/lib/containers/storage"
runroot = "/run/containers/storage"
TOML
export NETAVARK_FW=iptables
export CONTAINERS_CONF=$scratch/containers.conf CONTAINERS_STORAGE_CONF=$scratch/storage.conf
base_image | podman import --quiet - base >/dev/null || die "no image"

serves() { [ "$(ip netns exec outside curl -s --max-time 5 http://10.9.0.1:5000/)" = ok ]; }
joined outside 10.9.0.2 10.9.0.1
podman run -d --name shop -p 5000:8000 -e SECONDS=0.2 "${machine_in_container[@]}" base \
  gunicorn --workers=1 --backlog=24 --bind=0.0.0.0:8000 --worker-tmp-dir=/dev/shm shop:application >/dev/null ||
  die "the container does not start"
within 20 serves || die "the shop does not answer: $(podman logs shop 2>&1 | tail -5)"
inside=$(podman inspect -f '{{.NetworkSettings.IPAddress}}' shop)
start_daemon_as_root
ready
named() { page_shows '^tcpdiag_netns_info{netns="shop",kind="podman",.*image="localhost/base:latest"'; }
within 15 named || die "no namespace is called shop: $(metrics | grep netns_info)"

echo "overloaded, its accept queue is the finding"
"$tcpdiag" check --json --duration=14s >"$scratch/check.json" 2>"$scratch/check.log" &
check=$!
ip netns exec outside python3 "$here/customers.py" 16 10.9.0.1:5000 &
started+=($!)
python3 "$here/customers.py" 16 "$inside:8000" 10.9.0.1:5000 &
started+=($!)
is_named='.netns == "shop" and .subject.port == 8000 and .id == "accept-queue-app-slow"'
within 30 found "$is_named" || die "not found: $(findings)"
within 10 not_found '.netns != "shop"' || die "what follows from it is told as something else: $(findings)"
status=0
wait "$check" || status=$?
[ "$status" = 2 ] && jq -e "[.findings[] | select($is_named)] | length == 1" "$scratch/check.json" >/dev/null ||
  die "check exits with $status: $(cat "$scratch/check.log" "$scratch/check.json")"
! grep -E 'opened: .*(far end|[Pp]eer|on the (path|way))' "$scratch/daemon.log" || die "the path was blamed"

echo "of a container that is removed nothing is left"
podman rm -f -t 0 shop >/dev/null
nothing_left() { metrics >"$scratch/page" && ! grep 'netns="shop"' "$scratch/page" >"$scratch/left"; }
within 30 nothing_left || die "series are left: $(head -3 "$scratch/left")"
stop_daemon
