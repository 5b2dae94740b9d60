# shellcheck shell=bash
# ./dev test and ./dev check. Each stage adds what it counted; the last line is "N passed, N
# failed".

passed=0
failed=0
failed_stages=()
ahead='' # the process group of build_ahead

# stage NAME COMMAND…: a test without a count of its own.
stage() {
  local name=$1 started=$SECONDS
  shift
  step "$name"
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    failed_stages+=("$name")
  fi
  say "   $((SECONDS - started)) s"
}

# assertions_of LOG: which tests failed and what each first said, short enough for a last page.
assertions_of() {
  local said=': Failure$|^not ok |Error: |: Timeout |^not within |^check failed: '
  local ended='Failed|Timeout|SEGFAULT|Subprocess aborted'
  grep -E "[0-9]+ - .+ \\(($ended)\\)" "$1" | sort -u | head -n 20 || true
  grep -E -A 4 "$said" "$1" | grep -vE '^ *["{}]|^--' | cut -c 1-200 | head -n 40 || true
}

# ctest_stage NAME FOLDER ARGUMENT…: counts what ctest counts.
ctest_stage() {
  local name=$1 folder=$2 log started=$SECONDS line bad all
  shift 2
  step "$name"
  log=$(log_of ctest "${name//[^a-z0-9]/-}")
  ctest --test-dir "$folder" --output-on-failure --timeout 600 "$@" >"$log" 2>&1 || true
  line=$(grep -E 'tests passed, [0-9]+ tests failed out of [0-9]+' "$log" | tail -n 1 || true)
  if [ -z "$line" ]; then
    tail -n 40 "$log"
    failed=$((failed + 1))
    failed_stages+=("$name (no tests ran)")
    return
  fi
  bad=$(sed -E 's/.*, ([0-9]+) tests failed out of.*/\1/' <<<"$line")
  all=$(sed -E 's/.*out of ([0-9]+).*/\1/' <<<"$line")
  if [ "$bad" != 0 ]; then
    grep -vE '^ *Start |   Passed ' "$log" | tail -n 200
    failed_stages+=("$name: $log"$'\n'"$(assertions_of "$log")")
  fi
  # ctest counts as passed what skipped itself; here it is at least said.
  sed -nE 's/.* (Test +#[0-9]+: )?([A-Za-z_.]+) \.+\*{3}Skipped.*/   skipped: \2/p' "$log"
  passed=$((passed + all - bad))
  failed=$((failed + bad))
  say "   $line, $((SECONDS - started)) s"
}

# built NAME PRESET TARGET…: compiles; what does not compile is a failed test.
built() {
  local name=$1
  shift
  step "$name"
  local started=$SECONDS
  if ! build_preset "$@"; then
    failed=$((failed + 1))
    failed_stages+=("$name")
    return 1
  fi
  say "   $((SECONDS - started)) s"
}

# Prints the last line, and fails where a test did.
conclude() {
  local name
  for name in "${failed_stages[@]}"; do
    say "${red}failed:${plain} $name"
  done
  say "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

sim_run() { build/release/tests/sim/ordo-sim "$@"; }

tsan_settings() {
  echo "halt_on_error=1 second_deadlock_stack=1 suppressions=$ORDO_ROOT/tests/tsan.supp"
}

dev_test() {
  case "${1:-}" in
    '') test_all ;;
    bare) test_bare ;;
    zombie | faults | install | monitoring | browser | helm) test_label "$1" ;;
    image) ensure image && test_label image ;;
    *) test_named "$1" ;;
  esac
}

test_label() {
  ensure build run test
  built "build (release)" release && ctest_stage "$1" build/release -L "$1"
  conclude
}

# Tests by their name (a regular expression), in the release build: `broker` also finds Broker,
# `plan_stability` also PlanStability.
test_named() {
  local name=$1 pattern=$1 first=${1:0:1}
  [[ $first == [a-zA-Z] ]] && pattern="[${first,}${first^}]${name:1}"
  pattern="$pattern|$(sed -E 's/(^|_)([a-z])/\U\2/g' <<<"$name")"
  ensure build run test
  built "build (release)" release || {
    conclude
    return
  }
  if ctest --test-dir build/release -N -R "$pattern" | grep -qx 'Total Tests: 0'; then
    note "no test has '$name' in its name; \`ctest --test-dir build/release -N\` lists them all"
    note "or name a part: zombie, faults, install, image, monitoring, browser, helm, bare"
    exit 2
  fi
  ctest_stage "$name" build/release -R "$pattern"
  conclude
}

# figure_of KEY LINE: the whole part of a number in a line of flat JSON; "" where there is none.
figure_of() { sed -nE "s/.*\"$1\":(-?[0-9]+)(\.[0-9]+)?[,}].*/\1/p" <<<"$2"; }

# A million orders wait: none may be lost, and the broker's memory stays under its bound. Times are
# not judged here, because this machine may be busy; docs/performance.md has them.
backlog_keeps_all() {
  local line rss
  line=$(build/release/bench/ordo-bench backlog --orders 1000000 | tail -n 1) || return 1
  say "   $line"
  [ "$(figure_of orders "$line")" = 1000000 ] || { note "backlog: no million orders" && return 1; }
  [ "$(figure_of lost "$line")" = 0 ] || { note "backlog: orders were lost" && return 1; }
  rss=$(figure_of rss_mib "$line")
  [ "${rss:-512}" -lt 512 ] || { note "backlog: the broker took ${rss:-?} MiB" && return 1; }
}

# The sanitized builds take what the tests leave idle, which is much: those wait for servers, beats
# and timeouts. Their own stages build again, which says whether this worked.
build_ahead() {
  set -m # a process group of its own, which ends with this script
  {
    renice -n 19 -p "$BASHPID" >/dev/null
    build_preset asan ordo_core_tests && build_preset tsan ordo_thread_tests
  } >"$(log_of build ahead)" 2>&1 &
  ahead=$!
  set +m
  trap 'kill -- "-$ahead" 2>/dev/null || true' EXIT
}

test_all() {
  ensure build run test image
  if built "build (release)" release; then
    build_ahead
    ctest_stage "unit, transcripts, contract, tidy" build/release -j "$(nproc)" \
      -L 'unit|transcript|contract|tidy' -LE 'integration|faults|zombie'
    ctest_stage "integration" build/release -L 'integration|install'
    ctest_stage "container image" build/release -L image
    stage "simulator, 3000 seeds" sim_run --seeds 3000
    stage "simulator, planted bugs" sim_run --plants
    stage "backlog of a million orders: counts and memory" backlog_keeps_all
    wait "$ahead" || true
  fi
  if built "build (address and undefined-behaviour sanitizers)" asan ordo_core_tests; then
    ctest_stage "cores under asan and ubsan" build/asan -j "$(nproc)" \
      -L 'unit|transcript|contract|sim' -LE 'integration|faults|zombie|benchmark'
    stage "simulator under asan and ubsan" \
      build/asan/tests/sim/ordo-sim --from 3001 --seeds 300 --quiet
  fi
  if built "build (thread sanitizer)" tsan ordo_thread_tests; then
    TSAN_OPTIONS=$(tsan_settings) ctest_stage "threads under tsan" build/tsan -L threads
  fi
  conclude
}

dev_check() {
  ensure build lint
  if built "build (dev)" dev ordo_check_tests; then
    ctest_stage "unit, transcripts, tidy" build/dev -j "$(nproc)" \
      -L 'unit|transcript|tidy' -LE 'integration|faults|zombie'
    stage "simulator, 100 seeds" build/dev/tests/sim/ordo-sim --seeds 100 --quiet
  fi
  stage "layout" check_layout
  stage "shell scripts" check_scripts
  conclude
}

# A bare Debian 12 in a folder: what a newcomer's machine has is proved by having nothing else.
test_bare() {
  is_root || die "test bare needs root (debootstrap, chroot)"
  ensure bare
  local failed=0
  root=$ORDO_ROOT/build/bare/root # not local: the trap runs when this function has returned
  . "$ORDO_ROOT/cmake/dev/bare.sh"
  bare_make "$root"
  trap 'bare_unmount "$root"' EXIT
  bare_mount "$root"
  step "in the bare system: ./dev demo --once --orders 500"
  bare_run "$root" "./dev demo --once --orders 500 --output json" || failed=1
  step "in the bare system: ./dev test"
  bare_run "$root" "./dev test" || failed=1
  [ "$failed" = 0 ] && say "2 passed, 0 failed" && return
  say "bare: $failed failed"
  return 1
}
