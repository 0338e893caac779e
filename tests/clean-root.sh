#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clean-root.sh [bookworm|trixie] [STAGE...]: what a newcomer gets. Makes a minimal root without compilers and
# libraries, puts the committed tree into it, lets ./dev install, build and run the unit tests there, or only these stages of
# ./dev test, and removes the root. Needs root and mmdebstrap.

set -euo pipefail
release=${1:-bookworm}
stages=("${@:2}")
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

root=$(mktemp -d "${TMPDIR:-/tmp}/tcpdiag-$release-XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT
mmdebstrap --quiet --variant=minbase "$release" "$root"
mkdir "$root/src"
git -C "$top" archive HEAD | tar -x -C "$root/src"
cp /etc/resolv.conf "$root/etc/resolv.conf"

# A mount namespace of its own: the mounts end with it, whatever happens. Network: the host's, for apt.
in_root() {
  unshare --mount --pid --fork --kill-child bash -euc '
    mount -t proc proc "$0/proc"
    root=$0
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 chroot "$root" "$@"' "$root" "$@"
}
if [ ${#stages[@]} = 0 ]; then
  in_root /src/dev build
  in_root /src/build/release/tcpdiagd --version
  stages=(unit)
fi
in_root /src/dev test "${stages[@]}"

echo "$release: built and tested in a clean root"
