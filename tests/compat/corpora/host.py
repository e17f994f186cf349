"""Runs scripts by the host's bash where they can do no harm.

A foreign test may call `date -s`, `kill -9 -1`, `mount` or `wget`. So each runs as nobody,
without a capability, in namespaces of its own: no network, no other process, and a `/tmp` of
its own, which is all it can write to. That takes root (or a container) to set up.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.compat.corpora.case import ENVIRONMENT, HOME, TIMEOUT_S, Case, Outcome

_NOBODY = 65534
_NAMESPACES = ("unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child")
# The other implementations of the same commands are hidden: Debian has neither by itself.
_SET_UP = """
fail() { echo 'no sandbox' >&2; exit 99; }
mount --bind "$0" /tmp && mount -t proc proc /proc || fail
for other in /usr/bin/busybox /usr/bin/toybox; do
    [ ! -e $other ] || mount --bind /dev/null $other || fail
done
ulimit -f 200000; ulimit -v 4000000; cd /tmp/work || fail
exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --ambient-caps=-all \
    --bounding-set=-all --no-new-privs -- "$@"
"""
_NO_TEST = 99


class NoSandboxError(Exception):
    """The host's bash cannot be shut in here."""


def place(files: Mapping[str, bytes | str | None], executable: frozenset[str], root: Path) -> None:
    """Make the files of a case below what will be its `/tmp`."""
    for path, content in files.items():
        there = root / path.removeprefix("/tmp/")
        there.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            there.mkdir(exist_ok=True)
        elif isinstance(content, str):
            there.symlink_to(content)
        else:
            there.write_bytes(content)
            there.chmod(0o755 if path in executable else 0o644)


def run_confined(
    words: list[str], root: Path, *, stdin: bytes = b"", timeout_s: float = TIMEOUT_S
) -> Outcome | None:
    """Run a program with `root` as its `/tmp`; return None when it takes too long."""
    root.chmod(0o1777)
    (root / HOME.removeprefix("/tmp/")).mkdir(exist_ok=True)
    for directory, _, names in os.walk(root):
        for each in (directory, *(os.path.join(directory, name) for name in names)):
            os.chown(each, _NOBODY, _NOBODY, follow_symlinks=False)
    try:
        done = subprocess.run(
            [*_NAMESPACES, "sh", "-c", _SET_UP, str(root), *words],
            env=ENVIRONMENT,
            input=stdin,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except (subprocess.TimeoutExpired, ValueError):
        return None
    if done.returncode == _NO_TEST and b"no sandbox" in done.stderr:
        raise NoSandboxError(done.stderr.decode(errors="replace"))
    return Outcome(done.stdout, done.returncode)


def by_bash(case: Case) -> Outcome | None:
    """Return what bash does with a case, or None when it is no measure."""
    with tempfile.TemporaryDirectory(prefix="corpus", ignore_cleanup_errors=True) as name:
        root = Path(name)
        place(case.files, case.executable, root)
        # As a file, since an error ends `bash -c` with another exit code.
        (root / "bash").write_text(case.script, errors="surrogateescape")
        found = run_confined(["bash", "/tmp/bash"], root)
    return found if found is not None and (found.exit_code or 0) >= 0 else None
