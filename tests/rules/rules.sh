#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every alert fires, and only where and when it should, and resolves; every recording rule says what it promises; and they
# know no metric and no label that the daemon does not have.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../monitoring/prometheus"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
die() { echo "FAILED: $*" >&2; exit 1; }

promtool check rules alerts.yml recording.yml || die "promtool does not take them"

echo "alerts"
catalogue=../../docs/reference/catalogue.json
# the findings that are a warning or critical
jq -r '.findings[] | select(.severity != "info") | "\(.id) \(.severity)"' $catalogue |
  while read -r id severity; do
    labels="finding=\"$id\",netns=\"host\",subject=\"[::]:80\""
    printf '%s %s %s\n' "$(sed 's/^/-/; s/-\(.\)/\u\1/g; s/^/Tcpdiag/' <<<"$id")" "$severity" "$labels"
    printf '  tcpdiag_finding_active{instance="%s",severity="%s",%s}  %s\n' bad "$severity" "$labels" '_ | 1 | _' \
      good info "$labels" '_ | 1 | _' gone "$severity" "$labels" '_ | _ | _'
  done >"$scratch/findings.table"
[ "$(grep -c '^Tcpdiag' "$scratch/findings.table")" -ge 40 ] || die "$catalogue has too few findings"
tests() { awk "$@" -v rules="$PWD/alerts.yml" -f "$here/alert_tests.awk" alerts.yml "$here/alerts.table" "$scratch/findings.table"; }
tests >"$scratch/table_test.yml"
promtool test rules "$scratch/table_test.yml" || die "alerts"
diff <(sed -n 's/^      - alert: //p' alerts.yml | sort -u) \
  <(grep -ho '^Tcpdiag[A-Za-z0-9]*' "$here/alerts.table" "$scratch/findings.table" | sort -u) ||
  die "an alert without a test, or a test without an alert"

echo "short findings"
# Most findings live 40 s, of which a scrape every 15 s sees two samples. Each alert tells of that, and at once of one that
# gets worse; those about settings wait.
awk '
  FILENAME ~ /yml$/ { if ($1 == "-") alert = $3; if ($1 == "for:") waits[alert] = 1; next }
  /^Tcpdiag/ && $1 != "TcpdiagFindingReturns" && !waits[$1] && $3 ~ /^finding=/ && !seen[$1]++ {
    finding = $3; sub(/,.*/, "", finding)
    labels = sprintf("job=\"%s\",instance=\"bad\",%s", $1, finding)
    series = series sprintf("      - {series: \x27tcpdiag_finding_active{%s,severity=\"warning\"}\x27, values: _x20 1x1 stale}\n", labels)
    series = series sprintf("      - {series: \x27tcpdiag_finding_active{%s,severity=\"critical\"}\x27, values: _x22 1x1 stale}\n", labels)
    want("4m45s", "warning", 0); want("5m", "warning", 1); want("5m15s", "critical", 0); want("5m30s", "critical", 1)
    want("10m", "warning", 1); want("10m", "critical", 1); want("11m30s", "warning", 0); want("11m30s", "critical", 0)
  }
  function want(time, severity, fires) {
    tests = tests sprintf("      - {eval_time: %s, expr: \x27count(ALERTS{alertname=\"%s\",severity=\"%s\",alertstate=\"firing\"})\x27, exp_samples: [%s]}\n",
      time, $1, severity, fires ? "{value: 1}" : "")
  }
  END { printf "rule_files: [%s]\nevaluation_interval: 15s\ntests:\n  - interval: 15s\n    input_series:\n%s    promql_expr_test:\n%s", rules, series, tests }
' rules="$PWD/alerts.yml" alerts.yml "$scratch/findings.table" "$here/alerts.table" >"$scratch/short_test.yml"
[ "$(grep -c 'severity="critical"}.*values' "$scratch/short_test.yml")" -ge 30 ] || die "too few short findings"
promtool test rules "$scratch/short_test.yml" || die "short findings"

echo "hosts that come and go, hosts of the same name"
cp alerts.yml recording.yml "$here"/*_test.yml "$scratch"
promtool test rules "$scratch/hosts_test.yml" || die "hosts that come and go"
promtool test rules "$scratch/clusters_test.yml" || die "hosts of the same name"

echo "texts"
tests -v show=1 >"$scratch/show.yml"
! promtool test rules "$scratch/show.yml" >"$scratch/texts" 2>&1 || die "promtool shows no texts"
! grep "<error\|<no value\|%!\|=\"\"" "$scratch/texts" || die "a text cannot be made"
diff <(sed -n 's/^      - alert: //p' alerts.yml | sort -u) \
  <(grep -B1 "Annotations:{description=" "$scratch/texts" | grep -o "alertname=\"[^\"]*" | cut -d"\"" -f2 | sort -u) || die "an alert without a text"

echo "who and how much"
promtool test rules "$scratch/texts_test.yml" || die "texts with a process and its numbers"

echo "links"
# those that are written by hand are listed in the documentation
diff <(sed -n '/^  # From here on made/q; s/^      - alert: //p' alerts.yml | sort) \
  <(sed -n 's/^| `\(Tcpdiag[A-Za-z]*\)` | .*/\1/p' ../../docs/monitoring.md | sort) || die "docs/monitoring.md lists other alerts"
sed -n 's/^          docs: //p' alerts.yml | grep -v "{{" | sort -u | while IFS="#" read -r file part; do
  [[ $file == /usr/share/doc/tcpdiagd/* ]] || die "$file is in no package"
  file=../../docs/${file#/usr/share/doc/tcpdiagd/}
  [ -f "$file" ] || die "$file is not there"
  [ -z "$part" ] || sed -n "s/^##* //p" "$file" | tr A-Z a-z | sed "s/[^a-z0-9 -]//g; s/ /-/g" | grep -x -- "$part" >/dev/null ||
    die "$file has no part $part"
done

echo "recording rules"
promtool test rules "$scratch/recording_test.yml" || die "recording rules"
diff <(sed -n 's/^      - record: //p' recording.yml | sort) <(sed -n 's/^      - expr: //p' "$here/recording_test.yml" | sort -u) ||
  die "a recording rule without a test, or a test without a rule"

echo "names"
perl "$here/check_names.pl" $catalogue alerts.yml recording.yml
# and the check itself finds what is wrong
for wrong in s/ephemeral_ports_used_max/ephemeral_ports_used/ s/le=/lee=/ 's/ignoring (process, unit/ignoring (process, units/'; do
  sed "$wrong" recording.yml >"$scratch/wrong.yml"
  ! perl "$here/check_names.pl" $catalogue alerts.yml \
    "$scratch/wrong.yml" >/dev/null || die "it takes $wrong"
done

echo "shards"
perl "$here/check_shards.pl" ../../docs/scale.md recording.yml || die "docs/scale.md lets shards send the wrong series"
