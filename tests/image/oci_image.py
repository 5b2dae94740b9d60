#!/usr/bin/env python3
"""Reads an image out of an OCI layout, without any tool that made it.

  check LAYOUT            says every rule that a file or the configuration breaks, one a line;
                          exit code 1 when there is one
  unpack LAYOUT ROOTFS    puts the files down as they are in the layers
  bundle [--mount SOURCE:PLACE[:ro]]… LAYOUT ROOTFS BUNDLE [-- PROGRAM ARGUMENT…]
                          writes what an OCI runtime needs to run it as a cluster's strictest
                          profile would: the image's account, a read-only root, no capability, no
                          new privileges, no system call beyond the usual filter; writable is what
                          is mounted, and a small /tmp
"""

import argparse
import json
import os
import platform
import posixpath
import sys
import tarfile

ACCOUNT = "65532:65532"
LABELS = ("title", "description", "licenses", "version", "revision")
# Nothing of these can be of use to a program that runs here, only to who broke into one.
SHELLS = {"sh", "bash", "dash", "busybox", "perl", "python3"}
PACKAGE_TOOLS = {"apt", "apt-get", "dpkg", "ldconfig"}
LEFTOVERS = ("var/cache/", "var/lib/apt/", "var/log/", "root/", "home/", "src/", "ordo/")
# The filter of Podman and CRI-O, nearly that of Docker; comes with buildah.
SECCOMP = "/usr/share/containers/seccomp.json"
MACHINES = {"x86_64": ("amd64", "SCMP_ARCH_X86_64"), "aarch64": ("arm64", "SCMP_ARCH_AARCH64")}
MAX_BYTES = 120 << 20  # twice what all programs and libraries take: more is something else


class Image:
    """The first image of a layout: its configuration and its layers."""

    def __init__(self, layout):
        self.layout = layout
        with open(os.path.join(layout, "index.json"), encoding="utf-8") as text:
            manifest = self.json_of(json.load(text)["manifests"][0]["digest"])
        self.config = self.json_of(manifest["config"]["digest"])["config"]
        self.digests = [layer["digest"] for layer in manifest["layers"]]
        self.packed_bytes = sum(layer["size"] for layer in manifest["layers"])

    def path_of(self, digest):
        return os.path.join(self.layout, "blobs", *digest.split(":"))

    def json_of(self, digest):
        with open(self.path_of(digest), encoding="utf-8") as text:
            return json.load(text)

    def layers(self):
        for digest in self.digests:
            with tarfile.open(self.path_of(digest)) as layer:
                yield layer


def check_config(image):
    config = image.config
    if config.get("User") != ACCOUNT:
        yield f"runs as '{config.get('User', 'root')}', not as {ACCOUNT}"
    command = (config.get("Entrypoint") or []) + (config.get("Cmd") or [])
    if not command or posixpath.basename(command[0]) in SHELLS:
        yield f"starts {command}: a program must be process 1, and no shell"
    for label in LABELS:
        if config.get("Labels", {}).get(f"org.opencontainers.image.{label}", "") in ("", "unknown"):
            yield f"has no label org.opencontainers.image.{label}"
    for setting in config.get("Env", []):
        if not setting.startswith("PATH="):
            yield f"sets {setting}: settings are for who runs it"


def check_member(member):
    """Every rule for one file, folder or link."""
    name = posixpath.normpath(member.name)
    base = posixpath.basename(name)
    if member.uid != 0 or member.gid != 0:
        yield f"/{name} belongs to {member.uid}:{member.gid}, not to root"
    if member.mode & 0o6000:
        yield f"/{name} is setuid or setgid"
    if member.mode & 0o002 and not member.issym():
        if not (name == "tmp" and member.mode & 0o1000):
            yield f"/{name} may be written by everybody"
    if "SCHILY.xattr.security.capability" in member.pax_headers:
        yield f"/{name} has capabilities of its own"
    if member.isdev():
        yield f"/{name} is a device"
    if base.startswith(".wh."):
        yield f"/{name} takes back what a layer below it put there"
    if base in SHELLS | PACKAGE_TOOLS and not member.isdir():
        yield f"/{name} is a shell or a tool that the programs do not need"
    if name.startswith(LEFTOVERS):
        yield f"/{name} is a leftover of the build"


def findings(image):
    yield from check_config(image)
    total = 0
    for layer in image.layers():
        for member in layer:
            total += member.size
            yield from check_member(member)
    if total > MAX_BYTES:
        yield f"holds {total >> 20} MiB; at most {MAX_BYTES >> 20}"


def check(image):
    broken = list(findings(image))
    for finding in broken:
        print(finding)
    total = sum(member.size for layer in image.layers() for member in layer)
    print(f"{len(image.digests)} layers, {image.packed_bytes / 1e6:.1f} MB packed, "
          f"{total / 1e6:.1f} MB unpacked, {len(broken)} findings")
    return 1 if broken else 0


def unpack(image, rootfs):
    os.makedirs(rootfs)
    for layer in image.layers():
        layer.extractall(rootfs, numeric_owner=True)


def mount_of(text):
    source, place, *how = text.split(":")
    return {"destination": place, "type": "none", "source": os.path.abspath(source),
            "options": ["rbind", *(how or ["rw"])]}


def system_call_filter():
    """The usual filter for who has no capability, in a runtime's form."""
    with open(SECCOMP, encoding="utf-8") as text:
        usual = json.load(text)
    machine, architecture = MACHINES[platform.machine()]

    def holds(rule):
        wanted = rule.get("includes") or {}
        if wanted.get("caps") or (rule.get("excludes") or {}).get("arches"):
            return False
        return machine in wanted.get("arches", [machine])

    def runtime_form(rule):
        form = {key: rule[key] for key in ("names", "action", "errnoRet") if rule.get(key)}
        return {**form, "args": rule["args"]} if rule.get("args") else form
    return {"defaultAction": usual["defaultAction"],
            "defaultErrnoRet": usual.get("defaultErrnoRet", 1),
            "architectures": [architecture],
            "syscalls": [runtime_form(rule) for rule in usual["syscalls"] if holds(rule)]}


def bundle(image, line):
    none = {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")}
    uid, gid = (int(part) for part in image.config["User"].split(":"))
    small = ["nosuid", "nodev", "noexec", "mode=1777", "size=16m"]
    mounts = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid"]},
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": small},
    ]
    spec = {
        "ociVersion": "1.0.0",
        "process": {
            "user": {"uid": uid, "gid": gid},
            "args": line.command or
                    (image.config.get("Entrypoint") or []) + (image.config.get("Cmd") or []),
            "env": image.config.get("Env", []),
            "cwd": image.config.get("WorkingDir") or "/",
            "capabilities": none,
            "noNewPrivileges": True,
        },
        "root": {"path": os.path.abspath(line.rootfs), "readonly": True},
        "mounts": mounts + [mount_of(text) for text in line.mount],
        # The network is the host's: the test's PostgreSQL and client are there.
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")],
                  "seccomp": system_call_filter()},
    }
    os.makedirs(line.bundle, exist_ok=True)
    with open(os.path.join(line.bundle, "config.json"), "w", encoding="utf-8") as out:
        json.dump(spec, out, indent=1)


def main():
    parser = argparse.ArgumentParser(description="Reads an image out of an OCI layout.")
    actions = parser.add_subparsers(dest="action", required=True)
    for name in ("check", "unpack", "bundle"):
        action = actions.add_parser(name)
        action.add_argument("layout")
        if name != "check":
            action.add_argument("rootfs")
        if name == "bundle":
            action.add_argument("bundle")
            action.add_argument("--mount", action="append", default=[])
            action.add_argument("command", nargs="*")
    line = parser.parse_args()
    image = Image(line.layout)
    if line.action == "check":
        return check(image)
    if line.action == "unpack":
        return unpack(image, line.rootfs)
    return bundle(image, line)


if __name__ == "__main__":
    sys.exit(main())
