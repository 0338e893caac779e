# SPDX-License-Identifier: Apache-2.0
# For the end-to-end tests: a network namespace of their own, a scratch directory, a daemon that is stopped in any
# case, and waiting that has an end. Sourced, not run.
set -euo pipefail

if [ "$EUID" != 0 ]; then
  echo "needs root, for a network namespace of its own"
  exit 77
fi
# What makes the namespace; a test that wants another one says so before it sources this.
[ -v in_own_netns ] || in_own_netns=(unshare --net --)
if [ "${TCPDIAG_OWN_NETNS:-}" != yes ]; then
  TCPDIAG_OWN_NETNS=yes exec "${in_own_netns[@]}" bash "$0" "$@"
fi
ip link set lo up

: "${TCPDIAG_BUILD_DIR:?is not set: ctest sets it}"
tcpdiagd=$TCPDIAG_BUILD_DIR/tcpdiagd
tcpdiag=$TCPDIAG_BUILD_DIR/tcpdiag
scratch=$(mktemp -d)
started=()

clean_up() {
  local pid
  for pid in "${started[@]}" $(jobs -p); do kill -KILL "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true  # nobody needs to read that they were killed
  rm -rf "$scratch"
}
trap clean_up EXIT

die() {
  echo "FAILED: $*" >&2
  [ -s "$scratch/daemon.log" ] && sed 's/^/daemon: /' "$scratch/daemon.log" >&2
  exit 1
}

# within SECONDS COMMAND...: until the command succeeds; fails when the time is up
within() {
  local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
  shift
  until "$@"; do
    [ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
    sleep 0.02
  done
}

status_of() { curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$1" || true; }
answers() { [ "$(status_of "$1")" = 200 ]; }
says() { grep -q -- "$2" "$1"; }
gone() { ! kill -0 "$1" 2>/dev/null; }

# start_daemon ARGS...: in the background, its log in $scratch/daemon.log, its process in $daemon; "${as[@]}" is what
# it is started by
as=()
start_daemon() {
  "${as[@]}" "$tcpdiagd" "$@" 2>"$scratch/daemon.log" &
  daemon=$!
  started+=("$daemon")
}

ready() { within 15 answers http://127.0.0.1:10180/-/ready || die "not ready after 15 s"; }
metrics() { curl -sf --max-time 5 http://127.0.0.1:10180/metrics; }
# page_shows PATTERN: the page is read to its end, because curl fails when grep has seen enough
page_shows() { metrics >"$scratch/page" && says "$scratch/page" "$1"; }

# sample SERIES: its value; nothing when it is not on the page
sample() { metrics | awk -v series="$1" '$1 == series { print $2 }'; }
sample_is() { [ "$(sample "$1")" = "$2" ]; }

# stop_daemon [SECONDS]: by SIGTERM, within a second or so many
stop_daemon() {
  kill -TERM "$daemon"
  within "${1:-1}" gone "$daemon" || die "still there ${1:-1} s after SIGTERM"
  wait "$daemon" || die "exit $? after SIGTERM"
}

# run STATUS COMMAND...: its standard error is in $scratch/error; fails when it exits with another status
run() {
  local expected=$1 status=0
  shift
  timeout 60 "$@" >"$scratch/output" 2>"$scratch/error" || status=$?
  [ "$status" = "$expected" ] || die "$* exited with $status instead of $expected: $(cat "$scratch/error")"
}
