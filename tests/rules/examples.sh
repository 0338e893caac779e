#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The examples of configuration are taken by Prometheus' and Alertmanager's own checks, targets in Kubernetes get the labels
# that they should, alerts go to whom they should, and people can read what they get.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$here"/../../monitoring/prometheus/* "$scratch"
cd "$scratch"
die() { echo "FAILED: $*" >&2; exit 1; }

echo "scrape.example.yml"
mkdir tcpdiag
echo '[{"targets": ["HOST3:10180"], "labels": {"site": "SITE"}}]' >tcpdiag/hosts.json
touch ca.crt client.crt client.key password
# Debian's Prometheus is built without discovery in Kubernetes: pods with the labels that it would give stand in for it.
cat >pods.json <<'JSON'
[{"targets": ["10.0.0.1:80"], "labels": {"__meta_kubernetes_pod_phase": "Running", "__meta_kubernetes_pod_host_ip": "10.0.0.1",
  "__meta_kubernetes_pod_node_name": "node1", "__meta_kubernetes_namespace": "monitoring", "__meta_kubernetes_pod_name": "tcpdiagd-a"}},
 {"targets": ["10.0.0.2:80"], "labels": {"__meta_kubernetes_pod_phase": "Running", "__meta_kubernetes_pod_host_ip": "2001:db8::2",
  "__meta_kubernetes_pod_node_name": "node2", "__meta_kubernetes_namespace": "monitoring", "__meta_kubernetes_pod_name": "tcpdiagd-b"}},
 {"targets": ["10.0.0.3:80"], "labels": {"__meta_kubernetes_pod_phase": "Pending", "__meta_kubernetes_pod_node_name": "node3"}}]
JSON
sed '/kubernetes_sd_configs:/,/selectors:/d; s/^ *- {role: pod, label: .*/    file_sd_configs: [{files: [pods.json]}]/' \
  scrape.example.yml >prometheus.yml
if ! promtool check config scrape.example.yml >said 2>&1; then
  grep -q 'field kubernetes_sd_configs not found' said || die "$(cat said)"
  promtool check config prometheus.yml || die "promtool does not take it"
fi
promtool check service-discovery --timeout=3s prometheus.yml tcpdiag-kubernetes >discovered || die "$(cat discovered)"
jq -r '.[].labels | select(.instance) | "\(.__address__) \(.instance) \(.namespace) \(.pod)"' discovered | sort >targets
diff targets - <<'TEXT' || die "the targets in Kubernetes are others"
10.0.0.1:10180 node1:10180 monitoring null
[2001:db8::2]:10180 node2:10180 monitoring null
TEXT

echo "quick start"
# What the README and docs/monitoring.md say, done to a file as Debian's package brings it, and to that one where it is here.
mkdir quick
cat >quick/shape.yml <<'YAML'
global:
  scrape_interval: 15s # a remark
rule_files:
  # - "first_rules.yml"
scrape_configs:
  # a remark
  - job_name: 'prometheus'
    static_configs:
      - targets: ['localhost:9090']
YAML
debian=$(command -v prometheus) debian=${debian%/usr/bin/prometheus}/etc/prometheus/prometheus.yml
[ ! -f "$debian" ] || grep -v "alerts.yml\|recording.yml" "$debian" >quick/debian.yml
cp alerts.yml recording.yml quick
for file in quick/shape.yml quick/debian.yml; do
  [ -f "$file" ] || continue
  for page in README.md docs/monitoring.md; do
    cp "$file" quick/prometheus.yml
    sed -n '/^    \(sudo \)\?sed .*rule_files/,/prometheus.yml$/ { /promtool/d; s/sudo //; s|/etc/prometheus|quick|; p }' "$here/../../$page" >quick/commands
    bash -e quick/commands || die "$page: $(cat quick/commands)"
    promtool check config quick/prometheus.yml >said 2>&1 && grep -q 'SUCCESS: 2 rule files found' said || die "$page: $(cat said)"
    [ "$page" != README.md ] || grep -q "HOST:10180" quick/prometheus.yml || die "$page adds no host"
  done
done

echo "alertmanager.example.yml"
amtool check-config alertmanager.example.yml || die "amtool does not take it"
while IFS=: read -r severity receivers; do
  amtool config routes test --config.file=alertmanager.example.yml --verify.receivers="$receivers" \
    "severity=$severity" alertname=TcpdiagDown >said || die "$severity: $(cat said)"
done <<'TEXT'
critical:on-call,chat
warning:chat
info:none
TEXT

echo "tcpdiag.tmpl"
alert() {  # STATUS INSTANCE SUBJECT [PART]
  jq -n --arg status "$1" --arg instance "$2" --arg subject "$3" --arg part "${4:-x}" '{status: $status, startsAt: "2026-11-21T10:00:00Z",
    endsAt: "2026-11-21T11:00:00Z", labels: ({alertname: "TcpdiagX", severity: "critical", instance: $instance} + if $subject == "" then {} else
    {subject: $subject} end), annotations: {summary: "summary of \($instance)", description: "accept queue: 129 connections now\nFirst: look.",
    docs: "/usr/share/doc/tcpdiagd/reference/findings.md#\($part)", runbook_url: "http://\($instance)/"}}'
}
rendered() {  # STATUS, alerts on standard input
  jq -s --arg status "$1" '{status: $status, alerts: ., commonLabels: {alertname: "TcpdiagX", severity: "critical"}}' >data.json
  amtool template render --template.glob=tcpdiag.tmpl --template.data=data.json \
    --template.text='{{ template "tcpdiag.title" . }}{{ "\n" }}{{ template "tcpdiag.text" . }}'
}
{ alert firing web1:10180 '[::]:80' | rendered firing; echo; echo ==
  { alert firing web1:10180 ''; alert firing web2:10180 ''; alert resolved web3:10180 ''; } | rendered firing; echo ==
  alert resolved web1:10180 '[::]:80' | rendered resolved; echo ==
  { alert firing web1:10180 '' x; alert firing web1:10180 '' y; } | rendered firing; } | sed 's/ *$//' | cat -s >texts
diff texts - <<'TEXT' || die "the texts are others"
CRITICAL TcpdiagX web1:10180 [::]:80
summary of web1:10180
  since 2026-11-21 10:00:00 UTC
accept queue: 129 connections now
First: look.
Page: http://web1:10180/
Docs: /usr/share/doc/tcpdiagd/reference/findings.md#x where tcpdiagd is installed

==
CRITICAL TcpdiagX 2 firing, 1 resolved
summary of web1:10180
  since 2026-11-21 10:00:00 UTC
accept queue: 129 connections now
First: look.
Page: http://web1:10180/
Docs: /usr/share/doc/tcpdiagd/reference/findings.md#x where tcpdiagd is installed

summary of web2:10180
  since 2026-11-21 10:00:00 UTC
Page: http://web2:10180/

Over: summary of web3:10180
  from 2026-11-21 10:00:00 UTC to 11:00:00 UTC
==
RESOLVED TcpdiagX web1:10180 [::]:80
Over: summary of web1:10180
  from 2026-11-21 10:00:00 UTC to 11:00:00 UTC
==
CRITICAL TcpdiagX 2 firing, 0 resolved
summary of web1:10180
  since 2026-11-21 10:00:00 UTC
accept queue: 129 connections now
First: look.
Page: http://web1:10180/
Docs: /usr/share/doc/tcpdiagd/reference/findings.md#x where tcpdiagd is installed

summary of web1:10180
  since 2026-11-21 10:00:00 UTC
accept queue: 129 connections now
First: look.
Page: http://web1:10180/
Docs: /usr/share/doc/tcpdiagd/reference/findings.md#y where tcpdiagd is installed

TEXT
for status in firing resolved; do
  for ((host = 1; host <= 23; host++)); do alert $status "web$host:10180" ''; done | rendered $status >texts
  [ "$(grep -c 'summary of' texts)" = 20 ] && grep -q '^and 3 more' texts || die "a list of 23 is not cut: $(cat texts)"
done
