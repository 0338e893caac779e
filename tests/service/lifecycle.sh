#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The package in a booted Debian: it installs and runs, as its own user with its capabilities alone, sees all that root
# sees, comes back when it dies or hangs, and leaves nothing behind.
source "$(dirname "$0")/harness.bash"
boot
cp "$deb" "$root/root/tcpdiagd.deb"

echo "installed, it runs"
in_container dpkg -i /root/tcpdiagd.deb >"$scratch/installation" 2>&1 || die "does not install: $(cat "$scratch/installation")"
active || die "not active after installation"
ready
[ "$(metrics | wc -l)" -gt 100 ] || die "hardly any metrics: $(metrics | wc -l) lines"
[[ $(property StatusText) == "no findings"* ]] || die "status: $(property StatusText)"
told listening _TRANSPORT=journal PRIORITY=6 TCPDIAG_ADDRESS=:10180 ||
  die "its log is not in the journal: $(in_container journalctl -q -o verbose -u tcpdiagd)"

echo "its SBOM names what it depends on, in the version that it was built with"
sbom=$root/usr/share/doc/tcpdiagd/sbom.spdx.json
jq -e '.spdxVersion == "SPDX-2.3" and (.packages | length == (map(.SPDXID) | unique | length)) and
  ([.relationships[].relatedSpdxElement] - [.packages[].SPDXID] == [])' "$sbom" >"$scratch/said" || die "no SBOM: $(head -c 500 "$sbom")"
for package in $(dpkg-deb -f "$deb" Depends | tr ',|' '\n\n' | sed 's/^ *//; s/[ (].*//' | grep '^z\?lib') nlohmann-json3-dev; do
  version=$(dpkg-query -W -f '${Version}' "$package")
  [ "$(jq -r --arg name "$package" '.packages[] | select(.name == $name).versionInfo' "$sbom")" = "$version" ] ||
    die "SBOM: $package is not there as $version"
done

echo "its units are flawless, and closed as far as they can be"
said=$(in_container systemd-analyze verify --man=no tcpdiagd.service tcpdiagd.socket tcpdiagd-netns.service tcpdiagd-netns.socket 2>&1) || die "verify: $said"
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

echo "a server that accepts nobody is found, and told to the journal"
cat >"$root/usr/local/bin/stalled" <<'PERL'
#!/usr/bin/perl
use Socket;
socket($listener, PF_INET, SOCK_STREAM, 0) && bind($listener, sockaddr_in(7000, INADDR_LOOPBACK)) &&
  listen($listener, 4) or die $!;
sleep;
PERL
cat >"$root/usr/local/bin/clients" <<'PERL'
#!/usr/bin/perl
use Fcntl; use Socket;
for (1 .. 40) {
  socket($clients[$_], PF_INET, SOCK_STREAM, 0);
  fcntl($clients[$_], F_SETFL, O_NONBLOCK);
  connect($clients[$_], sockaddr_in(7000, INADDR_LOOPBACK));
  select(undef, undef, undef, 0.2);
}
sleep;
PERL
chmod 755 "$root"/usr/local/bin/{stalled,clients}
in_container systemd-run -q --unit=stalled --uid=nobody /usr/local/bin/stalled
listening() { in_container ss -Hltn 'sport = 7000' | grep -q LISTEN; }
within 10 listening || die "the server does not listen: $(in_container journalctl -q -u stalled)"
in_container systemd-run -q --unit=clients /usr/local/bin/clients
stalled=TCPDIAG_FINDING=accept-queue-app-stalled
within 20 told opened: $stalled TCPDIAG_EVENT=opened TCPDIAG_SUBJECT=127.0.0.1:7000 ||
  die "no finding in the journal: $(metrics | grep finding_active)"
[[ $(property StatusText) == *finding*127.0.0.1:7000* ]] || die "status: $(property StatusText)"
told opened: $stalled TCPDIAG_UNIT=stalled.service TCPDIAG_PROCESS=stalled ||
  die "the owner is not told: $(in_container journalctl -q -u tcpdiagd -o verbose $stalled)"

echo "it sees what root sees"
in_container systemd-run -q --unit=as-root /usr/sbin/tcpdiagd --web.listen-address=127.0.0.1:10181
# seen PORT: what the daemon there knows of the machine, without numbers that change
seen() {
  metrics "$1" | grep -E '^tcpdiag_(collector_success|processes_unreadable|listener_info|finding_unknown|process_max_fds)[ {]'
}
same_as_root() { seen 10181 >"$scratch/of_root" && seen 10180 >"$scratch/of_service" && cmp -s "$scratch/of_root" "$scratch/of_service"; }
within 15 same_as_root || die "it sees other things: $(diff "$scratch/of_root" "$scratch/of_service")"
! grep '^tcpdiag_collector_success{.*} 0' "$scratch/of_service" || die "collectors fail"
grep -q '^tcpdiag_listener_info{.*port="7000",process="stalled",unit="stalled.service"' "$scratch/of_service" || die "an owner is not known"
in_container systemctl stop as-root

echo "reload: what can be applied is, without losing a scrape or what is known; what cannot is said"
config=$root/etc/tcpdiagd/tcpdiagd.json
pid=$(property MainPID)
sed -i 's/"softnet": true/"softnet": false/; s/"max_connections": 512/"max_connections": 256/' "$config"
in_container sh -c 'for i in $(seq 40); do curl -s -o /dev/null -w "%{http_code}\n" http://127.0.0.1:10180/metrics; done' >"$scratch/scrapes" &
scrapes=$!
in_container systemctl reload tcpdiagd || die "does not reload"
softnet_is_off() { metrics >"$scratch/metrics" && ! grep -q '^tcpdiag_softnet_processed_total' "$scratch/metrics"; }
within 5 softnet_is_off || die "the new configuration is not applied"
wait "$scrapes"
[ "$(sort -u "$scratch/scrapes")" = 200 ] || die "scrapes failed: $(sort "$scratch/scrapes" | uniq -c)"
grep -q '^tcpdiag_finding_active{finding="accept-queue-app-stalled"' "$scratch/metrics" || die "the finding is forgotten"
told 'only after a restart' TCPDIAG_KEY=max_connections || die "not said: max_connections"
echo '{"softnet": 1}' >"$config"
! in_container systemctl reload tcpdiagd 2>/dev/null || die "a wrong configuration is taken"
told 'unknown key "softnet"' || die "the mistake is not told"
active && [ "$(property MainPID)" = "$pid" ] || die "it did not survive"

echo "killed, it is back within seconds"
sed 's/"cpu_budget": 0.01/"cpu_budget": 0.02/' "$TCPDIAG_SOURCE_DIR/systemd/tcpdiagd.json" >"$config"
started_anew() { active && [ "$(property MainPID)" != "$pid" ]; }
in_container sh -c "kill -KILL $pid"
within 6 started_anew || die "not back"
ready

echo "a loop that hangs while the other threads answer is ended by the watchdog"
mkdir -p "$root/etc/systemd/system/tcpdiagd.service.d"
printf '[Service]\nWatchdogSec=2s\n' >"$root/etc/systemd/system/tcpdiagd.service.d/watchdog.conf"
in_container systemctl daemon-reload
in_container systemctl restart tcpdiagd || die "does not restart"
ready
pid=$(property MainPID)
cp "$TCPDIAG_BUILD_DIR/tests/hold_thread" "$root/usr/local/bin/"
in_container hold_thread "$pid" >"$scratch/held" &
started+=($!)
within 5 grep -qs held "$scratch/held" || die "the loop is not held"
answers /metrics || die "the others do not answer"
within 15 started_anew || die "not restarted: $(property ActiveState)"
told 'Watchdog timeout' || die "by something else than the watchdog"
ready

echo "the queue in a container is seen, though the daemon may not enter it: another process opens it"
in_container ip netns add other
in_container ip -n other link set lo up
in_container systemd-run -q --unit=inside nsenter --net=/run/netns/other /usr/local/bin/stalled
of_other() { page_shows "tcpdiag_collector_success{collector=\"$1\",netns=\"other\"} $2"; }
within 15 of_other listeners 1 || die "not seen: $(metrics | grep other)"
within 15 of_other sysctl 1 || die "settings are not known: $(metrics | grep other)"
page_shows 'tcpdiag_listener_queue_limit{netns="other",address="127.0.0.1",port="7000"} 4' || die "no queue: $(metrics | grep other)"
doorkeeper() { in_container systemctl show -P "$1" tcpdiagd-netns.service; }
wanted=$(printf %x $((1 << 21)))  # sys_admin
for which in Inh Prm Eff Bnd Amb; do
  [ "$(capabilities "/proc/$(doorkeeper MainPID)" $which)" = "$wanted" ] || die "Cap$which of tcpdiagd-netns: $(capabilities "/proc/$(doorkeeper MainPID)" $which)"
done
[ "$(in_container stat -c '%U %a' /run/tcpdiagd-netns/socket)" = "tcpdiagd 600" ] || die "others may ask: $(in_container ls -l /run/tcpdiagd-netns)"
in_container systemd-analyze security --offline=true --threshold=24 --no-pager tcpdiagd-netns.service >"$scratch/security" ||
  die "tcpdiagd-netns is too exposed: $(grep ✗ "$scratch/security")"

echo "killed, what opens namespaces is started again; without it there are counters, and it is said why there is no more"
pid=$(doorkeeper MainPID)
in_container sh -c "kill -KILL $pid"
in_container ip netns add another
in_container systemd-run -q --unit=inside-another nsenter --net=/run/netns/another sleep 600
of_another() { page_shows "tcpdiag_collector_success{collector=\"$1\",netns=\"another\"} $2"; }
within 30 of_another listeners 1 || die "not seen: $(metrics | grep another)"
[ "$(doorkeeper MainPID)" != "$pid" ] || die "it is the one that was killed"
in_container systemctl mask --now tcpdiagd-netns.socket tcpdiagd-netns.service 2>/dev/null || die "cannot be masked"
in_container systemctl restart tcpdiagd || die "does not restart"
ready
within 15 of_other netstat 1 || die "no counters: $(metrics | grep other)"
of_other listeners 0 || die "listeners are known: $(metrics | grep other)"
told 'collector fails' TCPDIAG_COLLECTOR=listeners TCPDIAG_NETNS=other || die "it is not said why"
in_container systemctl unmask tcpdiagd-netns.socket tcpdiagd-netns.service 2>/dev/null
in_container systemctl restart tcpdiagd || die "does not restart"
ready
within 15 of_other listeners 1 || die "not seen again: $(metrics | grep other)"
in_container systemctl stop inside inside-another
in_container ip netns del other
in_container ip netns del another

echo "it stops within two seconds, though clients hold on to it"
in_container bash -c 'exec 3<>/dev/tcp/127.0.0.1/10180; sleep 60' 2>/dev/null &
started+=($!)
holds_on() { in_container ss -Htn state established 'sport = :10180' | grep -q .; }
within 5 holds_on || die "no client holds on to it"
before=${EPOCHREALTIME/./}
in_container systemctl stop tcpdiagd
took=$(((${EPOCHREALTIME/./} - before) / 1000))
[ "$took" -lt 2000 ] || die "took $took ms"
is ActiveState inactive && is Result success || die "$(property ActiveState), $(property Result)"

echo "systemd listens for it: whoever connects starts it, and nobody is refused while it restarts"
socket_since=$EPOCHSECONDS
in_container systemctl start tcpdiagd.socket
is ActiveState inactive || die "started too early"
answers /-/healthy || die "is not started by a connection"
told listening --since "@$socket_since" TCPDIAG_ADDRESS=:10180 || die "does not listen there"
ready
in_container sh -c 'for i in $(seq 20); do curl -s -o /dev/null --max-time 10 -w "%{http_code}\n" http://127.0.0.1:10180/-/healthy; done' >"$scratch/scrapes" &
scrapes=$!
in_container systemctl restart tcpdiagd || die "does not restart"
wait "$scrapes"
! grep -q 000 "$scratch/scrapes" || die "refused: $(sort "$scratch/scrapes" | uniq -c)"
in_container sh -c 'systemctl disable tcpdiagd && systemctl enable tcpdiagd.socket' 2>/dev/null || die "cannot be enabled"
rm -r "$root/etc/systemd/system/tcpdiagd.service.d"
in_container systemctl daemon-reload

echo "an upgrade keeps the configuration and restarts it"
in_container systemctl start tcpdiagd || die "does not start"
pid=$(property MainPID)
dpkg-deb -R "$deb" "$scratch/next"
sed -i 's/^Version: .*/&+next/' "$scratch/next/DEBIAN/control"
dpkg-deb -Znone -b "$scratch/next" "$root/root/next.deb" >/dev/null
in_container dpkg -i /root/next.deb >"$scratch/upgrade" 2>&1 || die "no upgrade: $(cat "$scratch/upgrade")"
started_anew || die "not restarted"
grep -q '"cpu_budget": 0.02' "$config" || die "the configuration is lost"
ready

echo "removed, its configuration stays; purged, nothing does; although clients would start it by its socket"
in_container sh -c 'while [ ! -e /root/removed ]; do curl -s -o /dev/null --max-time 2 http://127.0.0.1:10180/-/healthy || true; done' &
clients=$!
started+=("$clients")
in_container dpkg -r tcpdiagd >"$scratch/removal" 2>&1 || die "cannot be removed: $(cat "$scratch/removal")"
in_container sh -c ': >/root/removed'
wait "$clients"
rm "$root/root/removed"
for unit in tcpdiagd.service tcpdiagd.socket tcpdiagd-netns.service tcpdiagd-netns.socket; do
  [ "$(in_container systemctl show -p ActiveState --value $unit)" = inactive ] || die "$unit is left: $(in_container systemctl status $unit)"
done

[ -z "$(in_container sh -c 'grep -lx tcpdiagd /proc/[0-9]*/comm' 2>/dev/null || true)" ] || die "still running"
[ -f "$config" ] || die "the configuration is gone"
in_container dpkg -P tcpdiagd >"$scratch/removal" 2>&1 || die "cannot be purged: $(cat "$scratch/removal")"
rm "$root"/root/*.deb
left=$(cd "$root" && find . -xdev -name '*tcpdiag*' ! -path './proc/*' ! -path './sys/*' ! -path './run/log/*' ! -path './var/log/journal/*')
left+=$(grep -l tcpdiag "$root"/etc/{passwd,group,shadow,gshadow,subuid,subgid} 2>/dev/null || true)
[ -z "$left" ] || die "left: $left"
