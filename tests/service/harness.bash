# SPDX-License-Identifier: Apache-2.0
# For the tests of the installed service: a Debian with systemd as its first process, in a container of its own that is
# thrown away. Sourced, not run.
set -euo pipefail

if [ "$EUID" != 0 ]; then
  echo "needs root, to boot a container"
  exit 77
fi
: "${TCPDIAG_SOURCE_DIR:?is not set: ctest sets it}" "${TCPDIAG_BUILD_DIR:?is not set: ctest sets it}"
deb=$(echo "$TCPDIAG_SOURCE_DIR"/build/service/tcpdiagd_*.deb)
rpm=$(echo "$TCPDIAG_SOURCE_DIR"/build/service/tcpdiagd-*.rpm)
tarball=$(echo "$TCPDIAG_SOURCE_DIR"/build/service/tcpdiagd-*.tar.gz)
for package in "$deb" "$rpm" "$tarball"; do
  [ -f "$package" ] || { echo "no $package: ./dev test service makes it"; exit 1; }
done
scratch=$(mktemp -d "$TCPDIAG_BUILD_DIR/service-XXXXXX")
root=$scratch/root
nspawn= leader=  # its process outside, and the container's first one
started=()

clean_up() {
  local pid
  for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  for pid in $leader $nspawn; do kill -KILL "$pid" 2>/dev/null || true; done  # all of the container ends with the first
  { wait; } 2>/dev/null || true
  rm -rf --one-file-system "$scratch"
}
trap clean_up EXIT

die() {
  echo "FAILED: $*" >&2
  [ -z "$leader" ] || in_container journalctl --no-pager -o short-precise -n 40 -u tcpdiagd >&2 || true
  exit 1
}

# within SECONDS COMMAND...: until the command succeeds; fails when the time is up
within() {
  local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
  shift
  until "$@"; do
    [ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
    sleep 0.1
  done
}

in_container() { nsenter -t "$leader" -a -- "$@"; }
# The child is looked for anew each time: the first one that systemd-nspawn has is not yet the one that stays.
has_child() { leader=$(pgrep -P "$nspawn" | head -1) && [ -n "$leader" ]; }
booted() { has_child && in_container systemctl is-system-running 2>/dev/null | grep -qE "running|degraded"; }

# boot: unpacks the root, made once and kept, and starts it. Its packages are those that the .deb needs, and rpm.
boot() {
  local kept=$TCPDIAG_BUILD_DIR/service-root.tar needed
  needed=rpm,$(dpkg-deb -f "$deb" Depends | sed 's/([^)]*)//g; s/|[^,]*//g; s/[[:space:]]//g')
  if [ "$(cat "$kept.packages" 2>/dev/null)" != "$needed" ]; then
    mmdebstrap --quiet --variant=minbase --include="systemd,systemd-sysv,dbus,iproute2,curl,$needed" \
      "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$kept" || exit 1
    echo "$needed" >"$kept.packages"
  fi
  mkdir "$root"
  tar -xf "$kept" -C "$root" "--exclude=./dev/*"
  SYSTEMD_NSPAWN_API_VFS_WRITABLE=network SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn -q -D "$root" \
    --machine="tcpdiag-$$" --boot --register=no --keep-unit --private-network --capability=all --console=pipe \
    </dev/null >"$scratch/console.log" 2>&1 &
  nspawn=$!
  within 60 booted || die "did not boot: $(tail "$scratch/console.log")"
  # The container's own is a stand-in from which nothing can be read.
  in_container umount /dev/kmsg 2>/dev/null || true
  in_container rm -f /dev/kmsg
  in_container mknod -m 644 /dev/kmsg c 1 11
}

status_of() { in_container curl -s -o /dev/null -w '%{http_code}' --max-time 5 "http://127.0.0.1:10180$1" || true; }
answers() { [ "$(status_of "$1")" = 200 ]; }
metrics() { in_container curl -sf --max-time 5 "http://127.0.0.1:${1:-10180}/metrics"; }
property() { in_container systemctl show -P "$1" tcpdiagd; }
is() { [ "$(property "$1")" = "$2" ]; }
active() { is ActiveState active; }
# told PATTERN [MATCH...]: whether the journal has it of the daemon. It is read to its end first, as the page below, because
# who writes fails when grep has seen enough.
told() { in_container journalctl -q --no-pager -u tcpdiagd "${@:2}" >"$scratch/journal" && grep -q -- "$1" "$scratch/journal"; }
# page_shows LINE: whether the metrics have it
page_shows() { metrics >"$scratch/page" && grep -Fqx -- "$1" "$scratch/page"; }
ready() { within 20 answers /-/ready || die "not ready after 20 s"; }
