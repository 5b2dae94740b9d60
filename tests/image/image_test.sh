#!/usr/bin/env bash
# Makes the image from a build, reads every file of it, and runs a whole system out of it as a
# cluster's strictest profile would (crun: uid 65532, read-only root, no capability, no new
# privileges, the usual filter of system calls, each program process 1 of its own): tables, broker
# with keys, worker, an order to its end, an end on SIGTERM and on SIGINT. PostgreSQL is outside.
#
# Usage: image_test.sh SOURCE_FOLDER BUILD_FOLDER     exit code 77: it cannot be done here
set -euo pipefail
ORDO_ROOT=$1
build=$2
cd "$ORDO_ROOT"
. cmake/dev/common.sh
. cmake/dev/setup.sh
. cmake/dev/build.sh
. cmake/dev/system.sh
. cmake/dev/image.sh
# Heard also where what asks is told to be silent.
exec 3>&2
note() { printf '%s\n' "image_test: $*" >&3; }
skip() {
  note "SKIPPED: $*"
  exit 77
}
{ has buildah && has crun; } || skip "no buildah or no crun; ./dev setup image installs them"
# Of two answers only "yes" counts; inside a user namespace it would always be that.
if [ "${ORDO_IN_NAMESPACE:-}" != 1 ] && ischroot 2>/dev/null; then
  skip "a container cannot be started from inside a chroot"
fi
if ! is_root && [ "${ORDO_IN_NAMESPACE:-}" != 1 ]; then
  buildah unshare true 2>/dev/null || skip "neither root nor may this account have a user namespace"
  ORDO_IN_NAMESPACE=1 exec buildah unshare "$0" "$@"
fi
unshare --mount --pid --fork true 2>/dev/null || skip "this machine gives no mount or pid namespace"

scratch=$build/image-test
rm -rf "$scratch"
place=$(mktemp -d /tmp/ordo-image-XXXXXX)
chmod 755 "$place"
local_dir=$place/system
mkdir -p "$image_dir" "$scratch" "$local_dir/log" "$local_dir/run" "$place/keys"
chown 65532:65532 "$local_dir/run" "$place/keys"
pg_home() { echo "$place/pg"; }
oci=$ORDO_ROOT/tests/image/oci_image.py
rootfs=$scratch/rootfs
declare -A supervisor=() # by container: the process that waits for it

runtime() { crun --root "$place/crun" --cgroup-manager=disabled "$@"; }
finish() {
  local name
  for name in "${!supervisor[@]}"; do runtime delete --force "$name" >/dev/null 2>&1 || true; done
  pg_running && as_pg "$(pg_bin)/pg_ctl" -D "$(pg_home)/data" -m immediate stop >/dev/null
  rm -rf "$place"
}
trap finish EXIT

# contained NAME PROGRAM ARGUMENT…: runs it from the image. Keys and PostgreSQL's socket are
# mounted read-only, /run/ordo may be written.
contained() {
  local name=$1
  shift
  "$oci" bundle --mount "$place/keys:/etc/ordo:${keys_are:-ro}" \
    --mount "$place/pg/socket:/run/postgresql:ro" --mount "$local_dir/run:/run/ordo" \
    --mount /etc/hosts:/etc/hosts:ro "$layout" "$rootfs" "$place/$name" -- "$@"
  # crun 1.8 refuses to start where it sees cgroups of both kinds, though it is told to use none.
  # shellcheck disable=SC2016 # expands in the inner shell
  unshare --mount bash -c '{ mount -t cgroup2 none /sys/fs/cgroup ||
      mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup || true; } 2>/dev/null
    exec crun --root "$1/crun" --cgroup-manager=disabled run --bundle "$1/$2" "$2"' \
    - "$place" "$name"
}

# service NAME PROGRAM ARGUMENT…: the same, in the background.
service() {
  contained "$@" >"$local_dir/log/$1.log" 2>&1 </dev/null &
  supervisor[$1]=$!
}
alive() {
  kill -0 "${supervisor[$1]}" 2>/dev/null || die "$1 ended: $(tail -n 3 "$local_dir/log/$1.log")"
}
process_of() { runtime state "$1" | sed -nE 's/.*"pid": ([0-9]+).*/\1/p'; }

# fact NAME FIELD EXPECTED: what the kernel says of the running program.
fact() {
  local said
  said=$(awk -v field="$2:" '$1 == field { print $NF }' "/proc/$(process_of "$1")/status")
  [ "$said" = "$3" ] || die "$1: the kernel says $2 $said, not $3"
}
confined() {
  fact "$1" Uid 65532
  fact "$1" NSpid 1
  fact "$1" CapBnd 0000000000000000
  fact "$1" CapPrm 0000000000000000
  fact "$1" NoNewPrivs 1
  fact "$1" Seccomp 2
}

# ends NAME SIGNAL SECONDS [CODE]: process 1 gets it and ends within the time, with 0 or this code.
ends() {
  local pid=${supervisor[$1]} code=0 started=$SECONDS
  runtime kill "$1" "$2"
  wait_until "$3" "the end of $1 after $2" bash -c "! kill -0 $pid 2>/dev/null"
  wait "$pid" || code=$?
  unset "supervisor[$1]"
  [ "$code" = "${4:-0}" ] ||
    die "$1 ended with $code after $2: $(tail -n 3 "$local_dir/log/$1.log")"
  say "   $1 ended with $code on $2, $((SECONDS - started)) s"
}

# flags WORDS…: the checker must have said each in $scratch/planted.
flags() {
  local words
  for words in "$@"; do
    grep -qF -e "$words" "$scratch/planted" || die "not flagged: $words"
  done
}

make_image() {
  step "image of $build"
  image_lock
  image_find_base || may_make_devices ||
    skip "no registry gives $image_base, and only root can make it"
  image_need_base
  local context
  context=$(image_context "$build")
  image_build ordo:test prebuilt "$context"
  layout=$(image_save ordo:test)
  "$oci" check "$layout" || die "the image breaks its rules"
}

# An image with one of each fault on top of ours.
planted_faults() {
  step "planted faults are flagged"
  local container layout
  echo planted >"$scratch/file"
  container=$(builder from --pull-never localhost/ordo:test)
  builder copy -q --chmod 4755 "$container" "$scratch/file" /usr/bin/raised >/dev/null
  builder copy -q --chmod 666 "$container" "$scratch/file" /etc/open >/dev/null
  builder copy -q --chown 65532 "$container" "$scratch/file" /etc/owned >/dev/null
  builder copy -q "$container" "$scratch/file" /var/cache/apt/pkgcache.bin >/dev/null
  builder copy -q "$container" "$scratch/file" /usr/bin/sh >/dev/null
  builder config --user 0 --entrypoint '["/bin/sh", "-c"]' \
    --label org.opencontainers.image.version= "$container" 2>/dev/null
  builder commit -q --rm "$container" localhost/ordo:planted >/dev/null
  layout=$(image_save ordo:planted)
  builder rmi localhost/ordo:planted >/dev/null
  ! "$oci" check "$layout" >"$scratch/planted" || die "an image with faults is called clean"
  flags '/usr/bin/raised is setuid' '/etc/open may be written by everybody' \
    '/etc/owned belongs to 65532' '/var/cache/apt/pkgcache.bin is a leftover' \
    '/usr/bin/sh is a shell' "runs as '0'" 'and no shell' \
    'has no label org.opencontainers.image.version'
}

make_keys() {
  step "keys, made by the image"
  local keys_are=rw
  key() { contained keys ordo -q --keys /etc/ordo/ordo.keys keys new "$@" >/dev/null; }
  key --role broker --out /etc/ordo/broker.key
  key --role operator --name desk --out /etc/ordo/desk.key
  key --role worker --name shop --out /etc/ordo/shop.key
  # As a cluster mounts a secret: root's, readable for the program's group.
  chown 0:65532 "$place/keys/broker.key"
  chmod 640 "$place/keys/broker.key"
}

database="host=/run/postgresql user=ordo dbname=ordo"
broker_flags=(--database "$database" --keys /etc/ordo/ordo.keys
  --secret-key-file /etc/ordo/broker.key --listen-clients 127.0.0.1:0
  --listen-workers 127.0.0.1:0 --listen-http 127.0.0.1:0)
own_key() { printf '%s\n' --key-file "/etc/ordo/$1.key" --broker-key /etc/ordo/broker.key.pub; }

broker_is_ready() {
  alive broker
  (http_ok /readyz) 2>/dev/null
}
start_contained_broker() {
  rm -f "$local_dir/run/endpoints.json"
  service broker ordo-broker "${broker_flags[@]}" --endpoints-file /run/ordo/endpoints.json
  wait_until 30 "the broker's /readyz" broker_is_ready
  confined broker
}

# The root cannot be written, and the program says so.
read_only_root() {
  step "the root is read-only"
  local said code=0
  said=$(contained readonly ordo-broker "${broker_flags[@]}" --endpoints-file /here.json 2>&1) ||
    code=$?
  [ "$code" = 71 ] || die "a broker that writes to / ended with $code, not 71"
  grep -qF 'cannot write /here.json' <<<"$said" || die "it says: $said"
}

# Process 1 hears only what it handles: tools that wait for somebody must end, too.
tools_end() {
  step "tools end as process 1"
  # Who connects here is never answered: nobody accepts.
  exec 8< <(exec python3 -uc 'import socket, signal; s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1]); signal.pause()')
  local silent=$! port
  read -r port <&8
  service migrate ordo-migrate --database "host=127.0.0.1 port=$port user=ordo dbname=ordo"
  service health ordo --http "http://127.0.0.1:$port" health --wait 10m
  local name
  for name in migrate health; do
    handles_term() {
      local handled
      alive "$name"
      handled=$(awk '$1 == "SigCgt:" { print $2 }' "/proc/$(process_of "$name")/status")
      ((0x$handled >> 14 & 1))
    }
    wait_until 10 "$name's handler of SIGTERM" handles_term
    fact "$name" NSpid 1
    ends "$name" TERM 5 130
  done
  kill "$silent"
  exec 8<&-
}

desk() {
  local -a with
  mapfile -t with < <(own_key desk)
  # By name: the image must be able to resolve one.
  local endpoint
  endpoint=$(endpoint clients)
  contained desk ordo --endpoint "tcp://localhost:${endpoint##*:}" "${with[@]}" "$@"
}

an_order_to_its_end() {
  local said
  desk -q pipeline apply /usr/share/ordo/pipelines/hello.yaml >/dev/null
  # The example worker fails some steps by chance; this one never for good.
  said=$(desk -o json submit hello '{"name": "Ada"}' --wait end) || die "the order failed: $said"
  grep -q '"succeeded"' <<<"$said" || die "the order did not succeed: $said"
}

start_worker() {
  local -a with
  mapfile -t with < <(own_key shop)
  service worker ordo-shop-worker --broker "$(endpoint workers)" "${with[@]}" --time-scale 0
}

# The page, where the image has it.
monitor() {
  [ -x "$rootfs/usr/bin/ordo-monitor" ] || return 0
  step "monitor"
  local -a with
  local token port
  mapfile -t with < <(own_key desk)
  token=$(keys_are=rw contained token ordo-monitor token --role operator --name ann \
    --file /etc/ordo/tokens)
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
  service monitor ordo-monitor --brokers "$(endpoint http)" --endpoint "$(endpoint clients)" \
    --tokens /etc/ordo/tokens --listen-http "127.0.0.1:$port" "${with[@]}"
  answers() { alive monitor && curl -sf "http://127.0.0.1:$port/readyz"; }
  wait_until 30 "the monitor's /readyz" answers
  confined monitor
  curl -sf -H "Authorization: Bearer $token" "http://127.0.0.1:$port/api/v1/orders?which=recent" |
    grep -q hello || die "the monitor does not show the order"
  ends monitor TERM 10
}

make_image
planted_faults
image_unlock
"$oci" unpack "$layout" "$rootfs"
pg_up
chmod 755 "$place/pg" "$place/pg/socket"
make_keys
step "tables, read-only root"
contained migrate ordo-migrate --shards 2 --database "$database" >"$local_dir/log/migrate.log"
read_only_root
tools_end
for signal in TERM INT; do
  step "a system; its end on SIG$signal"
  start_contained_broker
  start_worker
  an_order_to_its_end
  confined worker
  [ "$signal" = INT ] || monitor
  ends worker "$signal" 10
  ends broker "$signal" 10
done
say "image: well"
