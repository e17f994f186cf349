"""Runs a command here and the real one on the same files, and compares all that can be seen."""

from __future__ import annotations

import atexit
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.shell.run_command import ENVIRONMENT, run_command
from vshell import Workspace

Files = Mapping[str, bytes]
WHAT = ("exit code", "stdout", "stderr", "files")
Outcome = tuple[int, bytes, bytes, dict[str, bytes]]


@cache
def real_tool(name: str) -> str:
    """Return the path of the real tool; a test that wants one that is missing is skipped."""
    release = Path("/etc/os-release")
    if not release.exists() or 'VERSION_ID="12"' not in release.read_text():
        pytest.skip("what is compared with are the tools of Debian 12")
    path = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"the real {name} is not installed")
    return path


def run_real(directory: Path, words: Sequence[str], stdin: bytes, files: Files) -> Outcome:
    real_tool(words[0])
    directory.mkdir(exist_ok=True)
    for name, data in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    done = subprocess.run(
        list(words),
        cwd=directory,
        input=stdin,
        env={**ENVIRONMENT, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        capture_output=True,
        timeout=20,
        check=False,
    )
    tree = {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
    stderr = re.sub(rb"(?m)^/usr/bin/|^/bin/", b"", done.stderr)
    return done.returncode, done.stdout, stderr, tree


def run_ours(words: Sequence[str], stdin: bytes, files: Files, *, fresh: bool = True) -> Outcome:
    workspace = shared_workspace()
    if fresh:
        if workspace.exists("/work"):
            workspace.rm("/work", recursive=True)
        workspace.mkdir("/work")
        for name, data in files.items():
            workspace.write(f"/work/{name}", data)
    done = run_command(workspace.session("test", cwd="/work"), words, stdin)
    tree = {
        entry.path.removeprefix("/work/"): workspace.files.read(entry.path)
        for entry in workspace.files.walk_details("/work")
        if workspace.files.stat(entry.path, follow=False).kind == "file"
    }
    return done.exit_code, done.stdout, done.stderr, tree


@cache
def shared_workspace() -> Workspace:
    """Return the workspace that all comparisons of this process use, one after the other."""
    workspace = Workspace.memory()
    atexit.register(workspace.close)
    return workspace


def differences(directory: Path, steps: Sequence[Sequence[str]], files: Files) -> str:
    """Return how steps that follow each other on the same files differ, or nothing."""
    parts = []
    for number, words in enumerate(steps):
        theirs = run_real(directory, words, b"", {} if number else files)
        ours = run_ours(words, b"", files, fresh=not number)
        for what, here, there in zip(WHAT, ours, theirs, strict=True):
            if here != there and not (what == "files" and _archives_differ_only(here, there)):
                parts.append(f"{shlex.join(words)}: {what}:\n  ours   {here!r}\n  theirs {there!r}")
    return "\n".join(parts)


ARCHIVES = re.compile(r".*\.(tar|tgz|gz|bz2|xz|zip|tbz2|txz|tar\..*)")
"""What need not be the same byte for byte: other libraries compress in other ways."""


def _archives_differ_only(here: object, there: object) -> bool:
    assert isinstance(here, dict)
    assert isinstance(there, dict)
    return here.keys() == there.keys() and all(
        here[name] == there[name] or ARCHIVES.fullmatch(name) for name in here
    )


def words_of(line: str) -> list[str]:
    """Split a line as a shell does; `$'...'` is not known here, but `\\n` in it is made one."""
    return [word.replace("\\n", "\n").replace("\\t", "\t") for word in shlex.split(line)]


def difference(
    directory: Path, words: Sequence[str], stdin: bytes, files: Files, *, errors: bool = True
) -> str:
    """Return how the two differ, or nothing."""
    theirs = run_real(directory, words, stdin, files)
    ours = run_ours(words, stdin, files)
    parts = []
    for what, here, there in zip(WHAT, ours, theirs, strict=True):
        if what == "stderr" and not errors:
            here, there = bool(here), bool(there)  # noqa: PLW2901
        if here != there:
            parts.append(f"{what}:\n  ours   {here!r}\n  theirs {there!r}")
    return "\n".join(parts)


def check(
    tmp_path: Path,
    words: Sequence[str],
    *,
    stdin: bytes = b"",
    files: Files | None = None,
    errors: bool = True,
) -> None:
    """Make sure that a command gives the same here and there.

    Args:
        tmp_path: Where the real one runs.
        words: The command and its arguments.
        stdin: What it reads.
        files: What is in its directory.
        errors: Whether complaints are compared word by word, or only that there are some.
    """
    found = difference(tmp_path / "real", words, stdin, files or {}, errors=errors)
    assert not found, f"{shlex.join(words)}\n{found}"
