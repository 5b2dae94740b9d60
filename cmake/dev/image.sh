# shellcheck shell=bash
# ./dev image: the container image, built with buildah and kept as an OCI layout under build/image.

image_dir=build/image
image_base=docker.io/library/debian:bookworm-slim

# as_builder COMMAND…: as root, or as root of a user namespace.
as_builder() {
  if is_root; then "$@"; else buildah unshare "$@"; fi
}

# builder ARGUMENT…: buildah with its store under build/ and no daemon; for at most builder_limit
# seconds where that is set.
builder() {
  local driver=overlay
  # An overlay cannot lie on another one, as in a container.
  [ "$(stat -f -c %T "$ORDO_ROOT/$image_dir")" != overlayfs ] || driver=vfs
  as_builder timeout "${builder_limit:-0}" buildah --root "$ORDO_ROOT/$image_dir/storage" \
    --runroot "$ORDO_ROOT/$image_dir/run" --storage-driver "$driver" "$@"
}

# One build at a time: each ends by removing from the store what has no name.
image_lock() {
  mkdir -p "$image_dir"
  exec 7>"$image_dir/lock"
  flock -n 7 || { note "waits for another build of an image in $image_dir" && flock 7; }
}
image_unlock() { exec 7>&-; }

# The base as the registry has it; where none can be reached, made of Debian's packages.
image_need_base() { image_find_base || image_make_base; }

image_find_base() {
  builder inspect --type image "$image_base" >/dev/null 2>&1 && return
  step "base: $image_base"
  builder_limit=120 builder pull -q "$image_base" >"$(log_of image pull)" 2>&1
}

# Device files, which debootstrap makes, are for root alone, and not for root of a user namespace.
may_make_devices() { is_root && grep -q ' 4294967295$' /proc/self/uid_map; }

image_make_base() {
  note "no registry gives $image_base: it is made by debootstrap"
  may_make_devices || die "only root can do that: pull $image_base where a registry is, or be root"
  . "$ORDO_ROOT/cmake/dev/bare.sh"
  local pristine=build/bare/pristine container
  bare_bootstrap "$pristine"
  bare_way_to_packages "$pristine"
  container=$(builder from scratch)
  builder add -q "$container" "$pristine" / >/dev/null
  builder config --cmd bash "$container"
  builder commit -q --rm "$container" "$image_base" >/dev/null
}

# image_build TAG PROGRAMS CONTEXT: from the Dockerfile, with what git knows about this tree. Stages
# of packages keep a name, so that the next build has them; what else is left over goes.
image_build() {
  local tag=$1 programs=$2 context=$3 version revision time stages=(runtime) stage
  version=$(sed -nE 's/^project\(ordo VERSION ([0-9.]+).*/\1/p' CMakeLists.txt)
  revision=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
  time=$(git log -1 --format=%ct 2>/dev/null || echo 0)
  local common=(bud --isolation chroot --layers --force-rm --pull-never -f Dockerfile)
  : >"$(log_of image build)"
  [ "$programs" != build ] || stages+=(tools)
  for stage in "${stages[@]}"; do
    image_logged "${common[@]}" --target "$stage" -t "localhost/ordo-packages:$stage" "$context"
  done
  image_logged "${common[@]}" -t "localhost/$tag" --build-arg PROGRAMS="$programs" \
    --timestamp "$time" --build-arg SOURCE_DATE_EPOCH="$time" \
    --build-arg VERSION="$version" --build-arg REVISION="$revision" \
    --build-arg JOBS="$(jobs_count)" "$context"
  image_tidy
}

image_logged() {
  local log
  log=$(log_of image build)
  builder "$@" >>"$log" 2>&1 && return
  tail -n 40 "$log" >&2
  image_tidy
  die "the image was not built: the whole output is in $log"
}

# buildah leaves a container of a stage without a step (1.28), and everything that has no name.
image_tidy() {
  builder rm --all >/dev/null 2>&1 || true
  builder rmi --prune --force >/dev/null 2>&1 || true
}

# image_context BUILD: a context that holds the programs of a build, and no source.
image_context() {
  local context=$image_dir/context
  rm -rf "$context"
  mkdir -p "$context/cmake" "$context/programs"
  cp -r cmake/packages.txt cmake/image "$context/cmake/"
  cmake --install "$1" --prefix "$ORDO_ROOT/$context/programs/opt/ordo" --strip \
    >"$(log_of image install)" || die "cmake --install $1 failed: see build/logs/image-install.log"
  echo "$context"
}

# image_save TAG: an OCI layout, which skopeo, podman and most registries' tools read.
image_save() {
  local layout=$image_dir/${1//[:\/]/-}
  rm -rf "$layout"
  builder push -q "localhost/$1" "oci:$ORDO_ROOT/$layout:${1##*:}" >"$(log_of image push)" 2>&1 ||
    die "the image could not be written to $layout: see build/logs/image-push.log"
  echo "$layout"
}

dev_image() {
  local tag=ordo:latest is_prebuilt=false argument programs=build context=. layout
  for argument in "$@"; do
    case "$argument" in
      --prebuilt) is_prebuilt=true ;;
      -*) die "./dev image knows --prebuilt and a tag, not '$argument'" ;;
      *:*) tag=$argument ;;
      *) tag=ordo:$argument ;;
    esac
  done
  ensure image
  has buildah || die "buildah is not installed; \`docker build -t $tag .\` works without it"
  image_lock
  image_need_base
  if $is_prebuilt; then
    is_debian_12 || die "--prebuilt wants programs that were built on Debian 12; leave it out"
    ensure build
    build_preset release programs
    context=$(image_context build/release)
    programs=prebuilt
  fi
  step "image localhost/$tag, programs of stage $programs"
  image_build "$tag" "$programs" "$context"
  layout=$(image_save "$tag")
  say "Image: localhost/$tag, $(du -sh "$layout" | cut -f1) packed, in $layout (OCI layout)"
  say "To a registry: skopeo copy oci:$layout:${tag##*:} docker://REGISTRY/$tag"
}

# Before build/ goes: what is mounted there, and files that belong to other ids of this account.
image_forget() {
  [ -d "$image_dir/storage" ] && has buildah || return 0
  builder rm --all >/dev/null 2>&1 || true
  if mountpoint -q "$image_dir/storage/overlay"; then umount "$image_dir/storage/overlay"; fi
  as_builder rm -rf "$image_dir"
}
