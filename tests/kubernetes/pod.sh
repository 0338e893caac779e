#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The daemon runs with what the DaemonSet gives its container: user, capabilities, namespaces, arguments, configuration, the
# files of the image, read-only. There is no Kubernetes here, no seccomp filter and no cgroup of devices: it is the part of a
# pod that the kernel does.
in_own_netns=(unshare --net --mount --)
source "$(dirname "$0")/../e2e/harness.bash"
source "$(dirname "$0")/render.bash"
install_schemas || die "the schemas cannot be installed"

sh "$TCPDIAG_SOURCE_DIR/packaging/container/assemble" "$TCPDIAG_BUILD_DIR" "$scratch/image"
# The image has no program that could give capabilities away; this one does, and then becomes the daemon.
setpriv=$(command -v setpriv)
for file in "$setpriv" $(ldd "$setpriv" | grep -o '/[^ ]*'); do
  mkdir -p "$scratch/image${file%/*}" && cp -L "$file" "$scratch/image$file"
done
mkdir -p "$scratch"/image/{proc,run/netns}
mount -t tmpfs none /run/netns 2>/dev/null || { mkdir -p /run/netns && mount -t tmpfs none /run/netns; }

# Something of another user, outside of the container, that listens.
setpriv --reuid=4711 --regid=4711 --clear-groups "$tcpdiagd" --web.listen-address=127.0.0.1:10181 --log.level=error &
started+=($!)

# pod NAME [COMMAND...]: starts the daemon in a container as the DaemonSet NAME describes it; COMMAND before that, inside
# the container's file system.
pod() {
  local name=$1 container=$scratch/container user add arguments namespaces=(--mount)
  render "$name" || die "$name is not valid"
  jq '.[] | select(.kind == "DaemonSet") | .spec.template.spec' "$scratch/$name.json" >"$scratch/pod"
  [ "$(jq .hostNetwork "$scratch/pod")" = true ] || die "$name: not in the network of its node"
  [ "$(jq .hostPID "$scratch/pod")" = true ] || namespaces+=(--pid --fork --kill-child)
  user=$(jq '.containers[0].securityContext.runAsUser' "$scratch/pod")
  [ "$(jq -c '.containers[0].securityContext.capabilities.drop' "$scratch/pod")" = '["ALL"]' ] || die "$name: capabilities are left"
  add=$(jq -r '[.containers[0].securityContext.capabilities.add // [] | .[] | ",+" + ascii_downcase] | add // ""' "$scratch/pod")
  mapfile -t arguments < <(jq -r '.containers[0].args[]' "$scratch/pod" | sed "s/NETNS/$pod_netns/")
  jq -r '.[] | select(.kind == "ConfigMap" and (.metadata.name | startswith("tcpdiagd-"))) | .data["tcpdiagd.json"] // empty' \
    "$scratch/$name.json" >"$scratch/image/etc/tcpdiagd/tcpdiagd.json"
  "$tcpdiagd" --config.check --config.file="$scratch/image/etc/tcpdiagd/tcpdiagd.json" >/dev/null || die "$name: the configuration is not valid"
  mkdir -p "$container"
  unshare "${namespaces[@]}" -- bash -c '
    image=$1 container=$2 user=$3 add=$4
    shift 4
    mount --bind "$image" "$container" && mount -o remount,bind,ro "$container" &&
      mount -t proc proc "$container/proc" && mount --rbind /run/netns "$container/run/netns" &&
      exec chroot "$container" '"$setpriv"' --reuid="$user" --regid="$user" --clear-groups --no-new-privs --inh-caps=-all \
        --bounding-set="-all$add" /usr/sbin/tcpdiagd "$@"' \
    bash "$scratch/image" "$container" "$user" "$add" "${arguments[@]}" 2>"$scratch/daemon.log" &
  daemon=$!
  started+=("$daemon")
  ready
  answers http://127.0.0.1:10180/-/healthy || die "$name: not healthy"
  within 15 collectors_succeed || die "$name: a collector fails: $(metrics | grep '^tcpdiag_collector_success.* 0$')"
}
collectors_succeed() { ! metrics | grep -q '^tcpdiag_collector_success.* 0$'; }
unknown() { metrics | sed -n 's/^tcpdiag_finding_unknown{finding="\(.*\)"} 1$/\1/p' | sort | xargs; }
unknown_is() { [ "$(unknown)" = "$1" ]; }
end_pod() {  # `unshare --fork` waits for the daemon and passes no signal on
  kill -TERM "$(pgrep -P "$daemon" || echo "$daemon")"
  within 5 gone "$daemon" || die "the daemon does not end"
}
pod_netns=none

echo "base: sees who owns a listener of another user, and says what it cannot tell"
pod base
page_shows '^tcpdiag_listener_info{.*port="10181",process="tcpdiagd"' || die "the owner is not known"
expected='conntrack-full-elsewhere file-limit-ignored neighbour-table-overflow sysctl-conf-not-applied sysctl-harm-at-boot sysctl-line-ignored'
expected+=' sysctl-nr-open-below-login sysctl-nr-open-below-unit sysctl-unknown-key'
within 20 unknown_is "$expected" || die "it cannot tell: $(unknown)"
end_pod

echo "unprivileged: sees the node's listeners, and says nothing of processes"
pod unprivileged
page_shows '^tcpdiag_listener_sockets{.*port="10181"} 1' || die "the listener is not there"
[ -z "$(metrics | grep '^tcpdiag_process_')" ] || die "it shows processes of the container"
end_pod

echo "pod-namespaces: enters a namespace of /run/netns"
pod_netns=cni-1
ip netns add "$pod_netns"
pod pod-namespaces
page_shows "^tcpdiag_tcp_in_segs_total{netns=\"$pod_netns\"}" || die "the namespace is not watched"
end_pod
