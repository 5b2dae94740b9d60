#!/usr/bin/env bash
# Installs a build into a scratch prefix, takes the first program out of README.md, builds it
# outside of this tree by find_package and again by pkg-config, and runs both against a broker of
# the installed programs.
#
# Usage: install_test.sh SOURCE_FOLDER BUILD_FOLDER
set -euo pipefail
ORDO_ROOT=$1
build=$2
cd "$ORDO_ROOT"
. cmake/dev/common.sh
. cmake/dev/system.sh

scratch=$build/install-test
prefix=$scratch/prefix
local_dir=$scratch/system
rm -rf "$scratch"
mkdir -p "$scratch/hello" "$local_dir"
export ORDO_LISTEN_CLIENTS=127.0.0.1:0 ORDO_LISTEN_WORKERS=127.0.0.1:0
export ORDO_LISTEN_HTTP=127.0.0.1:0

# The programs under test are the installed ones, and they may run from there.
program() { echo "$prefix/bin/$1"; }
is_ours() { case "$1" in "$prefix"/*) return 0 ;; *) return 1 ;; esac; }
pg_home() { echo "$place"; }
place=$(mktemp -d /tmp/ordo-install-XXXXXX)
finish() {
  system_down >/dev/null || true
  rm -rf "$place"
}
trap finish EXIT

# What `./dev up` builds must be all that the install takes: nobody builds more before it.
step "the group of targets \`programs\` holds every program and library that is installed"
ninja -C "$build" -t query programs | awk '/^  [a-z]+:/ { on = /input/ } on { print $1 }' |
  sort >"$scratch/programs"
find "$build" -path "$scratch" -prune -o -name cmake_install.cmake -print0 |
  xargs -0 awk '/TYPE (EXECUTABLE|SHARED_LIBRARY)/ { on = 1 } on; /\)/ { on = 0 }' |
  grep -oE "\"$build/[^\"]+\"" | tr -d '"' | sed -E "s,^$build/,,; s/[.]so[.].*/.so/" |
  sort -u >"$scratch/installed"
grep -q 'libordo_client\.so' "$scratch/installed" || die "the install rules name no library"
missing=$(comm -23 "$scratch/installed" "$scratch/programs" | tr '\n' ' ')
[ -z "$missing" ] || die "not built by \`./dev up\`, though installed: $missing"

step "install into $prefix"
cmake --install "$build" --prefix "$prefix" >"$scratch/install.log"
for file in bin/ordo{,-broker,-doctor,-migrate,-demo,-shop-worker} \
  include/ordo/{client,worker}.hpp share/ordo/pipelines/hello.yaml; do
  [ -e "$prefix/$file" ] || die "the install has no $file"
done

step "the program of README.md, by find_package"
fenced() { awk -v fence="\`\`\`$1" '$0 == fence { on = 1; next } /^```/ { on = 0 } on' README.md; }
fenced cpp >"$scratch/hello/hello.cpp"
fenced cmake >"$scratch/hello/CMakeLists.txt"
lines=$(grep -c . "$scratch/hello/hello.cpp")
[ "$lines" -gt 10 ] || die "README.md has no program"
[ "$lines" -le 40 ] || die "the program has $lines lines; at most 40"
cmake -S "$scratch/hello" -B "$scratch/hello/build" -DCMAKE_PREFIX_PATH="$prefix" \
  >"$scratch/configure.log"
cmake --build "$scratch/hello/build" >"$scratch/build.log"

step "the same, by pkg-config"
config=$(find "$prefix" -type d -name pkgconfig)
export PKG_CONFIG_PATH=$config
read -r -a flags < <(pkg-config --cflags --libs ordo-client ordo-worker)
g++ -std=c++20 -o "$scratch/hello/by-pkg-config" "$scratch/hello/hello.cpp" "${flags[@]}"

step "both run"
start_broker
library=$(dirname "$config")
expected='succeeded: hello world!'
places=("$(endpoint clients)" "$(endpoint workers)")
said=$("$scratch/hello/build/hello" "${places[@]}")
[ "$said" = "$expected" ] || die "found by find_package, it says: $said"
said=$(LD_LIBRARY_PATH=$library "$scratch/hello/by-pkg-config" "${places[@]}")
[ "$said" = "$expected" ] || die "found by pkg-config, it says: $said"
"$(program ordo)" --endpoint "${places[0]}" pipeline ls | grep -q greeting ||
  die "the installed command line does not see the pipeline"
say "install: well"
