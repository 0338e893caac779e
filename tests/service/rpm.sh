#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The .rpm in a booted Debian, by Debian's rpm: what its scripts do there is what they do on a system of its own. Debian's
# packages are none of rpm's, so what it requires is looked at, and not looked for.
source "$(dirname "$0")/harness.bash"

echo "what it requires, and what of it is configuration"
rpm -qp --requires "$rpm" >"$scratch/requires"
for name in systemd libnl-3.so libmicrohttpd.so libgnutls.so libcrypt.so; do
  grep -q "^$name" "$scratch/requires" || die "does not require $name: $(cat "$scratch/requires")"
done
[ "$(rpm -qpc "$rpm" | xargs)" = "/etc/default/tcpdiagd /etc/tcpdiagd/tcpdiagd.json" ] || die "configuration: $(rpm -qpc "$rpm")"
bad=$(rpm -qp --qf '[%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILENAMES}\n]' "$rpm" |
  grep -vE '^([d-]rwxr-xr-x|-rw-r--r--|lrwxrwxrwx) root:root /(etc|usr)/' || true)
[ -z "$bad" ] || die "modes and owners: $bad"

boot
cp "$rpm" "$root/root/first.rpm"
mkdir -p "$root/etc/systemd/system-preset"
echo 'disable *' >"$root/etc/systemd/system-preset/00-as-fedora.preset"
# with_rpm ARGUMENT...: fails, too, when one of its scripts complains
with_rpm() {
  in_container rpm --nodeps "$@" >"$scratch/said" 2>&1 && ! grep -iE "warning|error|fail" "$scratch/said" || die "rpm $*: $(cat "$scratch/said")"
}

echo "installed, it waits to be enabled, as the presets say"
with_rpm -i /root/first.rpm
in_container id -u tcpdiagd >/dev/null || die "there is no user"
is ActiveState inactive || die "it runs although the presets forbid it"
in_container systemctl -q enable --now tcpdiagd 2>"$scratch/said" || die "cannot be enabled: $(cat "$scratch/said")"
ready
[ -z "$(in_container rpm -V --nodeps tcpdiagd)" ] || die "not as the package says: $(in_container rpm -V --nodeps tcpdiagd)"

echo "an upgrade restarts it, keeps the configuration, and puts the new one beside it"
config=$root/etc/tcpdiagd/tcpdiagd.json
sed -i 's/"cpu_budget": 0.01/"cpu_budget": 0.02/' "$config"
echo 'file(APPEND ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/etc/tcpdiagd/tcpdiagd.json "// of the next release\n")' >"$scratch/change.cmake"
cpack --config "$TCPDIAG_BUILD_DIR/CPackConfig.cmake" -G RPM -B "$scratch/next" -D CPACK_RPM_PACKAGE_RELEASE=2 \
  -D CPACK_PRE_BUILD_SCRIPTS="$scratch/change.cmake" >"$scratch/said" 2>&1 || die "no next release: $(cat "$scratch/said")"
cp "$scratch"/next/*.rpm "$root/root/next.rpm"
pid=$(property MainPID)
in_container rpm -U --nodeps /root/next.rpm >"$scratch/said" 2>&1 || die "no upgrade: $(cat "$scratch/said")"
started_anew() { active && [ "$(property MainPID)" != "$pid" ]; }
within 5 started_anew || die "not restarted"
grep -q '"cpu_budget": 0.02' "$config" || die "the configuration is lost"
grep -q 'of the next release' "$config.rpmnew" || die "the new configuration is not there: $(ls "${config%/*}")"
[ "$(in_container systemctl is-enabled tcpdiagd)" = enabled ] || die "not enabled any more"
ready

echo "erased, it has stopped; changed configuration, user and state stay, as usual there"
in_container rpm -e --nodeps tcpdiagd >"$scratch/said" 2>&1 || die "cannot be erased: $(cat "$scratch/said")"
[ -z "$(in_container sh -c 'grep -lx tcpdiagd /proc/[0-9]*/comm' 2>/dev/null || true)" ] || die "still running"
rm "$root"/root/*.rpm
left=$(cd "$root" && find etc usr var -xdev -name '*tcpdiag*' ! -path 'var/log/*' | sort | xargs)
[ "$left" = "etc/tcpdiagd etc/tcpdiagd/tcpdiagd.json.rpmnew etc/tcpdiagd/tcpdiagd.json.rpmsave var/lib/tcpdiagd" ] || die "left: $left"
in_container id -u tcpdiagd >/dev/null || die "the user is gone"
