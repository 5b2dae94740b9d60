#!/bin/bash
# Runs files of browser tests: what ctest calls. Exit code 77: something is missing, and it says
# what.
#   run.sh PAGE_DIST PACKAGES FILE…
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dist=$1 packages=$2
shift 2

skip() {
  echo "skipped: $1" >&2
  exit 77
}
command -v node >/dev/null || skip "node is missing (on Debian: apt-get install nodejs npm)"
command -v npm >/dev/null || skip "npm is missing (on Debian: apt-get install npm)"
browser=${ORDO_BROWSER:-/usr/bin/chromium}
[ -x "$browser" ] || skip "$browser is missing (on Debian: apt-get install chromium)"
[ -f "$dist/app.js" ] || skip "this build has no page; CMake's output says why"

stamp=$packages/lock.stamp
wanted=$(cat "$here/package.json" "$here/package-lock.json" "$here/.npmrc" | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  mkdir -p "$packages"
  cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$packages"
  (cd "$packages" && npm ci --ignore-scripts --loglevel=error --fetch-retries=1 --prefer-offline) ||
    skip "npm could not fetch playwright-core and axe-core; see that its registry can be reached"
  echo "$wanted" >"$stamp"
fi
export ORDO_PAGE_DIST=$dist ORDO_BROWSER_PACKAGES=$packages
cd "$here"
exec node --test "$@"
