#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The .tar.gz in a booted Debian that has the libraries: installed, upgraded and removed with the commands that
# docs/operations.md names, word by word.
source "$(dirname "$0")/harness.bash"

# documented N: the Nth block of commands of the section of docs/operations.md
documented() {
  sed -n '/^### From a .tar.gz/,/^##* /p' "$TCPDIAG_SOURCE_DIR/docs/operations.md" |
    awk -v n="$1" '/^    / { if (!inside) block++; inside = 1; if (block == n) print substr($0, 5); next } { inside = 0 }'
}
# follow N: does what it says, in the container
follow() {
  local commands
  commands=$(documented "$1" | sed "s|tcpdiagd-VERSION-linux-ARCH.tar.gz|/root/${tarball##*/}|")
  [ -n "$commands" ] || die "the documentation has no block $1"
  in_container bash -euxc "$commands" >"$scratch/said" 2>&1 || die "the documented commands fail: $(cat "$scratch/said")"
}

echo "everything in it is root's, closed to others' writing, and below /etc and /usr, where no link can be in the way"
tar --numeric-owner -tvzf "$tarball" >"$scratch/content"
bad=$(awk '$2 != "0/0" || $1 !~ /^(d|-)rw[-x]r-[-x]r-[-x]$/ || (/^d/ && $1 != "drwxr-xr-x") ||
  $6 !~ "^tcpdiagd-[^/]*/(etc|usr)/" || $6 ~ "^[^/]*/usr/(lib64|local)/"' "$scratch/content")
[ -z "$bad" ] || die "in the archive: $bad"

boot
cp "$tarball" "$root/root/"

echo "installed, it runs as its user"
modes() { (cd "$root" && stat -c '%A %u:%g %n' etc etc/default usr usr/{bin,sbin,lib,share}); }
before=$(modes)
follow 2
ready
[ "$(modes)" = "$before" ] || die "directories of the system have changed: $(modes)"
[ -L "$root/lib" ] || die "/lib is no link any more"
user=$(in_container id -u tcpdiagd)
in_container grep -qx "Uid:[[:space:]]*$user[[:space:]]*$user[[:space:]]*$user[[:space:]]*$user" "/proc/$(property MainPID)/status" ||
  die "not as its user"
said=$(in_container systemd-analyze verify --man=no tcpdiagd.service tcpdiagd.socket 2>&1) && [ -z "$said" ] || die "verify: $said"
succeed() { metrics >"$scratch/page" && ! grep '^tcpdiag_collector_success{.*} 0' "$scratch/page"; }
within 15 succeed || die "collectors fail"
healthy() { in_container tcpdiag check --url http://127.0.0.1:10180 >"$scratch/said" 2>&1; }
within 15 healthy || die "tcpdiag: $(cat "$scratch/said")"
[ "$(in_container systemctl is-enabled tcpdiagd)" = enabled ] || die "does not start at the next boot"

echo "an upgrade keeps the configuration and restarts it"
config=$root/etc/tcpdiagd/tcpdiagd.json
sed -i 's/"cpu_budget": 0.01/"cpu_budget": 0.02/' "$config"
pid=$(property MainPID)
started_anew() { active && [ "$(property MainPID)" != "$pid" ]; }
follow 3
started_anew || die "not restarted"
grep -q '"cpu_budget": 0.02' "$config" || die "the configuration is lost"
ready

echo "removed, nothing is left"
follow 4
rm "$root/root/${tarball##*/}"
left=$(cd "$root" && find . -xdev -name '*tcpdiag*' ! -path './proc/*' ! -path './sys/*' ! -path './run/log/*' ! -path './var/log/journal/*')
left+=$(grep -l tcpdiag "$root"/etc/{passwd,group,shadow,gshadow} 2>/dev/null || true)
[ -z "$left" ] || die "left: $left"
