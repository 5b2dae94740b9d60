#!/bin/sh
# Makes the image's whole tree: the programs, every library that they load, the roots of trust, one
# account, and for scanners and lawyers the record and the licence of each package that a file is
# of. No shell, no package manager. Where SOURCE_DATE_EPOCH is set, every file has that time.
#
# Usage: collect.sh INSTALLED_TREE ROOT
set -eu
from=$1
root=$2
umask 022

# ordo-demo and ordo-bench stay out: both start and kill whole systems, with PostgreSQL's programs.
required='ordo ordo-broker ordo-doctor ordo-migrate ordo-monitor ordo-shop-worker ordo-worker'

die() {
  echo "collect.sh: $*" >&2
  exit 1
}

# Debian's layout, /lib and /bin being links as there.
tree() {
  mkdir -p "$root/usr/bin" "$root/usr/lib/ssl" "$root/usr/lib64" "$root/usr/share/doc" \
    "$root/etc/ssl/certs" "$root/var/lib/dpkg/status.d" "$root/proc" "$root/sys" "$root/dev"
  mkdir -m 1777 "$root/tmp"
  for folder in bin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
}

programs() {
  for name in $required; do
    [ -x "$from/bin/$name" ] || die "$from/bin has no program $name"
    install -m 755 "$from/bin/$name" "$root/usr/bin/$name"
  done
  mkdir -p "$root/usr/share/ordo" "$root/usr/share/doc/ordo"
  cp -R "$from/share/ordo/." "$root/usr/share/ordo/"
  cp "$from/share/doc/ordo/LICENSE" "$root/usr/share/doc/ordo/"
}

# owner FILE: its package; a path of the loader may stand in dpkg's lists with or without /usr.
owner() {
  dpkg-query -S "$1" 2>/dev/null || dpkg-query -S "/usr$1" 2>/dev/null ||
    dpkg-query -S "${1#/usr}" 2>/dev/null || die "no package owns $1"
}

# record FILE: the package of this file, once.
record() {
  package=$(owner "$1" | head -n 1 | cut -d: -f1)
  [ ! -e "$root/var/lib/dpkg/status.d/$package" ] || return 0
  dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$package"
  mkdir -p "$root/usr/share/doc/$package"
  cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/"
}

# The closure as the loader sees it. Names, not links: each library under the name that is loaded.
libraries() {
  said=$(ldd "$root"/usr/bin/*) || die "ldd: $said"
  missing=$(echo "$said" | awk '/not found/ { print $1 }' | sort -u | tr '\n' ' ')
  [ -z "$missing" ] || die "no package of group runtime (cmake/packages.txt) has: $missing"
  echo "$said" | awk '$2 == "=>" { print $3; next } $1 ~ /^\// && $2 ~ /^\(/ { print $1 }' |
    sort -u | while read -r file; do
    folder=$root$(readlink -f "$(dirname "$file")")
    mkdir -p "$folder"
    cp -L "$file" "$folder/"
    chmod "$(case $file in */ld-*) echo 755 ;; *) echo 644 ;; esac)" "$folder/$(basename "$file")"
    record "$file"
  done
}

settings() {
  cp /etc/os-release "$root/etc/"
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  record /usr/sbin/update-ca-certificates
  # Where OpenSSL looks when nobody names a file.
  ln -s /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"
  printf '%s\n' 'root:x:0:0:root:/nonexistent:/nonexistent' \
    'ordo:x:65532:65532:ordo:/nonexistent:/nonexistent' >"$root/etc/passwd"
  printf '%s\n' 'root:x:0:' 'ordo:x:65532:' >"$root/etc/group"
  echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
}

tree
programs
libraries
settings
# A wrong link or library shows here, not on somebody's cluster: each program starts in the root.
for program in "$root"/usr/bin/*; do
  chroot "$root" "/usr/bin/$(basename "$program")" --help >/dev/null ||
    die "$(basename "$program") does not start in $root"
done
if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
  find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
fi
