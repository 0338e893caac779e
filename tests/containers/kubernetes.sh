#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Pods as containerd and CRI-O leave them in /proc, in control groups and in their own files, without a kubelet: each is
# called by its namespace and name, its metrics have its labels, and a stuck server in it is an incident of it.
source "$(dirname "$0")/harness.bash"
needs_programs python3 jq

containerds=/run/containerd/io.containerd.runtime.v2.task/k8s.io
crios=/run/containers/storage/overlay-containers
id_of() { sha256sum <<<"$1" | cut -c-64; }
# note_containerd ID PROCESS POD TYPE, note_crio the same: what the runtime writes down; POD is NAMESPACE/NAME
note_containerd() {
  mkdir -p "$containerds/$1"
  echo -n "$2" >"$containerds/$1/init.pid"
  jq -n --arg type "$4" --arg namespace "${3%/*}" --arg name "${3#*/}" '{ociVersion: "1.1.0", annotations: {
    "io.kubernetes.cri.container-type": $type, "io.kubernetes.cri.container-name": "server",
    "io.kubernetes.cri.sandbox-name": $name, "io.kubernetes.cri.sandbox-namespace": $namespace}}' >"$containerds/$1/config.json"
}
note_crio() {
  mkdir -p "$crios/$1/userdata"
  echo -n "$2" >"$crios/$1/userdata/pidfile"
  jq -n --arg type "$4" --arg namespace "${3%/*}" --arg name "${3#*/}" '{ociVersion: "1.1.0", annotations: {
    "io.kubernetes.cri-o.ContainerType": $type, "io.kubernetes.container.name": "server",
    "io.kubernetes.cri-o.KubeName": $name, "io.kubernetes.cri-o.Namespace": $namespace}}' >"$crios/$1/userdata/config.json"
}
# pod RUNTIME POD GROUP: a sandbox and a stuck server. GROUP is how the kubelet and the runtime call their control groups,
# with ID in it.
pod() {
  local id sandbox mount=/run/netns/cni-${2//\//-}
  id=$(id_of "$2")
  run_in_group "${3/ID/$id}" unshare --net sleep infinity
  sandbox=$process
  own_netns() { [ "$(readlink "/proc/$sandbox/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
  within 10 own_netns || die "the sandbox does not start"
  "note_$1" "$id" "$sandbox" "$2" sandbox
  nsenter --net="/proc/$sandbox/ns/net" ip link set lo up
  mkdir -p /run/netns
  touch "$mount"
  mount --bind "/proc/$sandbox/ns/net" "$mount"
  id=$(id_of "$2 server")
  run_in_group "${3/ID/$id}" nsenter --net="/proc/$sandbox/ns/net" python3 "$here/stuck.py" 8080 4
  "note_$1" "$id" "$process" "$2" container
}

uid=5f1c7a2e-0b6d-4a5e-9c3f-2b1a0d9e8f70
pod containerd payments/checkout-7d9f \
  "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${uid//-/_}.slice/cri-containerd-ID.scope"
pod containerd shop/cart-0 "kubepods/besteffort/pod$uid/ID"
pod crio shop/search-5c "kubepods.slice/kubepods-pod${uid//-/_}.slice/crio-ID.scope"
last=("${started[@]: -2}")
# Whoever may make control groups could call one like a pod's, whose process is another one.
forged=$(id_of payments/checkout-7d9f)
run_in_group "user.slice/user-1000.slice/user@1000.service/cri-containerd-$forged.scope" unshare --net sleep infinity
start_daemon_as_root
ready

echo "pods have their names and labels"
watched() { sample_is tcpdiag_netns_watched "$1"; }
within 15 watched 5 || die "not all are watched: $(metrics | grep ^tcpdiag_netns)"
for pod in payments/checkout-7d9f shop/cart-0 shop/search-5c; do
  labels="netns=\"$pod\",kind=\"kubernetes\",container=\"$(id_of "$pod" | cut -c-12)\",image=\"\",pod=\"${pod#*/}\",pod_namespace=\"${pod%/*}\""
  page_shows "^tcpdiag_netns_info{$labels," || die "no labels of $pod: $(metrics | grep ^tcpdiag_netns_info)"
done
page_shows "^tcpdiag_netns_info{netns=\"containerd:${forged:0:12}\",kind=\"containerd\"," ||
  die "the forged group: $(metrics | grep ^tcpdiag_netns_info)"
run 0 "$tcpdiag" namespaces
says "$scratch/output" '^payments/checkout-7d9f *kubernetes ' || die "namespaces: $(cat "$scratch/output")"

echo "a stuck server in a pod is an incident of it"
for pod in payments/checkout-7d9f shop/cart-0 shop/search-5c; do
  server=$(id_of "$pod server")
  within 15 found ".id == \"accept-queue-app-stalled\" and .netns == \"$pod\" and .subject.port == 8080 and (.subject.unit | endswith(\":${server:0:12}\"))" ||
    die "not found in $pod: $(findings)"
done
not_found '.netns == "host" or (.netns | startswith("containerd:"))' || die "somebody else is blamed: $(findings)"
run 2 "$tcpdiag" check --duration=7s
says "$scratch/output" payments/checkout-7d9f || die "check: $(cat "$scratch/output")"

echo "of a pod that is gone nothing is left"
umount --lazy /run/netns/cni-shop-search-5c  # as all runtimes do it
kill -KILL "${last[@]}"
wait "${last[@]}" 2>/dev/null || true
within 15 watched 4 || die "still watched: $(metrics | grep ^tcpdiag_netns)"
nothing_left() { ! page_shows search-5c; }  # a finding takes a while to be over
within 20 nothing_left || die "series are left: $(grep search-5c "$scratch/page" | head -3)"
stop_daemon
