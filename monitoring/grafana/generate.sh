#!/usr/bin/env bash
# Makes the dashboards from src/.
#
# Usage: generate.sh [FOLDER]   into FOLDER (default: dashboards/ beside this file)
# Packages are installed by the lockfile into build/grafana (or ORDO_GRAFANA_WORK). Exit code 77:
# Node or the packages are not to be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
into=$(realpath "${1:-$here/dashboards}")
work=${ORDO_GRAFANA_WORK:-$here/../../build/grafana}

missing() {
  printf 'SKIPPED: %s\n' "$*" >&2
  exit 77
}

# What is not to be had is one thing, a lockfile that does not fit another.
install() {
  npm ci >npm.log 2>&1 && return
  cat npm.log >&2
  ! grep -q EUSAGE npm.log || exit 1
  missing "npm could not install what $here/package-lock.json names"
}

command -v npm >/dev/null || missing "no npm; ./dev setup test installs it"
mkdir -p "$work"
rm -rf "$work/src" "$work/made"
cp -r "$here"/{src,package.json,package-lock.json,tsconfig.json,.npmrc} "$work"
cd "$work"
if ! cat package.json package-lock.json | cmp -s - node_modules/installed; then
  install
  cat package.json package-lock.json >node_modules/installed
fi
node_modules/.bin/tsc
node made/generate.js "$into"
