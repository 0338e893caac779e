#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [--hosts N] [--interval SECONDS] [--scrapes N] [--bound SECONDS] [--disk] [--recording DIR]...: a real Prometheus
# scrapes simulated hosts (fleet.cpp) and evaluates the project's rules over them. One of the hosts has a daemon that stands
# still, and one more does not answer. Fails when another one is down, a rule fails, or an expression of the Fleet dashboard
# has no data or never takes less than --bound. Writes what was measured to $TCPDIAG_BUILD_DIR/fleet.md. With --recording,
# healthy hosts play those; --disk measures bytes on disk as well.
source "$(dirname "$0")/../e2e/harness.bash"

hosts=200 interval=5 scrapes=4 bound=3 disk=no healthy=()
while [ $# -gt 0 ]; do
  case "$1" in
    --hosts | --interval | --scrapes | --bound) declare "${1#--}=${2:?$1 needs a number}" && shift 2 ;;
    --recording) healthy+=("$(readlink -e "${2:?--recording needs a directory}")") && shift 2 ;;
    --disk) disk=yes && shift ;;
    *) die "no such argument: $1" ;;
  esac
done
recordings=$TCPDIAG_BUILD_DIR/recordings
[ ${#healthy[@]} != 0 ] || healthy=("$recordings"/healthy-{keep-alive-web,short-connections,short-connections-peer}
  "$recordings"/{idle-connections,spike-that-fits,port-scan})
troubled=("$recordings"/{accept-queue-stuck,accept-queue-burst,close-wait-held,ephemeral-ports-time-wait,fd-limit-queue-waits}
  "$recordings"/{reuseport-one-stuck,syn-flood,syn-queue-burst,syn-queue-drop,time-wait-buckets})
monitoring=$TCPDIAG_SOURCE_DIR/monitoring
report=$TCPDIAG_BUILD_DIR/fleet.md
prometheus=http://127.0.0.1:9090

# The network namespace is the test's own: every port is free. One host in five is in trouble.
mkfifo "$scratch/stop" && exec 3<>"$scratch/stop"
"$TCPDIAG_BUILD_DIR/tests/fleet" 10180 "$hosts" 5 "${healthy[@]}" -- "${troubled[@]}" <"$scratch/stop" >"$scratch/fleet" &
started+=($!)
within 60 says "$scratch/fleet" ready || die "the simulated hosts do not come up"

for ((n = 0; n <= hosts; ++n)); do  # the last one is not there
  printf '{"targets": ["127.0.0.1:10180"], "labels": {"__metrics_path__": "/host/%d/metrics", "instance": "host-%04d:10180"}}\n' \
    "$n" "$n"
done | jq -s . >"$scratch/targets.json"
cat >"$scratch/prometheus.yml" <<YAML
global: {scrape_interval: ${interval}s, scrape_timeout: ${interval}s, evaluation_interval: ${interval}s}
rule_files: ["$monitoring/prometheus/recording.yml", "$monitoring/prometheus/alerts.yml"]
scrape_configs:
  - job_name: tcpdiag
    file_sd_configs: [{files: ["$scratch/targets.json"]}]
YAML
prometheus --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$scratch/data" --web.listen-address=127.0.0.1:9090 \
  --web.enable-admin-api --log.level=warn 2>"$scratch/prometheus.log" &
prometheus_pid=$!
started+=("$prometheus_pid")

# query EXPR: the one number that it gives; nothing when it gives none
query() {
  curl -sf --max-time 20 --data-urlencode "query=$1" "$prometheus/api/v1/query" | jq -r '.data.result[0].value[1] // empty'
}
query_is() { sleep 0.2 && [ "$(query "$1")" = "$2" ]; }  # Prometheus shall not be busy with being asked
# own NAME: the sum of a metric of Prometheus itself
own() { curl -sf "$prometheus/metrics" | awk -v name="$1" '$1 ~ "^" name "({|$)" { sum += $2 } END { printf "%.6f\n", sum }'; }
per_second() { awk -v a="$1" -v b="$2" -v us="$3" 'BEGIN { printf "%.2f\n", (b - a) * 1e6 / us }'; }
ms() { awk -v seconds="$1" 'BEGIN { printf "%.0f ms\n", seconds * 1000 }'; }
row() { local what=$1 && shift && echo "| $what | $* |"; }

within 15 answers "$prometheus/-/ready" || die "Prometheus does not start: $(tail -n 5 "$scratch/prometheus.log")"
within 60 query_is 'count(up == 1)' "$hosts" ||
  die "of $hosts hosts $(query 'count(up == 1)') are up: $(curl -s "$prometheus/api/v1/targets?state=active" |
    jq -r '[.data.activeTargets[].lastError | select(. != "")][0]')"
echo "$hosts hosts are up"

before=$(own prometheus_tsdb_head_samples_appended_total) cpu_before=$(own process_cpu_seconds_total)
clock_before=${EPOCHREALTIME/./}
within $((interval * scrapes + 60)) query_is "min(count_over_time(up[1d])) >= bool $scrapes" 1 || die "hosts are scraped too seldom"
us=$((${EPOCHREALTIME/./} - clock_before))
samples=$(per_second "$before" "$(own prometheus_tsdb_head_samples_appended_total)" "$us")
cores=$(per_second "$cpu_before" "$(own process_cpu_seconds_total)" "$us")
query_is 'sum(min_over_time(up[1d]))' "$hosts" || die "hosts were down in between"

curl -sf "$prometheus/api/v1/rules" | jq '[.data.groups[].rules[]]' >"$scratch/rules"
[ "$(jq length "$scratch/rules")" != 0 ] || die "there are no rules"
jq -e 'all(.health == "ok")' "$scratch/rules" >/dev/null ||
  die "a rule fails: $(jq -c '.[] | select(.health != "ok") | {name, lastError}' "$scratch/rules")"
[ "$(own prometheus_rule_evaluation_failures_total)" = 0.000000 ] || die "rules have failed"

# The expressions of the Fleet dashboard as Grafana would ask for them, with every variable on "All". A line for each: panel,
# whether it is about now, and the expression, whose lines and tabs are kept by base64.
jq -r '.. | objects | select(has("targets")) | .title as $panel | .targets[] | select(has("expr"))
       | [$panel, (.instant // false),
          (.expr | gsub("\\$__rate_interval"; "5m") | gsub("\\$__interval"; "15s") | gsub("\\$__range"; "1h")
                 | gsub("\\$\\{[a-z]+(:[a-z]+)?\\}|\\$[a-z]+"; ".*") | @base64)] | @tsv' \
  "$monitoring/grafana/dashboards/tcpdiag-fleet.json" >"$scratch/panels"
[ -s "$scratch/panels" ] || die "the Fleet dashboard has no expressions"

# ask INSTANT: how many seconds the expression in $scratch/expr takes; its answer is in $scratch/answer. A panel of six hours
# has 1440 points.
ask() {
  local arguments=(--data-urlencode "query@$scratch/expr") path=query
  [ "$1" = true ] ||
    { path=query_range && arguments+=(-d "start=$((EPOCHSECONDS - 21600))" -d "end=$EPOCHSECONDS" -d step=15); }
  curl -s --max-time 60 -o "$scratch/answer" -w '%{time_total}\n' "${arguments[@]}" "$prometheus/api/v1/$path"
}
while IFS=$'\t' read -r panel instant expr; do
  base64 -d <<<"$expr" >"$scratch/expr"
  mapfile -t times < <(for _ in 1 2 3; do ask "$instant"; done | sort -g)
  series=$(jq 'if .status == "success" then .data.result | length else error(.error) end' "$scratch/answer") || die "$panel fails"
  [ "$series" != 0 ] || die "$panel: no data for $(cat "$scratch/expr")"
  awk -v took="${times[0]}" -v most="$bound" 'BEGIN { exit took > most }' || die "$panel took ${times[0]} s, more than $bound s"
  if [ "$instant" = true ]; then about=now; else about='6 h'; fi
  echo "| $panel | $about | $series | $(ms "${times[1]}") | $(ms "${times[2]}") |"
done <"$scratch/panels" >"$scratch/rows"

series=$(own prometheus_tsdb_head_series)
rss=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$prometheus_pid/status")
{
  echo "| $hosts hosts, scraped every $interval s, $scrapes scrapes | |"
  echo '|---|---|'
  row "series of a host, least to most" "$(query 'min(scrape_samples_scraped > 0)') to $(query 'max(scrape_samples_scraped)')"
  row "series in Prometheus" "${series%.*}, of them $(query 'sum(scrape_samples_scraped)') scraped and" \
    "$(query 'count({__name__=~".+:.+:.+"})') recorded"
  row "samples appended" "${samples%.*}/s"
  row "scrape, median and slowest" "$(ms "$(query 'quantile(0.5, scrape_duration_seconds)')")," \
    "$(ms "$(query 'max(scrape_duration_seconds)')")"
  row "Prometheus: resident memory" "$((rss / 1024)) MiB, $((rss * 1024 / ${series%.*})) bytes for each series"
  row "Prometheus: CPU" "$cores cores"
  row "all $(jq length "$scratch/rules") rules once" "$(ms "$(jq 'map(.evaluationTime) | add' "$scratch/rules")")," \
    "$(own prometheus_rule_group_iterations_missed_total | cut -d. -f1) evaluations missed"
  if [ $disk = yes ]; then
    snapshot=$scratch/data/snapshots/$(curl -sf -XPOST "$prometheus/api/v1/admin/tsdb/snapshot" | jq -r .data.name)
    stored=$(cat "$snapshot"/*/meta.json | jq -s 'map(.stats.numSamples) | add')
    row "on disk" "$(du -sbc "$snapshot"/*/chunks | awk -v n="$stored" 'END { printf "%.2f", $1 / n }') bytes for each" \
      "sample of $stored, and an index of $(du -sbc "$snapshot"/*/index | awk -v n="${series%.*}" 'END { printf "%.0f", $1 / n }') bytes for each series"
  fi
  printf '\n| the slowest rules | evaluation |\n|---|---|\n'
  jq -r 'sort_by(-.evaluationTime)[:12][] | "\(.name)\t\(.evaluationTime)"' "$scratch/rules" |
    while IFS=$'\t' read -r name seconds; do row "\`$name\`" "$(ms "$seconds")"; done
  printf '\n| panel of Fleet | time | series | median of 3 | slowest |\n|---|---|---|---|---|\n'
  cat "$scratch/rows"
} >"$report"
cat "$report"
