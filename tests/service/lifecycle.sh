#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The package in a booted Debian: it installs and runs, as its own user with its capabilities alone, sees all that root
# sees, comes back when it dies or hangs, and leaves nothing behind.
source "$(dirname "$0")/harness.bash"
boot

echo "installed, it runs"
in_container dpkg -i /root/tcpdiagd.deb >"$scratch/installation" 2>&1 || die "does not install: $(cat "$scratch/installation")"
active || die "not active after installation"
within 15 answers /-/ready || die "not ready"
metrics >"$scratch/metrics" || die "no metrics"
[ "$(wc -l <"$scratch/metrics")" -gt 100 ] || die "hardly any metrics: $(wc -l <"$scratch/metrics") lines"
[[ $(property StatusText) == "no finding"* ]] || die "status: $(property StatusText)"

echo "its units are flawless, and closed as far as they can be"
said=$(in_container systemd-analyze verify --man=no tcpdiagd.service tcpdiagd.socket 2>&1) || die "verify: $said"
[ -z "$said" ] || die "verify: $said"
in_container systemd-analyze security --offline=true --threshold=24 --no-pager tcpdiagd.service >"$scratch/security" ||
  die "too exposed: $(grep ✗ "$scratch/security")"

echo "it is its own user, with three capabilities; what answers HTTP has none"
# capabilities THREAD WHICH; threads NAME: those of the daemon
capabilities() { in_container sed -n "s/^Cap$2:[[:space:]]*0*//p" "$1/status"; }
threads() { in_container sh -c "grep -lx -- '$1' /proc/$(property MainPID)/task/*/comm" | sed 's|/comm$||'; }
wanted=$(printf %x $((1 << 34 | 1 << 19 | 1 << 2)))  # syslog, sys_ptrace, dac_read_search
user=$(in_container id -u tcpdiagd)
[ "$user" != 0 ] || die "tcpdiagd is root"
for thread in $(threads tcpdiagd) $(threads worker); do
  in_container grep -qx "Uid:[[:space:]]*$user[[:space:]]*$user[[:space:]]*$user[[:space:]]*$user" "$thread/status" || die "other uids: $thread"
  for which in Inh Prm Eff Bnd Amb; do
    [ "$(capabilities "$thread" $which)" = "$wanted" ] || die "Cap$which of $thread: $(capabilities "$thread" $which)"
  done
done
[ "$(threads MHD-worker | wc -l)" -ge 1 ] || die "no thread answers HTTP"
for thread in $(threads MHD-worker); do
  for which in Inh Prm Eff Amb; do
    [ -z "$(capabilities "$thread" $which)" ] || die "Cap$which of an HTTP thread: $(capabilities "$thread" $which)"
  done
done
