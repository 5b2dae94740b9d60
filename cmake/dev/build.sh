# shellcheck shell=bash
# Configures and compiles a preset; the commands that run one program of it.

# build_preset PRESET [TARGET…]: configures when there is no build yet (ninja sees to the rest).
build_preset() {
  local preset=$1
  shift
  local folder=build/$preset
  local log
  log=$(log_of configure "$preset")
  [ -f "$folder/build.ninja" ] || cmake --preset "$preset" >"$log" 2>&1 || {
    cat "$log" >&2
    note "configuring $preset failed"
    return 1
  }
  local targets=("$@")
  [ ${#targets[@]} -gt 0 ] || targets=(all)
  if [ -t 1 ]; then
    ninja -C "$folder" -j "$(jobs_count)" "${targets[@]}"
  else
    ninja --quiet -C "$folder" -j "$(jobs_count)" "${targets[@]}"
  fi
}

log_of() {
  mkdir -p build/logs
  echo "build/logs/$1-$2.log"
}

dev_build() {
  local preset=${1:-release}
  [ $# -gt 0 ] && shift
  ensure build
  [ "$preset" = fuzz ] && ensure fuzz
  build_preset "$preset" "$@"
  say "Built: build/$preset"
}

dev_demo() {
  ensure build run
  step "building (release)" >&2
  build_preset release programs >&2
  exec build/release/examples/ordo-demo "$@"
}

dev_sim() {
  ensure build
  build_preset release ordo_sim >&2
  exec build/release/tests/sim/ordo-sim "$@"
}

dev_bench() {
  local measures='throughput, latency, backlog, restart, overload, outage, ceiling, cost'
  [ $# -gt 0 ] || die "bench what? $measures or against COMMIT"
  ensure build run
  build_preset release programs >&2
  if [ "$1" = against ]; then
    shift
    exec python3 bench/against.py "$@"
  fi
  exec build/release/bench/ordo-bench "$@"
}

dev_fuzz() {
  local seconds=${1:-60} fuzzer name failed=0
  ensure build fuzz
  build_preset fuzz fuzzers
  for fuzzer in build/fuzz/tests/fuzz/*_fuzz; do
    [ -x "$fuzzer" ] || die "no fuzzer was built"
    name=$(basename "$fuzzer")
    step "$name, $seconds s"
    mkdir -p "build/corpus/$name"
    local seeds=()
    [ -d "tests/fuzz/corpus/$name" ] && seeds=("tests/fuzz/corpus/$name")
    [ -f "tests/fuzz/$name.dict" ] && seeds+=("-dict=tests/fuzz/$name.dict")
    "$fuzzer" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix="build/corpus/$name-" "build/corpus/$name" "${seeds[@]}" \
      >"$(log_of fuzz "$name")" 2>&1 || {
      failed=$((failed + 1))
      tail -n 40 "$(log_of fuzz "$name")" >&2
    }
    grep -E 'number_of_executed_units|new_units_added' "$(log_of fuzz "$name")" || true
  done
  [ "$failed" = 0 ] || die "$failed fuzzers found something"
}

# What transcripts and the simulator reach of the engine: the branches that only an exception takes
# are left out, and lines that a comment excludes are counted.
coverage_of_core() {
  build_preset coverage transcript_test ordo_sim
  find build/coverage -name '*.gcda' -delete
  ORDO_REWRITE='' build/coverage/tests/transcripts/transcript_test --gtest_brief=1
  build/coverage/tests/sim/ordo-sim --seeds 3000 --quiet
  gcovr --root . --object-directory build/coverage --filter 'broker/core/' \
    --exclude-throw-branches --gcov-ignore-parse-errors --print-summary \
    --html-details build/coverage/core.html --txt build/coverage/core.txt build/coverage/broker/core
  say "excluded by a comment: $(cat broker/core/*.?pp | grep -c GCOVR_EXCL || true)"
  say "Report: build/coverage/core.html, core.txt"
}

dev_coverage() {
  ensure build run test cover
  case "${1:-}" in
    '') ;;
    core) coverage_of_core && return ;;
    *) die "coverage of what? core (transcripts and simulator), or nothing for all tests" ;;
  esac
  build_preset coverage
  ctest --test-dir build/coverage --output-on-failure \
    -L 'unit|transcript|contract|integration' || true
  gcovr --root . --object-directory build/coverage \
    --filter '(base|schema|broker|client|worker|monitoring)/' \
    --gcov-ignore-parse-errors --print-summary --html-details build/coverage/report.html \
    --txt build/coverage/report.txt
  say "Report: build/coverage/report.html"
}

dev_clean() {
  [ -d build ] || return 0
  system_down
  if mountpoint -q build/bare/root/proc 2>/dev/null; then
    die "build/bare is still mounted: umount build/bare/root/{proc,dev/pts,dev,tmp} first"
  fi
  image_forget
  rm -rf build
  say "Removed build/"
}
