#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The daemon runs with what the DaemonSet gives its container: user, capabilities, namespaces, arguments, configuration, the
# files of the image, read-only. There is no Kubernetes here, no seccomp filter and no cgroup of devices: it is the part of a
# pod that the kernel does.
in_own_netns=(unshare --net --mount --pid --fork --kill-child --mount-proc --)  # a node of its own, with a process 1
source "$(dirname "$0")/../e2e/harness.bash"
source "$(dirname "$0")/render.bash"
install_schemas || die "the schemas cannot be installed"

sh "$TCPDIAG_SOURCE_DIR/packaging/container/assemble" "$TCPDIAG_BUILD_DIR" "$scratch/image"
# The image has no program that could give capabilities away; this one does, and then becomes the daemon.
setpriv=$(command -v setpriv)
for file in "$setpriv" $(ldd "$setpriv" | grep -o '/[^ ]*'); do
  mkdir -p "$scratch/image${file%/*}" && cp -L "$file" "$scratch/image$file"
done
mkdir -p "$scratch"/image/{proc,run/tcpdiagd-netns} "$scratch/shared"

# Something of another user, outside of the container, that listens.
setpriv --reuid=4711 --regid=4711 --clear-groups "$tcpdiagd" --web.listen-address=127.0.0.1:10181 --log.level=error &
started+=($!)

# container INDEX PROGRAM LOG: starts a container of the DaemonSet in $scratch/pod, in the background.
container() {
  local spec=$scratch/container-$1.json root=$scratch/container-$1 add user namespaces=(--mount)
  jq ".containers[$1]" "$scratch/pod" >"$spec"
  [ "$(jq .hostPID "$scratch/pod")" = true ] || namespaces+=(--pid --fork --kill-child)
  user=$(jq '.securityContext.runAsUser' "$spec")
  [ "$(jq -c '.securityContext.capabilities.drop' "$spec")" = '["ALL"]' ] || die "$1: capabilities are left"
  add=$(jq -r '[.securityContext.capabilities.add // [] | .[] | ",+" + ascii_downcase] | add // ""' "$spec")
  mapfile -t arguments < <(jq -r '.args[]' "$spec")
  mkdir -p "$root"
  unshare "${namespaces[@]}" -- bash -c '
    image=$1 root=$2 user=$3 add=$4 shared=$5 program=$6
    shift 6
    mount --bind "$image" "$root" && mount -o remount,bind,ro "$root" &&
      mount -t proc proc "$root/proc" && mount --bind "$shared" "$root/run/tcpdiagd-netns" &&
      exec chroot "$root" '"$setpriv"' --reuid="$user" --regid="$user" --clear-groups --no-new-privs --inh-caps=-all \
        --bounding-set="-all$add" "$program" "$@"' \
    bash "$scratch/image" "$root" "$user" "$add" "$scratch/shared" "$2" "${arguments[@]}" 2>"$3" &
  started+=($!)
}

# pod NAME: starts the containers of the DaemonSet NAME as it describes them.
pod() {
  local name=$1
  render "$name" || die "$name is not valid"
  jq '.[] | select(.kind == "DaemonSet") | .spec.template.spec' "$scratch/$name.json" >"$scratch/pod"
  [ "$(jq .hostNetwork "$scratch/pod")" = true ] || die "$name: not in the network of its node"
  jq -r '.[] | select(.kind == "ConfigMap" and (.metadata.name | startswith("tcpdiagd-"))) | .data["tcpdiagd.json"] // empty' \
    "$scratch/$name.json" >"$scratch/image/etc/tcpdiagd/tcpdiagd.json"
  "$tcpdiagd" --config.check --config.file="$scratch/image/etc/tcpdiagd/tcpdiagd.json" >/dev/null || die "$name: the configuration is not valid"
  if [ "$(jq '.containers | length' "$scratch/pod")" = 2 ]; then
    [ "$(jq -r '.containers[1].command[0]' "$scratch/pod")" = /usr/sbin/tcpdiagd-netns ] || die "$name: another second program"
    container 1 /usr/sbin/tcpdiagd-netns "$scratch/netns.log"
    within 5 test -S "$scratch/shared/socket" || die "nobody opens namespaces: $(cat "$scratch/netns.log")"
  fi
  container 0 /usr/sbin/tcpdiagd "$scratch/daemon.log"
  daemon=$!
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

# A pod: what its namespace holds, and a server in it.
unshare --net -- bash -c 'ip link set lo up; exec "$0" --web.listen-address=127.0.0.1:10182 --log.level=error' "$tcpdiagd" &
started+=($!)

echo "base: sees who owns a listener of another user, and says what it cannot tell"
pod base
page_shows '^tcpdiag_listener_info{.*port="10181",process="tcpdiagd"' || die "the owner is not known"
sees_into_pod() { page_shows '^tcpdiag_listener_queue_limit{.*port="10182"'; }
within 15 sees_into_pod || die "it does not look into the pod: $(metrics | grep '^tcpdiag_netns')"
expected='conntrack-full-elsewhere file-limit-ignored neighbour-table-overflow sysctl-conf-not-applied sysctl-harm-at-boot sysctl-line-ignored'
expected+=' sysctl-nr-open-below-login sysctl-nr-open-below-unit sysctl-unknown-key'
within 20 unknown_is "$expected" || die "it cannot tell: $(unknown)"
end_pod

echo "unprivileged: sees the node's listeners, and says nothing of processes"
pod unprivileged
page_shows '^tcpdiag_listener_sockets{.*port="10181"} 1' || die "the listener is not there"
[ -z "$(metrics | grep '^tcpdiag_process_')" ] || die "it shows processes of the container"
end_pod

echo "own-namespace: looks into no pod, and says so"
pod own-namespace
[ "$(jq '.containers | length' "$scratch/pod")" = 1 ] || die "there is a second container"
metrics | grep '^tcpdiag_listener_queue_limit{.*port="10182"' && die "it looks into the pod"
page_shows '^tcpdiag_netns_found 2$' || die "the pod is not listed: $(metrics | grep '^tcpdiag_netns')"
end_pod
