"""An image for the tests, made of the host's own installed packages: no registry is asked.

    python -m tests.sync.image      build it, or find it, and print its name

The closure of a few Debian packages is packed as one tar that the daemon imports. What
is not installed is left out, and `tools` says what is there, so that a test of `npm`
is skipped where the host has none. An image is found again by a label that names the
versions of all packages in it and of this file.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

REPOSITORY: Final = "vshell-test"
LABEL: Final = "vshell.test-image"

_ROOTS: Final = [
    "bash",
    "coreutils",
    "findutils",
    "grep",
    "sed",
    "tar",
    "gzip",
    "diffutils",
    "dash",
    "base-files",
    "libc-bin",
    "ncurses-base",
    "procps",
    "util-linux",
    "busybox",
    "ca-certificates",
    "git",
    "make",
    "gcc",
    "libc6-dev",
    "nodejs",
    "npm",
    "python3",
    "python3-venv",
]

# Maintainer scripts, manuals and sanitizers: nobody in the image runs them.
_NO_PACKAGE: Final = re.compile(
    r"perl.*|libperl.*|debconf.*|dpkg|dpkg-dev|adduser|libdpkg.*|init-system-helpers"
    r"|lib(asan|tsan|lsan|ubsan|itm|quadmath|cc1-).*|cpp-doc|python3-distutils|python3-lib2to3"
)
_NO_PATH: Final = re.compile(
    r"/(usr/(share/(doc|man|info|locale|lintian|bug|doc-base|perl5|gitweb|bash-completion"
    r"|zoneinfo|menu|pixmaps|applications|reportbug|node/.*/doc)|lib/[^/]+-linux-gnu/(gconv|perl.*)"
    r"|lib/(systemd|udev|init)|include/node|lib/gcc/.*/(lto1|lto-dump|cc1plus|plugin))"
    r"|etc/(init\.d|cron.*|logrotate.*|systemd)|var/(cache|log|run|lock)|proc|sys|dev|run|tmp)(/|$)"
)
_TREES: Final = ("/usr/lib/node_modules/npm", "/usr/share/nodejs", "/usr/share/python-wheels")
"""Taken as they are: `npm` may have been upgraded in place, and a wheel is in no closure."""

_EXTRA: Final = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/usr/bin/sh",
    "/usr/bin/npm",
    "/usr/bin/npx",
    "/usr/bin/awk",
]
_DIRECTORIES: Final = {
    "dev": 0o755,
    "home": 0o755,
    "mnt": 0o755,
    "opt": 0o755,
    "proc": 0o555,
    "root": 0o700,
    "run": 0o755,
    "sys": 0o555,
    "tmp": 0o1777,
    "var/tmp": 0o1777,
}
_FILES: Final = {
    "etc/passwd": b"root:x:0:0:root:/root:/bin/bash\nagent:x:1000:1000::/tmp:/bin/bash\n"
    b"nobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": b"root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n",
}
_CHANGES: Final = [
    "ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    "ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt",
    "ENV npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false",
    'CMD ["sh"]',
]


def test_image(client: Any) -> str:
    """Return the name of the image, after building it if there is none.

    Args:
        client: A `docker.DockerClient`.
    """
    paths = sorted(_paths())
    digest = _digest(paths)
    name = f"{REPOSITORY}:{digest}"
    with _one_builder():
        if not client.images.list(filters={"label": f"{LABEL}={digest}"}):
            _import(client, paths, name, digest)
    return name


def plain_image(client: Any) -> str:
    """Return the name of an image with nothing but BusyBox, as small as Alpine's.

    Args:
        client: A `docker.DockerClient`.
    """
    busybox = Path("/bin/busybox")
    libraries = _query("ldd", str(busybox))
    paths = sorted({word for line in libraries for word in line.split() if word[0] == "/"})
    digest = _digest([str(busybox), *paths])
    name = f"{REPOSITORY}-plain:{digest}"
    with _one_builder():
        if not client.images.list(filters={"label": f"{LABEL}={digest}"}):
            data = io.BytesIO()
            _pack_busybox(busybox, paths, data)
            client.api.import_image_from_data(
                data.getvalue(),
                repository=f"{REPOSITORY}-plain",
                tag=digest,
                changes=[*_CHANGES, f"LABEL {LABEL}={digest}"],
            )
    return name


def _pack_busybox(busybox: Path, libraries: list[str], output: IO[bytes]) -> None:
    with tarfile.open(fileobj=output, mode="w", format=tarfile.GNU_FORMAT) as tar:
        files = (str(busybox), *libraries)
        # Directories that are not named get a mode with which nobody can enter them.
        above = {str(parent)[1:] for path in files for parent in Path(path).parents} - {""}
        for name in sorted(above):
            tar.addfile(_member(name, tarfile.DIRTYPE, 0o755))
        for path in files:
            member = tar.gettarinfo(os.path.realpath(path), arcname=path[1:])
            member.uid = member.gid = member.mtime = 0
            with open(path, "rb") as file:
                tar.addfile(member, file)
        for applet in _query(str(busybox), "--list"):
            if applet != "busybox":
                tar.addfile(_member(f"bin/{applet}", tarfile.SYMTYPE, 0o777, "busybox"))
        for name, mode in _DIRECTORIES.items():
            tar.addfile(_member(name, tarfile.DIRTYPE, mode))


def tools() -> frozenset[str]:
    """Return which programs the image has."""
    wanted = ("bash", "busybox", "gcc", "git", "make", "node", "npm", "python3")
    there = {f"/usr/bin/{name}" for name in wanted} & _paths()
    return frozenset(path.rpartition("/")[2] for path in there)


@contextmanager
def _one_builder() -> Iterator[None]:
    with open(Path(tempfile.gettempdir(), "vshell-test-image.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _import(client: Any, paths: Iterable[str], name: str, digest: str) -> None:
    reader, writer = os.pipe()
    failures: list[BaseException] = []

    def pack() -> None:
        try:
            with open(writer, "wb") as output:
                _pack(paths, output)
        except OSError as error:
            failures.append(error)

    packer = threading.Thread(target=pack)
    packer.start()
    repository, _, tag = name.partition(":")
    with open(reader, "rb") as stream:
        pieces = iter(lambda: stream.read(1 << 20), b"")
        answer = client.api.import_image_from_stream(
            pieces, repository, tag, changes=[*_CHANGES, f"LABEL {LABEL}={digest}"]
        )
    packer.join()
    if failures or "error" in answer:
        raise RuntimeError(f"the image could not be made: {failures or answer}")


def _digest(paths: Iterable[str]) -> str:
    found = hashlib.sha256(Path(__file__).read_bytes())
    for path in paths:
        status = os.lstat(path)
        found.update(f"{path}\0{status.st_mode}\0{status.st_size}\n".encode())
    return found.hexdigest()[:16]


# Which files.


@cache
def _paths() -> frozenset[str]:
    if shutil.which("dpkg-query") is None:
        raise RuntimeError("the test image is made of Debian packages, and this host has none")
    names = _query("dpkg", "-L", *sorted(_closure())) + list(_EXTRA)
    for tree in _TREES:
        for directory, below, files in os.walk(tree):
            names += [directory, *(os.path.join(directory, name) for name in below + files)]
    found: set[str] = set()
    for name in names:
        if not name.startswith("/") or name == "/." or not os.path.lexists(name):
            continue
        directory, last = os.path.split(name)
        # Undo the merge of /bin and /usr/bin: each file once.
        path = os.path.join(os.path.realpath(directory), last)
        if not _NO_PATH.match(path):
            found.add(path)
            found.update(str(parent) for parent in Path(path).parents if parent != Path("/"))
    return frozenset(found)


def _closure() -> set[str]:
    depends: dict[str, str] = {}
    provider: dict[str, str] = {}
    full: dict[str, str] = {}
    wanted = "${binary:Package}\t${Package}\t${db:Status-Status}\t${Provides}\t${Pre-Depends}, ${Depends}\n"
    for line in _query("dpkg-query", "-W", "-f", wanted):
        binary, package, status, provides, needs = (line.split("\t") + [""] * 4)[:5]
        if status != "installed":
            continue
        depends[package], full[package] = needs, binary
        for name in _names(provides):
            provider.setdefault(name, package)
    seen: set[str] = set()
    pending = list(_ROOTS)
    while pending:
        name = pending.pop()
        package = name if name in depends else provider.get(name, "")
        if not package or package in seen or _NO_PACKAGE.fullmatch(package):
            continue
        seen.add(package)
        for group in depends[package].split(","):
            known = [name for name in _names(group, "|") if name in depends or name in provider]
            pending += known[:1]
    return {full[package] for package in seen}


def _names(text: str, separator: str = ",") -> list[str]:
    parts = (re.sub(r"\s*\(.*?\)", "", part).strip() for part in text.split(separator))
    return [part.partition(":")[0] for part in parts if part]


def _query(*command: str) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()


# The tar.


def _pack(paths: Iterable[str], output: Any) -> None:
    with tarfile.open(fileobj=output, mode="w|", format=tarfile.GNU_FORMAT) as tar:
        present = set()
        for path in paths:
            if path[1:] not in _FILES and path[1:] not in _DIRECTORIES:
                _add(tar, path)
                present.add(path[1:])
        for name, mode in _DIRECTORIES.items():
            tar.addfile(_member(name, tarfile.DIRTYPE, mode))
        for name in ("bin", "sbin", "lib", "lib64"):
            if name not in present and os.path.islink(f"/{name}"):
                tar.addfile(_member(name, tarfile.SYMTYPE, 0o777, os.readlink(f"/{name}")))
        for link, target in (("usr/bin/cc", "gcc"), ("usr/bin/awk", "busybox")):
            if link not in present and f"usr/bin/{target}" in present:
                tar.addfile(_member(link, tarfile.SYMTYPE, 0o777, target))
        for name, data in _FILES.items():
            member = _member(name, tarfile.REGTYPE, 0o644)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def _add(tar: tarfile.TarFile, path: str) -> None:
    member = tar.gettarinfo(path, arcname=path[1:])
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    if member.issym() and member.linkname.startswith("/etc/alternatives/"):
        member.linkname = os.path.realpath(path)
    if not member.isreg():
        tar.addfile(member)
        return
    with open(path, "rb") as file:
        tar.addfile(member, file)


def _member(name: str, type: bytes, mode: int, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.linkname = type, mode, target
    return member


def main() -> int:
    import docker

    client = docker.from_env()
    print(test_image(client))
    print("with", ", ".join(sorted(tools())), file=sys.stderr)
    client.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
