"""Runs commands on a workspace and the real tools on a directory with the same files."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.shell.run_command import ENVIRONMENT, run_command
from vshell import Workspace
from vshell.fs.paths import join

REAL_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"


class File(NamedTuple):
    """What a tree is made of: a file, with `target` a link, or without both a directory."""

    path: str
    data: bytes | None = None
    target: str | None = None
    mode: int | None = None
    mtime_ns: int | None = None


class Ran(NamedTuple):
    exit_code: int
    stdout: bytes
    stderr: bytes


class Both:
    """The same files twice: in a directory of the host, and in a workspace."""

    def __init__(self, directory: Path, workspace: Workspace, files: Sequence[File]) -> None:
        self.directory = directory
        self.context = workspace.session("test", cwd="/work")
        directory.mkdir()
        workspace.mkdir("/work")
        os.chmod(directory, 0o755)
        for file in files:
            self._make(file)
        for file in reversed(files):
            self._set_time(file)

    def _make(self, file: File) -> None:
        there, here = self.directory / file.path, join("/work", file.path)
        there.parent.mkdir(parents=True, exist_ok=True)
        if file.target is not None:
            there.symlink_to(file.target)
            self.context.symlink(file.target, here)
            return
        if file.data is None:
            there.mkdir(exist_ok=True, parents=True)
            self.context.mkdir(here, parents=True, exist_ok=True)
        else:
            there.write_bytes(file.data)
            self.context.write(here, file.data)
        if file.mode is not None:
            there.chmod(file.mode)
            self.context.chmod(here, file.mode)

    def _set_time(self, file: File) -> None:
        if file.mtime_ns is not None:
            times = (file.mtime_ns, file.mtime_ns)
            os.utime(self.directory / file.path, ns=times, follow_symlinks=False)
            self.context.utime(join("/work", file.path), mtime_ns=file.mtime_ns, follow=False)

    def real(self, words: Sequence[str], stdin: bytes = b"", **environment: str) -> Ran:
        found = shutil.which(words[0], path=REAL_PATH)
        if found is None:
            pytest.skip(f"the real {words[0]} is not installed")
        done = subprocess.run(
            list(words),
            executable=found,
            cwd=self.directory,
            input=stdin,
            env={**ENVIRONMENT, "PATH": REAL_PATH, **environment},
            capture_output=True,
            timeout=20,
            check=False,
        )
        return Ran(done.returncode, done.stdout, _plain(done.stderr))

    def ours(self, words: Sequence[str], stdin: bytes = b"", **environment: str) -> Ran:
        done = run_command(self.context, words, stdin, environment=environment)
        return Ran(done.exit_code, done.stdout, done.stderr)

    def check(
        self,
        *words: str,
        stdin: bytes = b"",
        ordered: bool = True,
        errors: bool = True,
        **environment: str,
    ) -> None:
        """Make sure that a command does the same in both; unless `ordered`, lines are sorted."""
        theirs, ours = (
            self.real(words, stdin, **environment),
            self.ours(words, stdin, **environment),
        )
        if not ordered:
            theirs, ours = _sorted(theirs), _sorted(ours)
        if not errors:
            theirs, ours = _without_texts(theirs), _without_texts(ours)
        assert ours == theirs, f"{words}\nours   {ours}\ntheirs {theirs}"

    def check_trees(self) -> None:
        """Make sure that both hold the same files now."""
        theirs, ours = self._real_tree(), self._our_tree()
        assert ours == theirs

    def _real_tree(self) -> dict[str, tuple[object, ...]]:
        found: dict[str, tuple[object, ...]] = {}
        for path in self.directory.rglob("*"):
            status = path.lstat()
            name = str(path.relative_to(self.directory))
            mode = stat.S_IMODE(status.st_mode)
            if path.is_symlink():
                found[name] = ("symlink", os.readlink(path))
            elif path.is_dir():
                found[name] = ("directory", mode, status.st_nlink)
            else:
                found[name] = ("file", mode, status.st_nlink, path.read_bytes())
        return found

    def _our_tree(self) -> dict[str, tuple[object, ...]]:
        found: dict[str, tuple[object, ...]] = {}
        files = self.context.files
        for entry in files.walk("/work"):
            status = files.stat(entry.path, follow=False)
            name = entry.path.removeprefix("/work/")
            if status.kind == "symlink":
                found[name] = ("symlink", files.readlink(entry.path))
            elif status.kind == "directory":
                found[name] = ("directory", status.mode, status.nlink)
            else:
                found[name] = ("file", status.mode, status.nlink, files.read(entry.path))
        return found


def _plain(text: bytes) -> bytes:
    return re.sub(rb"(?m)^(/usr)?/bin/", b"", text)


def _sorted(ran: Ran) -> Ran:
    return ran._replace(
        stdout=b"\n".join(sorted(ran.stdout.split(b"\n"))),
        stderr=b"\n".join(sorted(ran.stderr.split(b"\n"))),
    )


def _without_texts(ran: Ran) -> Ran:
    return ran._replace(stderr=b"x" if ran.stderr else b"")
