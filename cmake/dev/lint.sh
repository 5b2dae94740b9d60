# shellcheck shell=bash
# Layout, static analysis and shell scripts.

sources() { git ls-files -co --exclude-standard -- '*.cpp' '*.hpp' 2>/dev/null || find_sources; }
find_sources() {
  find base schema broker client worker monitoring bench examples tests \
    -name '*.cpp' -o -name '*.hpp'
}
# The parts of ./dev are read with it: they are sourced.
scripts() { echo dev .ci/run tests/*/*.sh; }

existing() {
  local file
  while read -r file; do
    [ -f "$file" ] && echo "$file"
  done
  return 0
}

dev_fmt() {
  ensure lint
  sources | existing | xargs -r -n 20 -P "$(nproc)" clang-format-14 -i
}

check_layout() {
  local bad
  # shellcheck disable=SC2016
  bad=$(sources | existing | xargs -r -n 1 -P "$(nproc)" \
    sh -c 'clang-format-14 --dry-run -Werror "$0" >/dev/null 2>&1 || echo "$0"' | sort)
  [ -z "$bad" ] && return 0
  note "not laid out as .clang-format says (./dev fmt does it):"
  printf '%s\n' "$bad" | sed 's/^/  /' >&2
  return 1
}

check_scripts() {
  local files
  files=$(scripts | tr ' ' '\n' | existing)
  # shellcheck disable=SC2086
  shellcheck -x -a $files
}

# Files that differ from the last commit and from the branch that everything lands on.
changed_sources() {
  {
    git diff --name-only HEAD
    git ls-files -o --exclude-standard
    git diff --name-only "origin/HEAD...HEAD" 2>/dev/null ||
      git diff --name-only HEAD~1 HEAD 2>/dev/null || true
  } | grep -E '\.cpp$' | sort -u | existing
}

dev_lint() {
  local files=() failed=0
  ensure build lint
  case "${1:-}" in
    '') mapfile -t files < <(changed_sources) ;;
    --all) mapfile -t files < <(sources | grep -E '\.cpp$' | existing) ;;
    *) files=("$@") ;;
  esac
  step "layout"
  check_layout || failed=1
  step "shell scripts"
  check_scripts || failed=1
  step "clang-tidy (${#files[@]} files)"
  [ -f build/dev/build.ninja ] || cmake --preset dev >/dev/null
  local known=()
  for file in "${files[@]}"; do
    # A file that is not compiled (an example in a document, a fuzzer) has no command to analyse it
    # with.
    grep -qF "$file\"" build/dev/compile_commands.json && known+=("$file")
  done
  if [ ${#known[@]} -gt 0 ]; then
    printf '%s\n' "${known[@]}" |
      xargs -n 1 -P "$(jobs_count)" clang-tidy-14 --quiet -p build/dev 2>/dev/null || failed=1
  fi
  [ "$failed" = 0 ] || die "lint found something"
  say "lint: clean"
}
