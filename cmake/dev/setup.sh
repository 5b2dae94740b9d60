# shellcheck shell=bash
# Installs what is missing on Debian 12; elsewhere says what is needed. The list:
# cmake/packages.txt.

is_debian_12() {
  (
    # shellcheck source=/dev/null
    . /etc/os-release 2>/dev/null || exit 1
    [ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ]
  )
}

# packages_of GROUP…: "package<TAB>why", each package once.
packages_of() {
  local groups=" $* "
  awk -v groups="$groups" '
    /^#/ || NF < 3 { next }
    index(groups, " " $1 " ") && !seen[$2]++ {
      name = $2; $1 = ""; $2 = ""; sub(/^ +/, ""); print name "\t" $0
    }' "$ORDO_ROOT/cmake/packages.txt"
}

is_installed() {
  # Builds of Node from elsewhere bring their own npm, and exclude Debian's.
  if [ "$1" = npm ] && has npm; then return; fi
  [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | cut -c1-2)" = ii ]
}

missing_of() {
  local name why
  packages_of "$@" | while IFS=$'\t' read -r name why; do
    is_installed "$name" || printf '%s\t%s\n' "$name" "$why"
  done
}

as_admin() {
  if is_root; then
    "$@"
  elif has sudo; then
    sudo "$@"
  else
    die "this needs root: run it as root or install sudo (the command: $*)"
  fi
}

# Debian starts a system server when its PostgreSQL package arrives. Nobody asked for one: for the
# time of this installation, and only where no PostgreSQL is there yet, its own switch is turned
# off.
without_system_cluster() {
  local switch=/etc/postgresql-common/createcluster.d/ordo-setup.conf failed=0
  if [ -e /usr/share/postgresql-common ]; then
    "$@"
    return
  fi
  as_admin mkdir -p "$(dirname "$switch")"
  echo 'create_main_cluster = false' | as_admin tee "$switch" >/dev/null
  "$@" || failed=$?
  as_admin rm -f "$switch"
  return "$failed"
}

# The same for servers of which only the programs are wanted. policy-rc.d is what Debian asks before
# it starts a service: for the time of this installation it says no to those that are new, and to
# nothing else. Afterwards they are taken out of what starts with the system.
without_system_servers() {
  local policy=/usr/sbin/policy-rc.d server failed=0 made=false new=()
  for server in prometheus prometheus-alertmanager; do
    is_installed "$server" || new+=("$server")
  done
  if [ ${#new[@]} -gt 0 ] && [ ! -e "$policy" ]; then
    made=true
    as_admin tee "$policy" >/dev/null <<'POLICY'
#!/bin/sh
case " $* " in *' prometheus'*) exit 101 ;; esac
POLICY
    as_admin chmod 755 "$policy"
  fi
  "$@" || failed=$?
  for server in "${new[@]}"; do
    if is_installed "$server"; then
      as_admin update-rc.d "$server" disable >/dev/null 2>&1 || true
    fi
  done
  if [ "$made" = true ]; then as_admin rm -f "$policy"; fi
  return "$failed"
}

install_packages() {
  local log=build/logs/apt.log apt
  apt=(as_admin env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o Dpkg::Use-Pty=0)
  mkdir -p build/logs
  # An index that is not there yet, or names packages that are gone, is fetched; otherwise the
  # network rests.
  if ! "${apt[@]}" install --no-install-recommends --download-only "$@" >"$log" 2>&1; then
    "${apt[@]}" update >"$log" 2>&1 || true
  fi
  without_system_cluster without_system_servers \
    "${apt[@]}" install --no-install-recommends "$@" >>"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "apt-get could not install them (the whole output: $log)"
  }
}

say_elsewhere() {
  note "this system is not Debian 12: install these (Debian's names) with your own package manager:"
  packages_of "$@" | awk -F '\t' '{ printf "  %-22s %s\n", $1, $2 }' >&2
}

# ensure GROUP…: installs what is missing of these groups; quiet where nothing is.
ensure() {
  local missing names
  if ! is_debian_12; then
    has cmake && has ninja && { has g++ || has clang++; } && return
    say_elsewhere "$@"
    exit 1
  fi
  missing=$(missing_of "$@")
  [ -n "$missing" ] || return 0
  say "Missing on this system, to be installed with apt-get:"
  printf '%s\n' "$missing" | awk -F '\t' '{ printf "  %-22s %s\n", $1, $2 }'
  if [ -t 0 ] && [ -t 1 ] && ! is_ci; then
    local answer
    read -r -p "Install now? [Y/n] " answer
    case "$answer" in [nN]*) die "not installed; ./dev setup does it later" ;; esac
  fi
  mapfile -t names < <(printf '%s\n' "$missing" | cut -f1)
  install_packages "${names[@]}"
}

dev_setup() {
  local groups=("$@")
  [ ${#groups[@]} -gt 0 ] || groups=(build run test lint fuzz cover image)
  local group known
  known=$(awk '!/^#/ && NF >= 3 && !seen[$1]++ { print $1 }' "$ORDO_ROOT/cmake/packages.txt")
  for group in "${groups[@]}"; do
    grep -qxF -e "$group" <<<"$known" || {
      note "there is no group '$group': ${known//$'\n'/, }"
      exit 2
    }
  done
  if ! is_debian_12; then
    say_elsewhere "${groups[@]}"
    return
  fi
  ensure "${groups[@]}"
  say "Everything is there (${groups[*]})."
}
