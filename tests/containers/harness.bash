# SPDX-License-Identifier: Apache-2.0
# For the tests with containers: a machine of their own, on which real runtimes run and of which the programs see nothing
# else: its process 1, network, /run, /var/lib and control groups. All of it ends with that process, whatever happens.
# Sourced, not run.
if [ "$EUID" != 0 ]; then
  echo "needs root, for a machine of its own"
  exit 77
fi

# The hierarchies of control groups: one of each kind, or a single one (version 2).
hierarchies() { awk '($3 == "cgroup" || $3 == "cgroup2") && $2 ~ "^/sys/fs/cgroup" { print $2 }' /proc/mounts; }

if [ "${TCPDIAG_MACHINE:-}" = "" ]; then
  set -euo pipefail
  : "${TCPDIAG_BUILD_DIR:?is not set: ctest sets it}"
  group=tcpdiag-containers-$$
  TCPDIAG_MACHINE=$(mktemp -d "$TCPDIAG_BUILD_DIR/containers-XXXXXX")
  export TCPDIAG_MACHINE
  machine=
  remove_groups() {
    local hierarchy left=0
    for hierarchy in $(hierarchies); do
      find "$hierarchy/$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
      [ ! -d "$hierarchy/$group" ] || left=1
    done
    return $left
  }
  end_machine() {
    local tries
    # Its process 1 ends with this one, and with that one all the others.
    if [ -n "$machine" ]; then kill -KILL "$machine" 2>/dev/null && wait "$machine" 2>/dev/null || true; fi
    for tries in $(seq 100); do remove_groups && break; sleep 0.05; done
    remove_groups || echo "left: the control groups $group" >&2
    rm -rf --one-file-system "$TCPDIAG_MACHINE"
  }
  trap end_machine EXIT
  trap 'exit 143' TERM INT HUP
  for hierarchy in $(hierarchies); do
    mkdir -p "$hierarchy/$group"
    for file in cpuset.cpus cpuset.mems; do  # without which no process may be in it
      if [ -f "$hierarchy/$group/$file" ]; then cat "$hierarchy/$file" >"$hierarchy/$group/$file" 2>/dev/null || true; fi
    done
  done
  (
    for hierarchy in $(hierarchies); do echo "$BASHPID" >"$hierarchy/$group/cgroup.procs"; done
    exec unshare --net --pid --cgroup --ipc --uts --fork --kill-child --mount-proc -- bash "$0" "$@"
  ) &
  machine=$!
  status=0
  wait "$machine" || status=$?
  machine=
  exit "$status"
fi

TCPDIAG_OWN_NETNS=yes
export TMPDIR=$TCPDIAG_MACHINE
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/harness.bash"
die() {
  local log
  echo "FAILED: $*" >&2
  for log in "$scratch"/*.log; do
    [ ! -s "$log" ] || tail -n "${lines_of_logs:-20}" "$log" | sed "s|^|$(basename "$log" .log): |" >&2
  done
  exit 1
}

# own_groups: the same hierarchies anew, with the machine's own group as their root
own_groups() {
  local mounted options at
  mounted=$(awk '($3 == "cgroup" || $3 == "cgroup2") && $2 ~ "^/sys/fs/cgroup" { print $2, $3, $4 }' /proc/mounts)
  umount -R /sys/fs/cgroup
  if [[ $mounted == "/sys/fs/cgroup cgroup2 "* ]]; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    # Groups that hand controllers on may not have processes of their own.
    mkdir /sys/fs/cgroup/init
    for at in $(cat /sys/fs/cgroup/cgroup.procs); do echo "$at" >/sys/fs/cgroup/init/cgroup.procs 2>/dev/null || true; done
    sed 's/\([a-z_]*\)/+\1/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control || true
    return
  fi
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  while read -r at kind options; do
    mkdir "$at"
    if [ "$kind" = cgroup2 ]; then mount -t cgroup2 cgroup2 "$at"; continue; fi
    options=$(tr , '\n' <<<"$options" | grep -vxE 'rw|ro|relatime|nosuid|nodev|noexec|xattr' | paste -sd,)
    [[ $options != name=* ]] || options=none,$options
    mount -t cgroup -o "$options" cgroup "$at"
  done <<<"$mounted"
}

hostname playing-host
own_groups
groups=/sys/fs/cgroup  # where a process's place is read: version 2, or systemd's own of version 1
[ ! -d /sys/fs/cgroup/systemd ] || groups=/sys/fs/cgroup/systemd
mount -t tmpfs tmpfs /run
mkdir -p "$TCPDIAG_MACHINE/var-lib"
mount --bind "$TCPDIAG_MACHINE/var-lib" /var/lib
for directory in /etc/docker /etc/containers; do  # what the machine below configures
  [ ! -d "$directory" ] || mount -t tmpfs tmpfs "$directory"
done
export HOME=$TCPDIAG_MACHINE/home DOCKER_HOST=unix:///run/docker.sock
unset DOCKER_CONTEXT CONTAINER_HOST
mkdir "$HOME"
sysctl -qw net.ipv4.ip_forward=1

# run_in_group GROUP COMMAND...: in the background, in that control group; its process is $process
run_in_group() {
  local procs=("$groups/$1/cgroup.procs")
  [ ! -d "$groups/../unified" ] || procs+=("$groups/../unified/$1/cgroup.procs")
  mkdir -p "${procs[@]%/*}"
  bash -c 'for procs in $0; do echo $$ >"$procs"; done; exec "$@"' "${procs[*]}" "${@:2}" &
  process=$!
  started+=("$process")
}

api=http://127.0.0.1:10180/api/v1

start_daemon_as_root() { start_daemon "$@"; }

# As its units start it: a user with the right to look at processes, and beside it what alone may enter namespaces.
start_daemon_as_service() {
  local capabilities=-all,+syslog,+sys_ptrace,+dac_read_search socket=/run/tcpdiagd-netns/socket
  chmod 755 "$scratch"
  install -m 755 "$tcpdiagd" "$tcpdiagd-netns" "$scratch/"  # a user may not be able to reach the build
  tcpdiagd=$scratch/tcpdiagd
  mkdir -p "${socket%/*}"
  setpriv --bounding-set=-all,+sys_admin -- "$tcpdiagd-netns" "--listen=$socket" 2>"$scratch/netns.log" &
  started+=($!)
  within 5 test -S "$socket" || die "tcpdiagd-netns does not listen: $(cat "$scratch/netns.log")"
  chown 65534 "$socket"
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps="$capabilities" --ambient-caps="$capabilities"
    --bounding-set="$capabilities" --)
  start_daemon "$@"
}

# joined NAME ADDRESS OUR_ADDRESS: a namespace with a name, joined to the host's by a cable
joined() {
  ip netns add "$1"
  ip link add "$1" type veth peer name eth0 netns "$1"
  ip addr add "$3/24" dev "$1"
  ip link set "$1" up
  ip -n "$1" link set lo up
  ip -n "$1" addr add "$2/24" dev eth0
  ip -n "$1" link set eth0 up
  ip -n "$1" route add default via "$3"
}

findings() { curl -sf --max-time 5 "$api/findings"; }
# found FILTER: whether one of the findings is so, for jq
found() { findings >"$scratch/findings" && jq -e "[.findings[] | select($1)] | length > 0" "$scratch/findings" >/dev/null; }
not_found() { findings >"$scratch/findings" && jq -e "[.findings[] | select($1)] | length == 0" "$scratch/findings" >/dev/null; }

# What a test runs that is not everywhere; ./dev unpacks some of it into build/tools.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=$here/../../build/tools
PATH=$tools/usr/sbin:$tools/usr/bin:$PATH
needs_programs() {
  local program
  for program; do
    command -v "$program" >/dev/null || { echo "needs $program: ./dev test containers gets it"; exit 77; }
  done
}

# For containers whose root is an almost empty image and that run the machine's programs.
base_image() {
  local root=$scratch/base
  mkdir -p "$root"/{usr,etc,tmp,proc,sys,dev,run,tests,tools}
  ln -s usr/{bin,sbin,lib,lib64} "$root"
  tar -c -C "$root" .
}
machine_in_container=(-v /usr:/usr:ro -v "$here:/tests:ro" -v "$(realpath "$tools"):/tools:ro" -w /tests
  -e PYTHONPATH=/tools/usr/lib/python3/dist-packages -e PATH=/usr/bin:/tools/usr/bin -e PYTHONDONTWRITEBYTECODE=1)
# overlay where it works: directories on an overlay cannot be stacked
storage_driver() {
  local at=$TCPDIAG_MACHINE/overlay
  mkdir -p "$at"/{lower,upper,work,merged}
  if mount -t overlay overlay -o "lowerdir=$at/lower,upperdir=$at/upper,workdir=$at/work" "$at/merged" 2>/dev/null; then
    umount "$at/merged"
    echo "$1"
  else
    echo vfs
  fi
}
