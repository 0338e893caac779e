#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real Prometheus scrapes the daemon, and promtool finds nothing to say about its page.
source "$(dirname "$0")/harness.bash"

start_daemon
ready
metrics >"$scratch/page"
promtool check metrics <"$scratch/page" >"$scratch/lint" 2>&1 || die "promtool: $(cat "$scratch/lint")"
[ ! -s "$scratch/lint" ] || die "promtool: $(cat "$scratch/lint")"

echo "the page has the families of the reference, each with HELP and TYPE"
families() { grep -o "^# $1 [a-z0-9_]*" "$scratch/page" | cut -d' ' -f3 | sort; }
families HELP >"$scratch/families"
diff "$scratch/families" <(families TYPE) || die "HELP and TYPE differ"
jq -r '.metrics[] | "\(.name) \(.source)"' "$TCPDIAG_SOURCE_DIR/docs/reference/catalogue.json" | sort >"$scratch/reference"
kernel_has() {  # Tcp:ActiveOpens and the like
  awk -v group="${1%%:*}:" -v name="${1#*:}" '$1 == group { for (i = 2; i <= NF; ++i) if ($i == name) found = 1 } END { exit !found }' \
    /proc/net/snmp /proc/net/netstat
}
may_be_absent() {  # FAMILY SOURCE: what an idle host cannot show
  case "$1" in
    tcpdiag_conntrack_*) [ ! -e /proc/sys/net/netfilter/nf_conntrack_count ] ;;  # the module is not loaded
    tcpdiag_close_wait_oldest_seconds) ;;                                       # nobody forgot to close
    tcpdiag_syn_flood_reports_total) ;;                                         # no flood
    tcpdiag_web_config_valid | tcpdiag_web_certificate_expiry_timestamp_seconds) ;;                                                # there is no such file
    tcpdiag_finding_active | tcpdiag_finding_info | tcpdiag_finding_evidence | tcpdiag_finding_opened_last_hour) ;;                                              # nothing is wrong
    tcpdiag_kernel_log_*) ! (: </dev/kmsg) 2>/dev/null ;;                     # /dev/kmsg may not be read
    *) case "$2" in Tcp:* | TcpExt:*) ! kernel_has "$2" ;; *) false ;; esac ;;  # a counter this kernel lacks
  esac
}
comm -23 "$scratch/families" <(cut -d' ' -f1 "$scratch/reference") >"$scratch/unknown"
[ ! -s "$scratch/unknown" ] || die "not in the reference: $(cat "$scratch/unknown")"
while read -r family source; do
  grep -qx "$family" "$scratch/families" || may_be_absent "$family" "$source" || die "$family is not on the page"
done <"$scratch/reference"
[ "$(wc -l <"$scratch/families")" -ge 90 ] || die "only $(wc -l <"$scratch/families") families"

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
