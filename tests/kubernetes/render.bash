# SPDX-License-Identifier: Apache-2.0
# Sourced. render NAME [RULES]: what kustomize makes of an overlay, or of the base with a component, checked against
# the schemas; its objects are in $scratch/NAME.json. checked NAME FOLDER [RULES]: the same of any folder.
modules=$TCPDIAG_BUILD_DIR/kubernetes
manifests=$TCPDIAG_SOURCE_DIR/monitoring/kubernetes

# The packages are installed once, exactly those of package-lock.json.
install_schemas() {
  local here=$TCPDIAG_SOURCE_DIR/tests/kubernetes
  cmp -s "$here/package-lock.json" "$modules/node_modules/installed" && return
  mkdir -p "$modules" && cp "$here"/package*.json "$modules/" &&
    npm ci --prefix "$modules" --ignore-scripts --no-audit --no-fund --loglevel=error &&
    cp "$here/package-lock.json" "$modules/node_modules/installed"
}

render() {
  local name=$1 root=$manifests/overlays/$1
  if [ "$name" = base ]; then root=$manifests/base; fi
  if [ -d "$manifests/components/$name" ] && [ ! -d "$root" ]; then
    root=$modules/$name && mkdir -p "$root"
    cat >"$root/kustomization.yaml" <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [$(realpath --relative-to="$root" "$manifests/base")]
components: [$(realpath --relative-to="$root" "$manifests/components/$name")]
YAML
  fi
  checked "$name" "$root" "${@:2}"
}

checked() {
  kustomize build "$2" >"$scratch/$1.yaml" &&
    (cd "$modules" && node "$TCPDIAG_SOURCE_DIR/tests/kubernetes/check.mjs" "$scratch/$1.yaml" "${@:3}") >"$scratch/$1.json"
}
