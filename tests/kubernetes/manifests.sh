#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every overlay and component becomes objects that Kubernetes and the Prometheus operator know, with the project's own rules
# and dashboards in them.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
source "$(dirname "$0")/render.bash"
die() { echo "FAILED: $*" >&2; exit 1; }

rules=$TCPDIAG_SOURCE_DIR/monitoring/prometheus
install_schemas || die "the schemas cannot be installed"
render plain || die "overlay plain"
render prometheus-operator "$rules" || die "overlay prometheus-operator"
for overlay in plain prometheus-operator; do
  for dashboard in fleet host service; do
    jq -e --arg name "tcpdiag-$dashboard" --rawfile text "$TCPDIAG_SOURCE_DIR/monitoring/grafana/dashboards/tcpdiag-$dashboard.json" \
      '.[] | select(.kind == "ConfigMap" and .metadata.name == $name) | .data[$name + ".json"] == $text' \
      "$scratch/$overlay.json" >/dev/null || die "overlay $overlay has not the dashboard $dashboard"
  done
done
for component in kernel-log own-namespace unprivileged; do
  render "$component" || die "component $component"
done

# The capability that enters namespaces is that of one container alone, in which nothing else is.
render base || die "the base"
jq -e '.[] | select(.kind == "DaemonSet") | .spec.template.spec as $pod |
  [$pod.containers[] | select(.securityContext.capabilities.add | index("SYS_ADMIN"))] as $entering |
  ($entering | map(.name)) == ["netns"] and $entering[0].securityContext.capabilities.add == ["SYS_ADMIN"] and
  ($entering[0] | has("ports") | not) and ($entering[0].volumeMounts | map(.name)) == ["netns"] and $pod.hostPID' "$scratch/base.json" >/dev/null ||
  die "another container than netns may enter namespaces, or netns has more than that"
for component in own-namespace unprivileged; do
  jq -e '.[] | select(.kind == "DaemonSet") | .spec.template.spec | (.containers | length) == 1 and (.volumes | map(.name)) == ["config"] and
    ([.containers[].securityContext.capabilities.add // [] | .[]] | index("SYS_ADMIN") | not)' "$scratch/$component.json" >/dev/null ||
    die "component $component: something of the pods' namespaces is left"
done

# What the documentation says, with what is installed.
documented() { sed -n "/^    cat >${1//\//\\/} <<END/,/^    END/ { s/^    //; /END/!p }" "$TCPDIAG_SOURCE_DIR/docs/kubernetes.md" >"$scratch/$1"; }
DESTDIR=$scratch/installed cmake --install "$TCPDIAG_BUILD_DIR" --prefix /usr >/dev/null || die "cannot be installed"
cp -r "$scratch/installed/usr/share/tcpdiagd" "$scratch/monitoring" && mkdir "$scratch/rules"
documented kustomization.yaml
checked site "$scratch" || die "the overlay of the documentation"
jq -e 'any(.kind == "DaemonSet" and (.spec.template.spec.containers[0].image | startswith("REGISTRY/")))' "$scratch/site.json" >/dev/null ||
  die "the overlay of the documentation does not set the image"
sed -n '/^    patches:/,/^$/ s/^    //p' "$TCPDIAG_SOURCE_DIR/docs/kubernetes.md" >>"$scratch/kustomization.yaml"
checked before-1.30 "$scratch" || die "the overlay of the documentation for Kubernetes before 1.30"
jq -e '.[] | select(.kind == "DaemonSet") | .spec.template |
  (.spec.securityContext | has("appArmorProfile") | not) and any(.metadata.annotations[]; . == "unconfined")' "$scratch/before-1.30.json" >/dev/null ||
  die "the overlay for Kubernetes before 1.30 has the field, or not the annotation"
documented rules/kustomization.yaml
checked rules "$scratch/rules" "$rules" || die "the rules of the documentation"
[ "$(jq -r '.[].metadata.namespace' "$scratch/rules.json")" = PROMETHEUS_NAMESPACE ] || die "the rules are not in the namespace of Prometheus"
checked operator "$scratch/monitoring/kubernetes/overlays/prometheus-operator" "$rules" || die "the overlay prometheus-operator, as it is installed"
for document in dashboards kubernetes; do
  for link in $(grep -o ']([^)#:]*[)#]' "$scratch/installed/usr/share/doc/tcpdiagd/$document.md" | tr -d ']()#'); do
    [ -e "$scratch/installed/usr/share/doc/tcpdiagd/$link" ] || die "$document.md is installed, and $link is not"
  done
done

# An update makes a new pod, and its series go on.
jq -e '[.[] | select(.kind == "PodMonitor") | .spec.podMetricsEndpoints[].relabelings |
  any(.action == "labeldrop" and (.regex as $regex | "pod" | test("^(" + $regex + ")$")))] == [true]' "$scratch/prometheus-operator.json" >/dev/null ||
  die "the label pod stays on all series"

# What is not right is refused: a misspelt key, and a value of a wrong type.
for change in 's/hostPID: true/hostPid: true/' 's/periodSeconds: 10/periodSeconds: ten/'; do
  sed "$change" "$scratch/plain.yaml" >"$scratch/wrong.yaml"
  if (cd "$modules" && node "$TCPDIAG_SOURCE_DIR/tests/kubernetes/check.mjs" "$scratch/wrong.yaml") >/dev/null 2>&1; then
    die "not refused: $change"
  fi
done
