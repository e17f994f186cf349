"""Trees of the host that go into a workspace and come out again, and how to compare them."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from vshell.host import HostTree
from vshell.limits import INLINE_BYTES
from vshell.ops.transfer import Progress, TransferResult
from vshell.workspace import Workspace

NOBODY = 65534
SHARED = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Seen(NamedTuple):
    """What a comparison of two trees sees of an entry."""

    kind: str
    mode: int
    mtime_ns: int
    content: str
    names: tuple[str, ...]


def picture(directory: Path) -> dict[str, Seen]:
    """Return what there is to know about a tree of the host."""
    found: dict[str, Seen] = {}
    groups: dict[tuple[int, int], list[str]] = {}
    identities: dict[str, tuple[int, int]] = {}
    with HostTree.open(directory) as tree:
        for visited in tree.walk(on_error=fail):
            found[visited.path] = seen(tree, "directory", visited.status, None)
            for entry in visited.entries:
                if entry.kind != "directory":
                    path = f"{visited.path}/{entry.name}" if visited.path else entry.name
                    status = tree.status(entry.name)
                    found[path] = seen(tree, entry.kind, status, entry.name)
                    identities[path] = (status.st_dev, status.st_ino)
                    groups.setdefault(identities[path], []).append(path)
    return {
        path: one._replace(names=tuple(sorted(groups.get(identities.get(path, (0, 0)), ()))))
        for path, one in found.items()
    }


def seen(tree: HostTree, kind: str, status: os.stat_result, name: str | None) -> Seen:
    content = ""
    if kind == "symlink" and name is not None:
        content = tree.read_link(name)
    elif kind == "file" and name is not None:
        descriptor, _ = tree.open_file(name)
        with open(descriptor, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    return Seen(kind, stat.S_IMODE(status.st_mode), status.st_mtime_ns, content, ())


def fail(path: str, error: OSError) -> None:
    raise AssertionError(path) from error


def differences(one: Path, other: Path) -> str:
    """Return what `diff` says, which sees names and content, but neither modes nor times."""
    run = subprocess.run(
        ["diff", "-r", "--no-dereference", "--brief", one, other], capture_output=True, check=False
    )
    return os.fsdecode(run.stdout + run.stderr)


def tree_of(ws: Workspace, path: str = "/") -> dict[str, str]:
    """Return the files of a workspace with their text, links with their target, directories."""
    found = {}
    for entry in ws.files.walk_details(path):
        status = ws.lstat(entry.path)
        if status.kind == "directory":
            found[entry.path] = "/"
        elif status.kind == "symlink":
            found[entry.path] = f"-> {ws.readlink(entry.path)}"
        else:
            found[entry.path] = ws.read_bytes(entry.path).decode("utf-8", "replace")
    return found


def reasons(result: TransferResult) -> dict[str, str]:
    assert len(result.skipped) == result.skipped_total
    return dict(result.skipped)


@contextmanager
def unprivileged(top: Path) -> Iterator[None]:
    """Be somebody whom modes bind; root is bound by none."""
    if os.geteuid() != 0:
        yield
        return
    for directory in [top, *top.parents]:
        if not os.stat(directory).st_mode & stat.S_IXOTH:
            os.chmod(directory, 0o711)
    for where, directories, files in os.walk(top):
        for name in [".", *directories, *files]:
            os.chown(Path(where, name), NOBODY, NOBODY, follow_symlinks=False)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def at(entries: int, action: Callable[[], object]) -> Callable[[Progress], None]:
    """Return a progress function that does something once, after so many entries."""
    waiting = [action]

    def progress(state: Progress) -> None:
        if state.entries == entries and waiting:
            waiting.pop()()

    return progress


def make_hostile(top: Path) -> None:
    """Make everything that is hard to copy."""
    base = os.fsencode(top)

    def write(name: bytes, data: bytes = b"content\n") -> None:
        with open(base + b"/" + name, "wb") as file:
            file.write(data)

    os.makedirs(base + b"/empty/directories/all the way")
    os.makedirs(base + b"/odd")
    for number in range(1, 256):
        if number not in b"/.":
            write(b"odd/%c" % number)
    for name in (b"-rf", b"~", b"*", b"$(id)", b"'\"`", b".gitignore", b"...", b"a\\b"):
        write(b"odd/" + name)
    write(b"odd/\xff\xfe not utf-8 \xc3\x28")
    write("odd/\u00e9".encode())
    write("odd/e\u0301".encode())
    write("odd/\U0001f600".encode())
    write(b"odd/CASE")
    write(b"odd/case")
    write(b"odd/" + b"n" * 255)
    os.mkdir(base + b"/new\nline\n")
    write(b"new\nline\n/\n")
    deep = base
    for number in range(60):
        deep += b"/deep%d" % number
        os.mkdir(deep)
    os.symlink(b"nowhere", base + b"/dangling")
    os.symlink(b"loop", base + b"/loop")
    os.symlink(b"other-loop", base + b"/one-loop")
    os.symlink(b"one-loop", base + b"/other-loop")
    os.symlink(b"/etc/passwd", base + b"/absolute")
    os.symlink(b"../../../..", base + b"/above")
    os.symlink(b".", base + b"/self")
    os.symlink(b"\xff" * 255, base + b"/odd link")
    write(b"empty file", b"")
    write(b"just inline", bytes(range(256)) * (INLINE_BYTES // 256))
    write(b"just too large", bytes(range(256)) * (INLINE_BYTES // 256) + b"x")
    write(b"large", b"abcdefg\n" * 200_000)
    with open(base + b"/sparse", "wb") as file:
        file.truncate(3_000_000)
        file.seek(1_500_000)
        file.write(b"middle")
    write(b"linked")
    os.link(base + b"/linked", base + b"/linked again")
    os.link(base + b"/linked", base + b"/odd/linked from elsewhere")
    os.link(base + b"/dangling", base + b"/dangling again", follow_symlinks=False)
    write(b"set-id")
    os.chmod(base + b"/set-id", 0o755)
    write(b"secret")
    os.chmod(base + b"/secret", 0o000 if os.geteuid() == 0 else 0o400)
    write(b"executable")
    os.chmod(base + b"/executable", 0o755)
    os.mkdir(base + b"/read-only")
    write(b"read-only/file")
    os.chmod(base + b"/read-only", 0o555)
    set_times(top)


def set_times(top: Path) -> None:
    """Give everything a time of its own, some before 1970 and some far away."""
    times = [1, -1, -5_000_000_000_000_000_001, 4_102_444_800_123_456_789, 999_999_999]
    entries = [
        os.path.join(where, name)
        for where, directories, files in os.walk(os.fsencode(top), topdown=False)
        for name in [*files, *directories, b"."]
    ]
    for number, path in enumerate(entries):
        time_ns = times[number % 5] + number * 1_000_003
        os.utime(path, ns=(0, time_ns), follow_symlinks=False)
