#!/bin/sh
# Installs one group of packages.txt in a stage of the image; leaves no index and no archive behind.
#
# Usage: packages.sh GROUP
set -eu
names=$(awk -v group="$1" '!/^#/ && $1 == group { print $2 }' "$(dirname "$0")/packages.txt")
if [ -z "$names" ]; then
  echo "packages.txt has no group $1" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086 # one word a package
apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 $names
rm -rf /var/lib/apt/lists/* /var/cache/apt/*
