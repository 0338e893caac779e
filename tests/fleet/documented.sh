#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every configuration of Prometheus in docs/scale.md is one, and what it drops is asked for by no alert, no recording rule and
# no panel of the Fleet dashboard.
set -euo pipefail
: "${TCPDIAG_SOURCE_DIR:?is not set: ctest sets it}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
die() { echo "FAILED: $*" >&2; exit 1; }

awk -v into="$scratch" '/^```yaml$/ { ++n; inside = 1; next } /^```$/ { inside = 0 } inside { print >(into "/" n ".yml") }' \
  "$TCPDIAG_SOURCE_DIR/docs/scale.md"
for config in "$scratch"/*.yml; do
  promtool check config "$config" >"$scratch/said" 2>&1 || die "$(cat "$config" "$scratch/said")"
done

dropped=$(grep -h -B1 'action: drop' "$scratch"/*.yml | sed -n 's/^ *regex: //p')
[ -n "$dropped" ] || die "the example drops nothing"
cd "$TCPDIAG_SOURCE_DIR/monitoring"
{
  sed 's/^ *#.*//' prometheus/alerts.yml prometheus/recording.yml
  jq -r '.. | objects | .expr // empty | strings' grafana/dashboards/tcpdiag-fleet.json
} | grep -oE '\btcpdiag_[a-z0-9_]+' | sort -u >"$scratch/used"
[ "$(wc -l <"$scratch/used")" -ge 20 ] || die "only $(wc -l <"$scratch/used") metrics are used"
if grep -xE "$dropped" "$scratch/used"; then die "dropped, but used"; fi
