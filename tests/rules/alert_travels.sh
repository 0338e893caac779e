#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A server stops accepting: the daemon finds it, Prometheus and Alertmanager carry what it says to a webhook and a chat; the
# server goes on, and both learn that it is over. Rules, routes and texts are those that users import; only times are shorter.
# What other processes do shall not be judged.
in_own_netns=(unshare --net --mount --pid --fork --kill-child --mount-proc --)
source "$(dirname "$0")/../e2e/harness.bash"
programs=$(cd "$(dirname "$0")" && pwd)
monitoring=$TCPDIAG_SOURCE_DIR/monitoring/prometheus
cd "$scratch"

sed 's/^\( *\)keep_firing_for: .*/\1keep_firing_for: 2s/' "$monitoring/alerts.yml" >alerts.yml
cp "$monitoring/recording.yml" "$monitoring/tcpdiag.tmpl" .
cat >prometheus.yml <<'YAML'
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [alerts.yml, recording.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:19093']}]}]}
scrape_configs:
  - job_name: tcpdiag
    static_configs: [{targets: ['127.0.0.1:10180']}]
YAML
sed -e 's/group_wait: .*/group_wait: 1s/; s/group_interval: .*/group_interval: 1s/' -e '/email_configs:/,/html:/d' \
  -e 's|https://SLACKHOST/services/HOOK|http://127.0.0.1:19094/chat|; s|http://WEBHOOKHOST/alerts|http://127.0.0.1:19094/webhook|' \
  "$monitoring/alertmanager.example.yml" >alertmanager.yml

run_in_background() {  # NAME COMMAND...: what it prints is in NAME.log
  local name=$1
  shift
  "$@" >"$name.log" 2>"$name.errors" &
  started+=($!)
}
run_in_background posts perl "$programs/keep_posts.pl" 19094
# Debian's finds its own texts only where its package is installed.
alertmanager=$(command -v prometheus-alertmanager) || die "there is no prometheus-alertmanager"
share=${alertmanager%/bin/*}/share
[ "$share" = /usr/share ] || mount -t overlay -o "lowerdir=$share:/usr/share" overlay /usr/share
run_in_background alertmanager "$alertmanager" --config.file=alertmanager.yml \
  --storage.path=alerts --web.listen-address=127.0.0.1:19093 --cluster.listen-address= --log.level=warn
start_daemon --web.external-url=http://localhost:10180
ready
run_in_background prometheus prometheus --config.file=prometheus.yml --storage.tsdb.path=data \
  --web.listen-address=127.0.0.1:19090 --log.level=warn
within 20 answers http://127.0.0.1:19093/-/ready || die "Alertmanager: $(cat alertmanager.errors)"
within 20 answers http://127.0.0.1:19090/-/ready || die "Prometheus: $(cat prometheus.errors)"

echo "a server stops accepting"
run_in_background server perl "$programs/stuck_server.pl" 5000 8 30
server=$!
# posted PATH FILTER: whether such a request has come; it is in $scratch/post
posted() { sed -n "s|^/$1 ||p" posts.log | jq -c "select($2)" 2>/dev/null | tail -n 1 >post && [ -s post ]; }
stalled='.commonLabels.alertname == "TcpdiagAcceptQueueAppStalled"'
within 40 posted webhook "$stalled and .status == \"firing\"" || die "nothing came: $(cat posts.log alertmanager.errors prometheus.errors
  curl -s http://127.0.0.1:10180/api/v1/findings; curl -s http://127.0.0.1:19090/api/v1/alerts)"
is() { [ "$(jq -r ".alerts[0].$1" post)" = "$2" ] || die "$1 is not '$2': $(cat post)"; }
holds() { jq -e ".alerts[0].annotations.description | contains(\"$1\")" post >/dev/null || die "no '$1': $(cat post)"; }
is labels.severity critical
is labels.finding accept-queue-app-stalled
is labels.netns host
is labels.subject 127.0.0.1:5000
is labels.instance 127.0.0.1:10180
jq -e '.alerts[0].annotations.summary | test("^127.0.0.1:10180 127.0.0.1:5000 perl\\[[0-9]+\\].*: The application does not accept$")' \
  post >/dev/null || die "the process is not named: $(cat post)"
jq -e '.alerts[0].annotations.description | test("accept queue: 9 connections now\n.*listen backlog: 8 as limit\n"; "m")' \
  post >/dev/null || die "the numbers are not there: $(cat post)"
is annotations.runbook_url 'http://localhost:10180/#accept-queue-app-stalled'
is annotations.docs /usr/share/doc/tcpdiagd/reference/findings.md#accept-queue-app-stalled
holds "Clients see: The first clients connect but get no answer"
holds "First: Take a stack trace before you restart it"
link=$(jq -r '.alerts[0].annotations.runbook_url' post)
[ "$(status_of "${link%%#*}")" = 200 ] || die "its link leads nowhere"
grep -q "^### accept-queue-app-stalled$" "$TCPDIAG_SOURCE_DIR/docs/reference/findings.md" || die "its docs are not there"

stalled_in_chat='(.attachments[0].title | test("TcpdiagAcceptQueueAppStalled 127.0.0.1:10180 127.0.0.1:5000"))'
within 20 posted chat "$stalled_in_chat" || die "nothing came to the chat: $(cat posts.log alertmanager.errors)"
jq -e '.attachments[0] | (.title | startswith("CRITICAL ")) and (.text | test("\n *since 20.*First: Take a stack trace .*Docs: /usr/share/doc/"; "m"))' \
  post >/dev/null || die "the chat cannot read it: $(cat post)"

echo "all rules are evaluated"
curl -s http://127.0.0.1:19090/api/v1/rules |
  jq -r '.data.groups[].rules[] | select(.health != "ok") | "\(.name): \(.lastError)"' >unhealthy
[ ! -s unhealthy ] || die "$(cat unhealthy)"

echo "all recorded series have data"
value_of() { curl -s --data-urlencode "query=$1" http://127.0.0.1:19090/api/v1/query | jq -r '.data.result[0].value[1] // empty'; }
has_data() { [ -n "$(value_of "$1")" ]; }
for record in $(sed -n 's/^      - record: //p' recording.yml); do
  [ "$record" != instance_netns:tcpdiag_conntrack:ratio ] || [ -e /proc/sys/net/netfilter/nf_conntrack_count ] || continue
  within 10 has_data "$record" || die "$record has no data"
done
full=$(value_of 'instance_netns_port:tcpdiag_listener_queue_fill:ratio{port="5000"}')
[ "$full" = 1 ] || die "the full queue of 9 connections is shown as $full full"

echo "counters are silent while a finding explains them"
for name in TcpdiagListenerDrops TcpdiagAcceptQueueNearlyFull; do
  query=$(curl -s http://127.0.0.1:19090/api/v1/rules | jq -r --arg name $name '.data.groups[].rules[] | select(.name == $name) | .query')
  within 10 has_data "${query%% unless*}" || die "$name would not fire without the finding: $query"
  ! has_data "$query" || die "$name fires beside the finding"
done

echo "what got worse is told once"
now=$(date -u +%FT%TZ)
for severity in warning critical; do
  jq -n --arg severity $severity --arg now "$now" '[{startsAt: $now, labels: {alertname: "TcpdiagAcceptQueueBacklogSmall",
    severity: $severity, finding: "accept-queue-backlog-small", job: "tcpdiag", instance: "other", netns: "host", subject: "[::]:80"}}]' |
    curl -sf -H 'Content-Type: application/json' --data @- http://127.0.0.1:19093/api/v2/alerts || die "Alertmanager takes no alert"
done
states() { curl -s http://127.0.0.1:19093/api/v2/alerts | jq -r '.[] | select(.labels.instance == "other") | "\(.labels.severity) \(.status.state)"' | sort; }
inhibited() { [ "$(states)" = $'critical active\nwarning suppressed' ]; }
within 10 inhibited || die "not inhibited: $(states)"

echo "what follows is silent while its cause fires"
for finding in ephemeral-ports-exhausted ephemeral-ports-low syn-queue-drop; do
  for subject in 10.0.0.1:80 10.0.0.2:80; do
    [ "$finding $subject" != "ephemeral-ports-exhausted 10.0.0.2:80" ] || continue
    jq -n --arg finding $finding --arg subject $subject --arg now "$now" '[{startsAt: $now, labels: {alertname: $finding,
      severity: "warning", finding: $finding, job: "tcpdiag", instance: "third", netns: "host", subject: $subject}}]' |
      curl -sf -H 'Content-Type: application/json' --data @- http://127.0.0.1:19093/api/v2/alerts || die "Alertmanager takes no alert"
  done
done
silent() {
  curl -s http://127.0.0.1:19093/api/v2/alerts |
    jq -r '.[] | select(.labels.instance == "third" and .status.state == "suppressed") | "\(.labels.finding) \(.labels.subject)"'
}
follows() { [ "$(silent)" = "ephemeral-ports-low 10.0.0.1:80" ]; }
within 10 follows || die "silent are: $(silent)"

echo "the server goes on"
kill -USR1 "$server"
within 60 posted webhook "$stalled and .status == \"resolved\"" || die "it did not resolve: $(tail -n 1 posts.log
  curl -s http://127.0.0.1:10180/api/v1/findings)"
jq -e '.alerts[0].annotations.summary | endswith(": The application does not accept")' post >/dev/null || die "another summary: $(cat post)"
within 20 posted chat "$stalled_in_chat and (.attachments[0].title | startswith(\"RESOLVED \"))" ||
  die "the chat was not told: $(cat posts.log)"
