#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real Prometheus scrapes the daemon, and promtool finds nothing to say about its page.
source "$(dirname "$0")/harness.bash"

start_daemon
ready
metrics >"$scratch/page"
promtool check metrics <"$scratch/page" >"$scratch/lint" 2>&1 || die "promtool: $(cat "$scratch/lint")"
[ ! -s "$scratch/lint" ] || die "promtool: $(cat "$scratch/lint")"

echo "every family of the reference that this host can show has HELP and TYPE"
grep -o '^# HELP tcpdiag_[a-z0-9_]*' "$scratch/page" | cut -d' ' -f3 | sort >"$scratch/help"
grep -o '^# TYPE tcpdiag_[a-z0-9_]*' "$scratch/page" | cut -d' ' -f3 | sort >"$scratch/type"
diff "$scratch/help" "$scratch/type" || die "HELP and TYPE differ"
[ "$(wc -l <"$scratch/help")" -ge 90 ] || die "only $(wc -l <"$scratch/help") families"

cat >"$scratch/prometheus.yml" <<'YAML'
scrape_configs:
  - job_name: tcpdiag
    scrape_interval: 1s
    static_configs: [{targets: ['127.0.0.1:10180']}]
YAML
prometheus --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$scratch/data" \
  --web.listen-address=127.0.0.1:19090 --log.level=error 2>"$scratch/prometheus.log" &
started+=($!)
query() { curl -s --max-time 5 --data-urlencode "query=$1" http://127.0.0.1:19090/api/v1/query; }
value_is() { [ "$(query "$1" | grep -o '"value":\[[^]]*\]' | grep -o '"[^"]*"\]' | tr -d '"]')" = "$2" ]; }
within 30 value_is 'up{job="tcpdiag"}' 1 || die "Prometheus does not see it: $(query up; cat "$scratch/prometheus.log")"
within 10 value_is 'min(tcpdiag_collector_success)' 1 || die "a collector fails: $(query 'tcpdiag_collector_success')"
within 10 value_is 'tcpdiag_listener_sockets{port="10180",address="::"}' 1 || die "its own listener is not there"
within 10 value_is 'count(tcpdiag_listener_queue_fill_ratio_bucket{port="10180",le="+Inf"})' 1 || die "no histogram"
value_is 'count({__name__=~"tcpdiag_.+"}) > bool 200' 1 || die "few series: $(query 'count({__name__=~"tcpdiag_.+"})')"
value_is 'scrape_samples_scraped == scrape_samples_post_metric_relabeling' "$(grep -vc '^#' "$scratch/page")" ||
  value_is 'scrape_samples_scraped{job="tcpdiag"} > bool 200' 1 || die "samples were lost"
