#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# staged.sh SECONDS COMMAND...: stages incidents on three hosts in network namespaces, with real daemons and a real
# Prometheus that scrapes them, lets that go on for SECONDS more once all are found, and runs COMMAND beside it. COMMAND
# finds Prometheus at $PROMETHEUS, and the time when it all began in $STAGED_SINCE.
in_own_netns=(unshare --net --mount --pid --fork --kill-child --mount-proc --)
source "$(dirname "$0")/../e2e/harness.bash"

longer=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export PROMETHEUS=http://127.0.0.1:19090

# Two more namespaces: edge, which the first host's daemon watches too, and backend, a host of its own.
mkdir -p /run/netns
mount -t tmpfs staged /run/netns
for namespace in edge backend; do
  ip netns add "$namespace"
  ip -n "$namespace" link set lo up
done
ip link add to-backend type veth peer name uplink netns backend
ip address add 10.200.0.1/24 dev to-backend
ip link set to-backend up
ip -n backend address add 10.200.0.2/24 dev uplink
ip -n backend link set uplink up
ip link add nowhere type veth peer name end
ip link set end up
ip link set nowhere arp off up
ip address add 192.0.2.1/24 dev nowhere
ip netns exec edge sysctl -q -w net.ipv4.ip_local_port_range="20000 20499" net.ipv4.tcp_tw_reuse=0
sysctl -q -w net.ipv4.tcp_syncookies=1

# in_background COMMAND...: its process is in $latest
in_background() {
  "$@" >>"$scratch/programs.log" 2>&1 &
  latest=$!
  started+=("$latest")
}
incident() { in_background node "$here/incident.mjs" "$@"; }

pages=()
for recording in conntrack-full softnet-drops tcp-memory-pressure neighbour-table-overflow; do
  "$tcpdiag" replay "$root/tests/recordings/$recording" --format=metrics >"$scratch/$recording" || die "no replay of $recording"
  pages+=("$recording=$scratch/$recording")
done
in_background node "$here/recorded_hosts.mjs" 19180 "${pages[@]}"

cat >"$scratch/prometheus.yml" <<YAML
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: ['$root/monitoring/prometheus/recording.yml']
scrape_configs:
  - job_name: tcpdiag
    static_configs:
      - {targets: ['127.0.0.1:10180'], labels: {instance: 'web-1:10180'}}
      - {targets: ['10.200.0.2:10180'], labels: {instance: 'backend-1:10180'}}
      - {targets: ['127.0.0.1:19181'], labels: {instance: 'web-2:10180'}}
      - {targets: ['127.0.0.1:19180'], labels: {instance: 'nat-1:10180', __metrics_path__: /conntrack-full}}
      - {targets: ['127.0.0.1:19180'], labels: {instance: 'nat-2:10180', __metrics_path__: /neighbour-table-overflow}}
      - {targets: ['127.0.0.1:19180'], labels: {instance: 'cache-1:10180', __metrics_path__: /tcp-memory-pressure/behind}}
      - {targets: ['127.0.0.1:19180'], labels: {instance: 'cache-2:10180', __metrics_path__: /softnet-drops/standing-still}}
  - job_name: mixed
    static_configs:
      - {targets: ['127.0.0.1:10180'], labels: {instance: 'web-3:10180'}}
      - {targets: ['127.0.0.1:19090', '127.0.0.1:19182']}  # another exporter, and one that does not answer
  - job_name: tcpdiag-clusters
    static_configs:  # two hosts with the same instance
      - {targets: ['10.200.0.2:10180'], labels: {cluster: east, instance: '[2001:db8::1]:10180'}}
      - {targets: ['10.200.0.2:10180'], labels: {cluster: west, instance: '[2001:db8::1]:10180'}}
YAML

start_daemon --netns=edge --cpu-budget=0.2
ready
in_background ip netns exec backend unshare --pid --fork --kill-child --mount-proc bash -c '
  node "$1/incident.mjs" steady search 9200 & node "$1/incident.mjs" visit frontend 9200 10 &
  mount -o remount,hidepid=2 /proc
  setpriv --reuid=65534 --regid=65534 --clear-groups "$2" --cpu-budget=0.2 & wait' bash "$here" "$tcpdiagd"  # sees no process of others

export STAGED_SINCE=${EPOCHREALTIME%.*}
in_background prometheus --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$scratch/data" \
  --web.listen-address=127.0.0.1:19090 --log.level=error

ask() { curl -s --max-time 5 --data-urlencode "query=$1" "$PROMETHEUS/api/v1/query"; }
holds() { ask "$1" | grep -q '"value":'; }

for host in web-1 backend-1; do  # what is counted from now on is an increase
  within 20 holds "tcpdiag_tcp_in_segs_total{instance=\"$host:10180\"}" || die "Prometheus does not scrape $host"
done

incident stuck checkout 8080
incident crowd clients 8080 300
incident visit clients 8080 2
incident bursty basket 8082 32
incident visit clients 8082 40
incident leaky orders 5432
incident quit reports 5432 3
incident steady gateway 8443
incident visit clients 8443 20
in_background bash -c "ulimit -n 128; exec node '$here/incident.mjs' idle sessions 6379"
incident crowd clients 6379 90
incident steady login 8081
in_background "$TCPDIAG_BUILD_DIR/tests/syn_flood" 192.0.2.1 8081 1000
in_background ip netns exec edge node "$here/incident.mjs" idle upstream 7000
in_background ip netns exec edge node "$here/incident.mjs" crowd proxy 7000 430
incident dial mailer 25 20
unanswered=$latest

for finding in accept-queue-app-stalled accept-queue-backlog-small close-wait-leak fd-limit-near syn-flood-suspected ephemeral-ports-low \
  syn-sent-unanswered conntrack-full softnet-drops tcp-memory-pressure neighbour-table-overflow; do
  within 60 holds "tcpdiag_finding_active{finding=\"$finding\"}" ||
    die "no $finding: $(ask tcpdiag_finding_active) $(cat "$scratch/programs.log")"
done
sleep "$longer"
kill -KILL "$unanswered"
wait "$unanswered" 2>/dev/null || true
closed() { ! holds 'tcpdiag_finding_active{finding="syn-sent-unanswered"}'; }
within 30 closed || die "syn-sent-unanswered does not close"
echo "staged: all findings are there after $((${EPOCHREALTIME%.*} - STAGED_SINCE)) s"
"$@"
