"""Repositories that the real git makes and judges."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from vshell import Workspace

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "init.defaultBranch",
    "GIT_CONFIG_VALUE_0": "main",
    "GIT_CONFIG_KEY_1": "core.quotePath",
    "GIT_CONFIG_VALUE_1": "false",
}


ODD_NAMES = [
    "plain",
    "with space",
    "new\nline",
    'tab\tand "quotes"',
    "back\\slash",
    "ünïcode",
    "b\udce4d",
    "-dash",
    "a.b",
    "a-b",
    "a/b",
    "a0",
    ".gitignore",
    ".gitattributes",
    "x" * 255,
]


Tree = dict[str, tuple[str, bool, bytes]]


def tree(ws: Workspace, at: str = "/") -> Tree:
    """Return the files and links below a directory, as git would see them."""
    found: Tree = {}
    for entry in ws.files.walk_details(at):
        stat = ws.lstat(entry.path)
        name = entry.path.removeprefix(at).lstrip("/")
        if stat.kind == "file":
            found[name] = ("file", bool(stat.mode & 0o100), ws.read_bytes(entry.path))
        elif stat.kind == "symlink":
            target = ws.readlink(entry.path).encode("utf-8", "surrogateescape")
            found[name] = ("symlink", False, target)
    return found


def git(
    directory: Path, *words: str, data: bytes = b"", environment: dict[str, str] | None = None
) -> bytes:
    done = subprocess.run(
        ["git", *words],
        cwd=directory,
        env=ENVIRONMENT | (environment or {}),
        input=data,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def git_text(directory: Path, *words: str) -> str:
    return git(directory, *words).decode("utf-8", "surrogateescape").strip()


def commit(
    directory: Path, message: str, *, author: str = "Ann", seconds: int = 1_600_000_000
) -> str:
    git(directory, "add", "-A")
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (
            ("NAME", author),
            ("EMAIL", "a@example.invalid"),
            ("DATE", f"{seconds} +0200"),
        )
    }
    git(directory, "commit", "-q", "--allow-empty", "-m", message, environment=who)
    return git_text(directory, "rev-parse", "HEAD")


def git_tree(directory: Path, commit: str) -> Tree:
    """Return the same of a commit."""
    found: Tree = {}
    for line in git(directory, "ls-tree", "-rz", commit).split(b"\0")[:-1]:
        head, _, name = line.partition(b"\t")
        mode, kind, sha = head.decode().split()
        assert kind == "blob"
        data = git(directory, "cat-file", "blob", sha)
        path = name.decode("utf-8", "surrogateescape")
        found[path] = ("symlink" if mode == "120000" else "file", mode == "100755", data)
    return found


def write_host_tree(directory: Path) -> None:
    for number, name in enumerate(ODD_NAMES):
        if name == "a/b":
            continue
        path = directory / name
        path.write_bytes(b"content %d\n" % number)
    (directory / "d" / "e").mkdir(parents=True)
    (directory / "d" / "e" / "run").write_text("#!/bin/sh\n")
    (directory / "d" / "e" / "run").chmod(0o755)
    (directory / "d" / "binary").write_bytes(bytes(range(256)) * 2000)
    (directory / "d" / "empty").touch()
    (directory / "link").symlink_to("d/e/run")
    (directory / "dangling").symlink_to("/no/such\udcff")


def git_text_of(directory: Path, words: list[str], data: bytes) -> str:
    return git(directory, *words, data=data).decode().strip()
