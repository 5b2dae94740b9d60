# shellcheck shell=bash
# What every part of ./dev shares: words on the terminal, waiting, and who runs PostgreSQL.

bold='' plain='' red='' green=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
  bold=$'\e[1m' plain=$'\e[0m' red=$'\e[31m' green=$'\e[32m'
fi

say() { printf '%s\n' "$*"; }
note() { printf '%s\n' "dev: $*" >&2; }
step() { printf '%s\n' "${bold}== $*${plain}"; }
die() {
  note "$*"
  exit 1
}

is_ci() { [ "${CI:-}" = true ]; }
is_root() { [ "$(id -u)" = 0 ]; }
has() { command -v "$1" >/dev/null 2>&1; }

# A compiler of this project takes up to 1.2 GiB: as many jobs as processors, unless memory says
# fewer.
jobs_count() {
  local cores memory_kib by_memory
  cores=$(nproc)
  memory_kib=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
  by_memory=$((memory_kib / 1200000))
  [ "$by_memory" -ge 1 ] || by_memory=1
  [ "$by_memory" -lt "$cores" ] && cores=$by_memory
  echo "$cores"
}

# wait_until SECONDS WHAT COMMAND…: looks ten times a second until COMMAND succeeds.
wait_until() {
  local limit=$1 what=$2 deadline
  shift 2
  deadline=$((SECONDS + limit))
  until "$@" >/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || die "$what: not within $limit s"
    sleep 0.1
  done
}
