# shellcheck shell=bash
# A Debian 12 folder with nothing but the minimal base, for ./dev test bare. Root only.

# bare_mirror [WORD]: the host's Debian mirror; with `-security`, of security updates. Nothing where
# its lists name none.
bare_mirror() {
  grep -rhoE "https?://[^ ]*/debian${1:-}/?( |\$)" /etc/apt/sources.list \
    /etc/apt/sources.list.d 2>/dev/null | head -n 1 | tr -d ' ' || true
}

# bare_bootstrap PRISTINE: Debian's minimal base in this folder, once.
bare_bootstrap() {
  local pristine=$1 mirror
  [ ! -f "$pristine.done" ] || return 0
  mirror=$(bare_mirror)
  [ -n "$mirror" ] || die "apt's lists name no mirror of Debian: add one to /etc/apt/sources.list"
  step "debootstrap (minbase)"
  rm -rf --one-file-system "$pristine"
  mkdir -p "$pristine"
  debootstrap --variant=minbase bookworm "$pristine" "$mirror" \
    >"$(log_of bare debootstrap)" 2>&1 ||
    die "debootstrap failed: see build/logs/bare-debootstrap.log"
  touch "$pristine.done"
}

# bare_way_to_packages ROOT: the host's mirrors and proxy settings. Nothing else of it.
bare_way_to_packages() {
  local mirror security
  mirror=$(bare_mirror)
  security=$(bare_mirror -security)
  {
    echo "deb $mirror bookworm main"
    echo "deb $mirror bookworm-updates main"
    if [ -n "$security" ]; then echo "deb $security bookworm-security main"; fi
  } >"$1/etc/apt/sources.list"
  grep -lE '^ *Acquire' /etc/apt/apt.conf.d/* 2>/dev/null |
    xargs -r cp -t "$1/etc/apt/apt.conf.d/" || true
}

# bare_make ROOT: a new minimal system (its pristine form is kept and copied) with this checkout in
# /ordo.
bare_make() {
  local root=$1 pristine=${1%/*}/pristine
  bare_unmount "$root"
  rm -rf --one-file-system "$root"
  bare_bootstrap "$pristine"
  cp -a "$pristine" "$root"
  bare_way_to_packages "$root"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/" 2>/dev/null || true
  mkdir -p "$root/ordo"
  git ls-files -co --exclude-standard -z | xargs -0 tar -c --ignore-failed-read -f - 2>/dev/null |
    tar -x -C "$root/ordo" --no-same-owner
}

bare_mount() {
  mount -t proc proc "$1/proc"
  mount --bind /dev "$1/dev"
  mount --make-private "$1/dev" # what is mounted below stays here
  mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
  mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
}

bare_unmount() {
  local place
  for place in tmp dev/shm dev proc; do
    if mountpoint -q "$1/$place" 2>/dev/null; then umount -l "$1/$place"; fi
  done
}

# bare_run ROOT COMMAND: in the checkout, with nothing of this shell's environment but the proxy.
bare_run() {
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb CI=true LANG=C.UTF-8 \
    http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" no_proxy="${no_proxy:-}" \
    chroot "$1" bash -c "cd /ordo && $2"
}
