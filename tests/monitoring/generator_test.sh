#!/usr/bin/env bash
# The dashboards in the repository are what their source makes.
#
# Usage: generator_test.sh
# Also: a changed source makes other dashboards; what the library's types do not know is refused.
# Exit code 77: skipped, because Node or the packages are not to be had.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# made SOURCE: the dashboards that a copy of monitoring/grafana makes, in $scratch/made. All share
# the packages of one folder.
made() {
  rm -rf "$scratch/made"
  mkdir "$scratch/made"
  ORDO_GRAFANA_WORK=$root/build/grafana "$1/generate.sh" "$scratch/made"
}

made "$root/monitoring/grafana"
diff -ru "$root/monitoring/grafana/dashboards" "$scratch/made" ||
  die "the dashboards are not what src/ makes: run monitoring/grafana/generate.sh"

# spoilt FILE SED: a copy of the source in which one thing is changed.
spoilt() {
  rm -rf "$scratch/grafana"
  cp -r "$root/monitoring/grafana" "$scratch/grafana"
  sed -i "$2" "$scratch/grafana/src/$1"
  ! cmp -s "$root/monitoring/grafana/src/$1" "$scratch/grafana/src/$1" ||
    die "nothing to spoil: $2"
}

spoilt overview.ts 's/Orders a minute/Orders an hour/'
made "$scratch/grafana"
! diff -rq "$root/monitoring/grafana/dashboards" "$scratch/made" >/dev/null ||
  die "not noticed: another title"

spoilt panels.ts "s/mode: dashboard.ThresholdsMode/mood: dashboard.ThresholdsMode/"
! made "$scratch/grafana" >"$scratch/log" 2>&1 ||
  die "not refused: a key that Grafana does not know"
grep -q "'mood' does not exist in type" "$scratch/log" || die "$(<"$scratch/log")"
printf 'the dashboards are what their source makes\n'
